"""`spectronorm audit`: are given statistics right, and if not, why."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from spectronorm.audio import open_source
from spectronorm.audit import Audited, audit
from spectronorm.cli.import_statistics import (
    FormatOption,
    FrontEndOption,
    KeyOption,
    LevelsOption,
    PresetOption,
    chosen_front_end,
)
from spectronorm.cli.options import (
    JsonOption,
    MaxBadOption,
    SourceArgument,
    UntrustedOption,
    WorkersOption,
    engine,
    parse_share,
    reader,
)
from spectronorm.cli.run import FAILED, guarded, note_unread, print_json, progress_bar
from spectronorm.cli.terminal import say, warn
from spectronorm.counted import counted
from spectronorm.errors import ArgumentError, FileFormatError
from spectronorm.features import open_for
from spectronorm.front_end import require_front_end
from spectronorm.interop.statistics import STATISTICS_FORMATS, read_numbers
from spectronorm.interop.statistics.read_file import fitted_to, require_fit
from spectronorm.normalize import FittedNormalizer
from spectronorm.pipeline import Pipeline, load

_EXAMPLES = """
**Examples**

    spectronorm audit preprocessor_config.json esc10/ --preset ast

    spectronorm audit pipeline.safetensors esc10/

    spectronorm audit global_cmvn train.csv --front-end front_end.json --one-pass
"""
_SHOWN = 3


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("audit", epilog=_EXAMPLES)(guarded(audit_command))


def audit_command(
    statistics: Annotated[Path, typer.Argument(help="Another program's statistics, or a saved pipeline.")],
    source: SourceArgument,
    preset_name: PresetOption = None,
    front_end: FrontEndOption = None,
    levels: LevelsOption = None,
    format_name: FormatOption = None,
    key: KeyOption = None,
    effect: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="Also measure what errors cost this model: model.onnx or package.module:name."
        ),
    ] = None,
    label: Annotated[str | None, typer.Option(help="With --effect: column of the class, by default label.")] = None,
    one_pass: Annotated[
        bool, typer.Option("--one-pass", help="Do not try other resamplers, mel scales and windows.")
    ] = False,
    max_bad: MaxBadOption = "1%",
    workers: WorkersOption = None,
    untrusted: UntrustedOption = False,
    json: JsonOption = False,
) -> None:
    """Measure a source and report if given statistics are right, or which common mistake made them.

    Exits with 1 unless they are exact, or consistent with another sample of such data.
    """
    if label is not None and effect is None:
        raise ArgumentError("--label names the class that a model is measured on: give --effect MODEL, or leave it out")
    numbers, fitted = _given(statistics, (preset_name, front_end, levels), format_name, key)
    chosen = fitted.front_end
    effects = (
        None if effect is None else _effects(effect, source, fitted, label or "label", parse_share(max_bad, "max-bad"))
    )
    with progress_bar("auditing") as progress:
        audited = audit(
            numbers,
            note_unread(open_for(source, chosen, reader(untrusted=untrusted))),
            chosen,
            one_pass_only=one_pass,
            max_bad=parse_share(max_bad, "max-bad"),
            engine=engine(workers),
            progress=progress,
        )
    if json:
        print_json({**_plain(audited), **({} if effects is None else {"effect": effects})})
    else:
        _report(audited, chosen.unit)
        for line in [] if effects is None else effects["sentences"]:
            say(line)
    if audited.verdict not in ("exact", "consistent"):
        raise typer.Exit(FAILED)


def _given(
    path: Path, named: tuple[str | None, Path | None, Path | None], format_name: str | None, key: str | None
) -> tuple[tuple[np.ndarray, np.ndarray], FittedNormalizer]:
    """Mean and std in a file, and the map that applies them, for the front end that the options name."""
    pipeline = _pipeline(path) if format_name is None else None
    if pipeline is not None:
        if any(one is not None for one in (*named, key)):
            raise ArgumentError(f"{path}: is a saved pipeline, which has its own front end; leave the options out")
        affine, settings = pipeline.normalizer.affine, pipeline.normalizer.normalizer
        if affine is None or settings.maps_clips or len(pipeline.front_end.level_shape) > 1:
            raise ArgumentError(f"{settings} has no means and deviations of a data set that could be wrong")
        factor = float(getattr(settings, "factor", 1.0))
        return (affine.shift.ravel(), affine.scale.ravel() / factor), pipeline.normalizer
    name, numbers = read_numbers(path, format_name, key=key)
    chosen = chosen_front_end(*named, STATISTICS_FORMATS.find(name).preset)
    require_fit(path, numbers, chosen)
    return (numbers.shift, numbers.std), fitted_to(name, numbers, chosen)


def _effects(model: str, source: str, fitted: FittedNormalizer, label: str, max_bad: float) -> dict[str, Any]:
    """Cost of errors of the statistics for a model, as `spectronorm sensitivity` measures it."""
    from spectronorm.experiment.sensitivity import measure_sensitivity, open_model
    from spectronorm.experiment.sensitivity.labelled import labelled_levels
    from spectronorm.experiment.sensitivity.words import sensitivity_sentences

    front_end = require_front_end(fitted.front_end, "measuring a model on audio")
    classifier = open_model(model)
    with tempfile.TemporaryDirectory() as cache, progress_bar("errors") as progress:
        clips, _ = labelled_levels(open_source(source), front_end, Path(cache), label=label, max_bad=max_bad)
        found = measure_sensitivity(classifier, clips, fitted, progress=progress)
    return {**asdict(found), "sentences": sensitivity_sentences(found)}


def _pipeline(path: Path) -> Pipeline | None:
    try:
        content = load(path)
    except (FileFormatError, OSError):
        return None
    if not isinstance(content, Pipeline):
        raise ArgumentError(f"{path}: is a profile, which is measured exactly; give statistics or a pipeline")
    return content


def _report(audited: Audited, unit: str) -> None:
    right = audited.right
    say(f"{audited.verdict}: {audited.sentence}")
    say(f"given      mean {audited.mean:.4f}, std {audited.std:.4f} {unit}")
    say(
        f"these data mean {right.mean:.4f} (± {audited.mean_se:.4f}), std {right.std:.4f} (± {audited.std_se:.4f}) "
        f"{unit}; {counted(audited.clips, 'clip')}, standard errors in brackets"
    )
    for one in audited.findings[:_SHOWN]:
        say(f"  {one.distance:8.4f} std from {one.name}: mean {one.mean:.4f}, std {one.std:.4f}")
    for bad in audited.bad:
        warn(f"left out {bad}")


def _plain(audited: Audited) -> dict[str, object]:
    return {**asdict(audited), "bad": [bad.to_dict() for bad in audited.bad]}
