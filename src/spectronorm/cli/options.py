"""Options that several commands share, and how their text is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from spectronorm.audio import Limits, Reader
from spectronorm.engines import AutoEngine, DaskEngine, Engine, ProcessEngine, ThreadEngine
from spectronorm.errors import ArgumentError

_LOCAL_ENGINES: Mapping[str, Callable[..., Engine]] = {
    "auto": AutoEngine,
    "threads": ThreadEngine,
    "processes": ProcessEngine,
}

SourceArgument = Annotated[
    str,
    typer.Argument(
        help="An audio file, a folder, a folder in ESC-50's layout, a .tar or .zip archive, a .csv/.parquet table with "
        "a column path, or an fsspec URL."
    ),
]
UntrustedOption = Annotated[
    bool,
    typer.Option("--untrusted", help="Decode in separate processes with limits on time and memory."),
]
SkipFlatOption = Annotated[
    bool,
    typer.Option("--skip-flat", help="Leave silent and constant clips out, as bad files with that reason."),
]
TolerateShortOption = Annotated[
    str,
    typer.Option(
        "--tolerate-short",
        metavar="TIME",
        help="Read files that end up to so much earlier than they claim, such as 100ms or 0.1s, and list them.",
    ),
]
ExcludeFloorOption = Annotated[
    bool,
    typer.Option("--exclude-floor", help="Take the statistics over the cells above the floor only."),
]
ProfileOption = Annotated[Path, typer.Option("--profile", "-p", help="A profile, or a saved pipeline.")]
NormalizeOption = Annotated[
    str | None,
    typer.Option(
        help="Which normalizer to fit to the profile: none, global, band, minmax, minmax-band, robust, robust-band, "
        "clip, clip-band, sliding or sliding-data-set."
    ),
]
HoldOutOption = Annotated[
    list[str] | None, typer.Option(metavar="COLUMN=VALUE", help="Leave this group out; may be repeated.")
]
WorkersOption = Annotated[int | None, typer.Option(min=1, help="Threads or processes; by default one a core.")]
EngineOption = Annotated[
    str,
    typer.Option(
        help="Where the work runs: auto (threads, then processes when there is much to do), threads, processes (they "
        "survive a crash), or dask (see --scheduler)."
    ),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="With --engine dask: a running scheduler, such as tcp://10.0.0.1:8786; "
        "without it a cluster is started here.",
    ),
]
MaxBadOption = Annotated[
    str, typer.Option(metavar="SHARE", help="The share of files that may be bad, such as 1% or 0.01.")
]
DurationOption = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="Crop longer clips; pad shorter ones where it matters."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


def parse_share(text: str, name: str) -> float:
    """`20%` or `0.2` as 0.2; raises `ArgumentError` for anything else."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise ArgumentError(f"{name}={text!r} must be a share such as 20% or 0.2") from None
    if not 0 <= share <= 1:
        raise ArgumentError(f"{name}={text!r} must lie between 0 and 100%")
    return share


def parse_hold_out(texts: list[str] | None) -> list[tuple[str, str]]:
    """`fold=1` as a column and a value; raises `ArgumentError` for anything else."""
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
    """How clips are read."""
    return Reader(Limits() if untrusted else None, skip_flat, parse_seconds(tolerate_short, "tolerate-short"))


def engine(workers: int | None) -> AutoEngine:
    """The usual engine, with this many workers."""
    return AutoEngine() if workers is None else AutoEngine(workers)


@contextmanager
def open_engine(name: str, workers: int | None, scheduler: str | None) -> Iterator[Engine]:
    """The engine of this name with this many workers; raises `ArgumentError` when the options contradict each other."""
    if name not in _LOCAL_ENGINES and name != "dask":
        raise ArgumentError(f"engine={name!r} must be {', '.join(_LOCAL_ENGINES)} or dask")
    if scheduler is not None and name != "dask":
        raise ArgumentError(f"scheduler={scheduler!r} needs --engine dask")
    if name == "dask":
        with DaskEngine(scheduler, workers=workers) as cluster:
            yield cluster
    else:
        local = _LOCAL_ENGINES[name]
        yield local() if workers is None else local(workers)
