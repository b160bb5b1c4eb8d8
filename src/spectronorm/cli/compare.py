"""`spectronorm compare`: comparison of normalizations by training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spectronorm.audio import open_source
from spectronorm.cli.compare_design import (
    ARMS,
    ARMS_OF_LEVELS,
    START,
    described_front_end,
    parse_time,
    require_nothing_else,
)
from spectronorm.cli.front_end import with_front_end
from spectronorm.cli.options import (
    MAX_REPEATS,
    MAX_WORKERS,
    DescriptionOption,
    DurationOption,
    JsonOption,
    LastOption,
    MaxBadOption,
    OverlapOption,
    SchedulerOption,
    SeparatorOption,
    SourceArgument,
    WindowOption,
    open_engine,
    parse_share,
    windows,
)
from spectronorm.cli.run import guarded, note_unread, print_json, progress_bar, warn_left_out, writing
from spectronorm.cli.terminal import say, warn
from spectronorm.engines import Engine
from spectronorm.errors import ArgumentError, MissingExtra
from spectronorm.features import open_features
from spectronorm.front_end import FrontEnd
from spectronorm.passes.outputs import require_folder
from spectronorm.passes.windowed import windowed
from spectronorm.storage.content import Content
from spectronorm.storage.replacement import require_replaceable

if TYPE_CHECKING:
    from spectronorm.experiment import Prepared, Results
    from spectronorm.experiment.running.compare import Outcome

_EXAMPLES = """
**Examples**

    spectronorm compare esc10/ -o esc10-compare

    spectronorm compare esc10/ --arms none,global,band,pcen --shifts muffle,noise20 --seeds 5 -o shifts

    spectronorm compare ESC-50/ --protocol esc50-norms-2022 --precision bfloat16 -o the-post

    spectronorm compare features/ --levels levels.json --arms none,global,band -o features-compare

    spectronorm compare words.csv --arms arms.toml --group speaker --folds 5 --budget 30m -o words

