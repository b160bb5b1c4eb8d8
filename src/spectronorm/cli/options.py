"""Options shared by several commands, and their parsing."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any

import typer

from spectronorm.audio import LAST_WINDOW, Limits, Reader, Windows
from spectronorm.audio.duration import MAX_SECONDS, MIN_SECONDS
from spectronorm.audio.kinds.source_kind import SOURCES
from spectronorm.engines import ENGINES, AutoEngine, Engine, open_named
from spectronorm.errors import ArgumentError
from spectronorm.normalize import NORMALIZERS
from spectronorm.registry import Registry


def alternatives(names: Iterable[str]) -> str:
    """Join alternatives for a help text: `a, b or c.`."""
    listed = [name for name in names if name]
    text = f"{', '.join(listed[:-1])} or {listed[-1]}."
    return f"{text[:1].upper()}{text[1:]}" if " " in listed[0] else text


def short_names(registry: Registry[Any]) -> list[str]:
    """Return the short names of loaded classes, and the names of plug-ins that are not loaded, without loading any."""
    loaded = registry.classes(loading=False)
    return [*registry.variants(loading=False), *(name for name in registry if name not in loaded)]


MAX_WORKERS = 4096
"""More threads or processes than any machine has use for."""
MAX_REPEATS = 1_000_000
"""The most seeds, epochs or splits that can be asked for."""

SourceArgument = Annotated[
    str,
    typer.Argument(help=alternatives(cls.takes for cls in reversed(SOURCES.classes(loading=False).values()))),
]
UntrustedOption = Annotated[
    bool,
    typer.Option("--untrusted", help="Decode in separate processes with limits on time and memory."),
]
SkipFlatOption = Annotated[
    bool,
    typer.Option("--skip-flat", help="Leave out silent and constant clips as bad files, with that reason."),
]
TolerateShortOption = Annotated[
    str,
    typer.Option(
        "--tolerate-short",
        metavar="TIME",
        help="Accept and list files that end early, by at most this much: 100ms, 0.1s.",
    ),
]
ExcludeFloorOption = Annotated[
    bool,
    typer.Option("--exclude-floor", help="Compute the statistics only over cells above the floor."),
]
ProfileOption = Annotated[Path, typer.Option("--profile", "-p", help="A profile, or a saved pipeline.")]
NormalizeOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME[:SETTING=VALUE]",
        help="Normalizer to fit to the profile, with settings after colons (minmax:low=-1): "
        f"{alternatives(short_names(NORMALIZERS))}",
    ),
]
HoldOutOption = Annotated[
    list[str] | None, typer.Option(metavar="COLUMN=VALUE", help="Leave this group out; may be repeated.")
]
WorkersOption = Annotated[
    int | None,
    typer.Option(min=1, max=MAX_WORKERS, help="Number of threads or processes; by default one for each core."),
]
EngineOption = Annotated[
    str,
    typer.Option(
        help=f"Engine that runs the work: {alternatives(ENGINES)} auto begins with threads and continues with "
        "processes for large sources; processes survive a crash; for dask see --scheduler."
    ),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="With --engine dask: address of a running scheduler, such as tcp://10.0.0.1:8786; without it a "
        "cluster is started on this machine.",
    ),
]
MaxBadOption = Annotated[
    str, typer.Option(metavar="SHARE", help="Largest accepted share of bad files, such as 1% or 0.01.")
]
DescriptionOption = Annotated[
    Path | None,
    typer.Option(
        metavar="LEVELS.json",
        help="Read spectrogram files of other programs, which this JSON file describes (see sn.Levels).",
    ),
]
SeparatorOption = Annotated[
    str,
    typer.Option(
        metavar="TEXT",
        show_default=False,
        help="Text between several labels of one clip, such as ';'; by default a clip has one label.",
    ),
]
DurationOption = Annotated[
    float | None,
    typer.Option(
        min=MIN_SECONDS,
        max=MAX_SECONDS,
        metavar="SECONDS",
        help="Crop longer clips; apply and images also zero-pad shorter ones.",
    ),
]
WindowOption = Annotated[
    float | None,
    typer.Option(
        min=MIN_SECONDS,
        max=MAX_SECONDS,
        metavar="SECONDS",
        help="Cut recordings into windows of this length; each is a clip, whose column recording names the file.",
    ),
]
OverlapOption = Annotated[
    float,
    typer.Option(min=0.0, max=MAX_SECONDS, metavar="SECONDS", help="Seconds that neighbouring windows share."),
]
LastOption = Annotated[
    str,
    typer.Option(
        help="Rule for the rest after the last whole window, and for shorter recordings: pad measures it at its own "
        "length, and pads what apply and images write; keep leaves it shorter; drop leaves it out."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


def parse_share(text: str, name: str) -> float:
    """Parse `20%` or `0.2` as 0.2.

    Raises:
        ArgumentError: if the text has another form.
    """
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise ArgumentError(f"{name}={text!r} must be a share such as 20% or 0.2") from None
    if not 0 <= share <= 1:
        percent = f"; did you mean {text}%?" if 1 < share <= 100 and not text.endswith("%") else ""
        raise ArgumentError(f"{name}={text!r} must lie between 0 and 100%{percent}")
    return share


def parse_hold_out(texts: list[str] | None) -> list[tuple[str, str]]:
    """Parse `fold=1` as a column and a value.

    Raises:
        ArgumentError: if a text has another form.
    """
    pairs = []
    for text in texts or []:
        column, equals, value = text.partition("=")
        if not (column and equals):
            raise ArgumentError(f"hold-out={text!r} must be COLUMN=VALUE, such as fold=1")
        pairs.append((column, value))
    return pairs


def parse_seconds(text: str, name: str) -> float:
    """`100ms`, `0.1s` or `0.1` in seconds; raises `ArgumentError` for anything else."""
    number, unit = (text[:-2], 1e-3) if text.endswith("ms") else (text.removesuffix("s"), 1.0)
    try:
        seconds = float(number) * unit
    except ValueError:
        raise ArgumentError(f"{name}={text!r} must be a time such as 100ms or 0.1s") from None
    if not 0 <= seconds < float("inf"):
        raise ArgumentError(f"{name}={text!r} must be a time of 0 seconds or more")
    return seconds


def reader(*, untrusted: bool, skip_flat: bool = False, tolerate_short: str = "0s") -> Reader:
    """Return the reader of clips for these options."""
    return Reader(
        Limits() if untrusted else None, skip_flat, tolerate_short=parse_seconds(tolerate_short, "tolerate-short")
    )


def windows(window: float | None, overlap: float, last: str) -> Windows | None:
    """Return the windows of these options; None without a window.

    Raises:
        ArgumentError: if there is an overlap or a rule without a window.
    """
    if window is not None:
        return Windows(window, overlap, last)
    if overlap or last != LAST_WINDOW[0]:
        raise ArgumentError("--overlap and --last need --window SECONDS, which recordings are cut into")
    return None


def engine(workers: int | None) -> AutoEngine:
    """Return the default engine with this number of workers."""
    return AutoEngine() if workers is None else AutoEngine(workers)


def open_engine(name: str, workers: int | None, scheduler: str | None) -> AbstractContextManager[Engine]:
    """Open the engine with this name and number of workers.

    Raises:
        ArgumentError: if the options contradict each other.
    """
    return open_named(name, workers=workers, scheduler=scheduler)
