"""`spectronorm sensitivity`: cost of wrong statistics for a trained model."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from spectronorm.audio import open_source
from spectronorm.cli.options import (
    DurationOption,
    JsonOption,
    MaxBadOption,
    NormalizeOption,
    ProfileOption,
    SeparatorOption,
    SourceArgument,
    parse_share,
)
from spectronorm.cli.run import guarded, print_json, progress_bar, warn_left_out, writing
from spectronorm.cli.terminal import say, warn
from spectronorm.errors import MissingExtra
from spectronorm.front_end import require_front_end
from spectronorm.passes.outputs import require_folder
from spectronorm.pipeline import open_fitted
from spectronorm.storage.atomic import write_text
from spectronorm.storage.canonical_json import canonical_json
from spectronorm.storage.content import Content
from spectronorm.storage.replacement import require_replaceable

_EXAMPLES = """
**Examples**

    spectronorm sensitivity model.onnx test.csv -p pipeline.safetensors -o sensitivity/

    spectronorm sensitivity nets:trained esc10/ -p esc10.safetensors --normalize band --label category -o sensitivity/
"""
REPORT, RECORD = "report.html", "sensitivity.json"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sensitivity", epilog=_EXAMPLES)(guarded(writing(sensitivity_command)))


def sensitivity_command(
    *,
    model: Annotated[
        str,
        typer.Argument(
            help="A file model.onnx, or package.module:name of a trained torch.nn.Module, or of a function that "
            "returns one. It takes (clip, 1, band, frame) and gives logits (clip, class)."
        ),
    ],
    source: SourceArgument,
    profile: ProfileOption,
    output: Annotated[Path, typer.Option("--output", "-o", help="Output folder.")],
    normalize: NormalizeOption = None,
    label: Annotated[str, typer.Option(help="Column of the class.")] = "label",
    group: Annotated[str | None, typer.Option(help="Column of the recording or speaker.")] = None,
    classes: Annotated[
        str | None,
        typer.Option(metavar="A,B,…", help="Classes in the order of the model's outputs; by default sorted by name."),
    ] = None,
    separator: SeparatorOption = "",
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="accuracy, recall, map, auc or eer, or package.module:name of a function of labels and probabilities "
            "(clip, class); by default accuracy, and map with --separator.",
        ),
    ] = None,
    draws: Annotated[int, typer.Option(min=1, max=1000, help="Number of draws of random errors.")] = 5,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the random errors.")] = 0,
    duration: DurationOption = None,
    max_bad: MaxBadOption = "1%",
    json: JsonOption = False,
) -> None:
    """Measure what a wrong mean or deviation costs a trained model, by inference alone."""
    from spectronorm.experiment.metrics.known import ACCURACY, AVERAGE_PRECISION, find_metric
    from spectronorm.experiment.sensitivity import measure_sensitivity, open_model
    from spectronorm.experiment.sensitivity.labelled import labelled_levels
    from spectronorm.experiment.sensitivity.words import sensitivity_sentences

    require_folder(output, "the sensitivity of a model")
    require_replaceable(output / REPORT, Content.PAGE)
    require_replaceable(output / RECORD, Content.RECORD)
    pipeline = open_fitted(profile, normalize)
    chosen = find_metric(metric or (AVERAGE_PRECISION if separator else ACCURACY.name)).name
    classifier = open_model(model)
    with progress_bar("measuring") as progress:
        clips, bad = labelled_levels(
            open_source(source),
            require_front_end(pipeline.front_end, "measuring a model on audio"),
            output / ".cache",
            label=label,
            group=group,
            classes=() if classes is None else tuple(classes.split(",")),
            duration=duration,
            max_bad=parse_share(max_bad, "max-bad"),
            separator=separator,
            progress=progress,
        )
    with progress_bar("errors") as progress:
        found = measure_sensitivity(
            classifier, clips, pipeline.normalizer, metric=chosen, draws=draws, seed=seed, progress=progress
        )
    plain = {"model": model, **asdict(found), "sentences": sensitivity_sentences(found)}
    write_text(output / RECORD, canonical_json(plain) + "\n", Content.RECORD)
    page: Path | None = output / REPORT
    try:
        from spectronorm.report.sensitivity_page import save_sensitivity_page

        save_sensitivity_page(found, model, output / REPORT)
    except MissingExtra as error:
        warn(str(error))
        page = None
    if json:
        print_json({"report": None if page is None else str(page), **plain})
        return
    warn_left_out(bad)
    for line in sensitivity_sentences(found):
        say(line)
    if page is not None:
        say(f"\n{page}")