Repeating the command resumes an interrupted run.
"""

REPORT = "report.html"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare", epilog=_EXAMPLES)(guarded(writing(with_front_end(compare_command, START))))


def compare_command(
    *,
    context: typer.Context,
    source: SourceArgument,
    front_end: FrontEnd,
    levels: DescriptionOption = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the run; repeating the command resumes it.")
    ],
    arms: Annotated[
        str,
        typer.Option(
            help="Names of arms (names of --normalize, and pcen for audio), or a .toml or .json file.",
            show_default=ARMS.replace(",", ", "),
        ),
    ] = ARMS,
    reference: Annotated[
        str | None, typer.Option(help="Arm that the A/A control repeats; by default global, or the first arm.")
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help="Repeat a published comparison: esc50-norms-2022, or this name with -all-folds appended. It sets the "
            "arms, model, epochs, batch size, learning rate, seeds, duration and folds, but not the "
            "precision and device."
        ),
    ] = None,
    label: Annotated[str, typer.Option(help="Column of the class.")] = "label",
    separator: SeparatorOption = "",
    metric: Annotated[
        str | None,
        typer.Option(
            help="Metric by which arms are judged: accuracy, recall, map, auc or eer, or package.module:name of a "
            "function of labels and probabilities (clip, class); by default accuracy, and map where a clip may have "
            "several labels."
        ),
    ] = None,
    folds: Annotated[
        str | None, typer.Option(help="A column, or a number of folds to make; by default fold, split, or 5.")
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(help="Column of the recording or speaker, which is never in both training and test data."),
    ] = None,
    hold_out: Annotated[
        str | None, typer.Option(metavar="FOLDS", help="Test only these folds, such as 1 or 1,2.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=10_000, help="Number of seeds for each fold.")] = 3,
    budget: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Stop when every arm is settled or this time is used up: 90s, 30m, 2h."),
    ] = None,
    shifts: Annotated[
        str | None,
        typer.Option(
            help="Also test each model on simulated deployments: all, or some of "
            "gain-20, muffle, thin, noise20, phone, as-recorded, separated by commas."
        ),
    ] = None,
    train_on: Annotated[
        str | None,
        typer.Option(help="Train through a simulated device: band-limited, or one of the names of --shifts."),
    ] = None,
    update_classes: Annotated[
        int,
        typer.Option(
            min=0, max=100_000, help="Also make each update of --shifts from clips of only this number of classes."
        ),
    ] = 0,
    model: Annotated[
        str,
        typer.Option(
            help="Model: tiny, small, xresnet18, linear or mlp (the last two keep bands), or one of your own, such as "
            "nets:net."
        ),
    ] = "tiny",
    epochs: Annotated[int, typer.Option(min=1, max=MAX_REPEATS, help="Number of epochs of each training.")] = 20,
    batch_size: Annotated[int, typer.Option(min=2, max=1 << 20, help="Number of clips in a batch.")] = 32,
    learning_rate: Annotated[
        float, typer.Option(min=1e-12, max=1e12, help="Highest learning rate of the one-cycle schedule.")
    ] = 5e-3,
    search_learning_rate: Annotated[
        bool,
        typer.Option(
            "--search-rate", help="Search each arm's learning rate around --learning-rate, on its training folds."
        ),
    ] = False,
    weight_decay: Annotated[float, typer.Option(min=0.0, max=1000.0, help="Weight decay of AdamW.")] = 0.01,
    label_smoothing: Annotated[
        float, typer.Option(min=0.0, max=0.999, help="Share of each label that is spread over all classes.")
    ] = 0.0,
    precision: Annotated[str, typer.Option(help="Precision of the training: float32 or bfloat16.")] = "float32",
    device: Annotated[str, typer.Option(help="Device of the training: auto, cpu, cuda or mps.")] = "auto",
    duration: DurationOption = None,
    window: WindowOption = None,
    overlap: OverlapOption = 0.0,
    last: LastOption = "pad",
    max_bad: MaxBadOption = "1%",
    engine: Annotated[
        str | None,
        typer.Option(
            help="dask: train the models on a cluster; by default they are trained here, one after the other."
        ),
    ] = None,
    scheduler: SchedulerOption = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=MAX_WORKERS, help="With --engine dask and no scheduler: number of processes."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Train models that differ only in their normalization, and report which differences are significant."""
    from spectronorm.experiment import Design, Results, Training, labelled_clips, parse_arms, prepare
    from spectronorm.experiment.clips.devices import find_shift, parse_shifts
    from spectronorm.experiment.metrics.known import ACCURACY, AVERAGE_PRECISION
    from spectronorm.experiment.protocols import find_protocol
    from spectronorm.experiment.running.compare import ANSWER_FILE, compare
    from spectronorm.experiment.running.plan import plan

    seconds = None if budget is None else parse_time(budget)
    training = Training(
        model,
        epochs,
        batch_size,
        learning_rate,
        weight_decay,
        label_smoothing,
        precision,
        device,
        search_learning_rate=search_learning_rate,
    )
    tested_on = parse_shifts(shifts) if shifts else ()
    tested = tuple(hold_out.split(",")) if hold_out else ()
    heard = find_shift(train_on) if train_on else ""
    if protocol is None:
        described = described_front_end(front_end, levels, source)
        if levels is not None and arms == ARMS:
            arms = ARMS_OF_LEVELS
        measured = metric or (AVERAGE_PRECISION if separator else ACCURACY.name)
        made = parse_arms(arms, described)
        design = Design(made, training, seeds, reference or "", tested_on, heard, update_classes, measured)
    elif levels is not None:
        raise ArgumentError("--levels and --protocol exclude each other: a protocol computes its spectrograms")
    else:
        published = find_protocol(protocol)
        require_nothing_else(context)
        training = replace(published.design.training, precision=precision, device=device)
        design = replace(published.design, training=training, shifts=tested_on, train_on=heard)
        design = replace(design, update_classes=update_classes)
        duration, tested = published.duration, published.hold_out
    require_folder(output, "a run's results")
    require_replaceable(output / REPORT, Content.PAGE)
    require_replaceable(output / ANSWER_FILE, Content.RECORD)
    opened = note_unread(open_source(source) if levels is None else open_features(source))
    cut = windows(window, overlap, last)
    opened, duration = windowed(opened, design.arms[0].front_end, cut, 0.0, duration)
    clips = labelled_clips(
        opened,
        label=label,
        folds=int(folds) if folds is not None and folds.isdecimal() else folds,
        group=group,
        hold_out=tested,
        separator=separator,
    )
    with _cluster(engine, workers, scheduler) as cluster:
        with progress_bar("preparing") as progress:
            prepared = prepare(
                clips,
                design,
                output,
                duration=duration,
                max_bad=parse_share(max_bad, "max-bad"),
                progress=lambda _: progress,
                engine=cluster,
            )
        results = Results(output, prepared.settings())
        if not json:
            say("\n".join(plan(prepared)))
        with progress_bar("training (epochs)") as progress:
            note = (lambda _: None) if json else say
            outcome = compare(prepared, results, budget=seconds, progress=progress, note=note, engine=cluster)
    page = _save_page(prepared, results, outcome, output)
    if json:
        print_json({"report": None if page is None else str(page), **asdict(outcome)})
        return
    _report(prepared, outcome)
    if page is not None:
        say(f"\n{page}")


@contextmanager
def _cluster(name: str | None, workers: int | None, scheduler: str | None) -> Iterator[Engine | None]:
    """Yield the requested cluster, or None."""
    if name not in (None, "dask"):
        raise ArgumentError(f"engine={name!r} must be dask, or left out to train the models in this process")
    if name is None:
        if scheduler is not None or workers is not None:
            raise ArgumentError(
                "scheduler and workers need --engine dask; without it the models are trained in this process"
            )
        yield None
        return
    with open_engine("dask", workers, scheduler) as cluster:
        yield cluster


def _save_page(prepared: Prepared, results: Results, outcome: Outcome, output: Path) -> Path | None:
    """Write the page and return its path; if the extra is missing, print a note and return None.

    The results are on disk in any case.
    """
    from spectronorm.report.comparison_page import save_comparison_page

    path = output / REPORT
    try:
        save_comparison_page(prepared, results, outcome, path)
    except MissingExtra as error:
        warn(str(error))
        return None
    return path


def _report(prepared: Prepared, outcome: Outcome) -> None:
    from spectronorm.report.comparison_tables import tables

    warn_left_out(prepared.bad)
    say("\n" + "\n".join(tables(outcome)))
