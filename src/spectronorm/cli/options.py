"""Options shared by several commands, and their parsing."""

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
    typer.Option("--skip-flat", help="Leave out silent and constant clips as bad files, with that reason."),
]
ExcludeFloorOption = Annotated[
    bool,
    typer.Option("--exclude-floor", help="Compute the statistics only over cells above the floor."),
]
ProfileOption = Annotated[Path, typer.Option("--profile", "-p", help="A profile, or a saved pipeline.")]
NormalizeOption = Annotated[
    str | None,
    typer.Option(
        help="Normalizer to fit to the profile: none, global, band, minmax, minmax-band, robust, robust-band, "
        "clip, clip-band, sliding or sliding-data-set."
    ),
]
HoldOutOption = Annotated[
    list[str] | None, typer.Option(metavar="COLUMN=VALUE", help="Leave this group out; may be repeated.")
]
WorkersOption = Annotated[
    int | None, typer.Option(min=1, help="Number of threads or processes; by default one for each core.")
]
EngineOption = Annotated[
    str,
    typer.Option(
        help="Engine that runs the work: auto (threads, then processes for large sources), threads, processes "
        "(which survive a crash), or dask (see --scheduler)."
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
DurationOption = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="Crop longer clips; apply and images also zero-pad shorter ones."),
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
        raise ArgumentError(f"{name}={text!r} must lie between 0 and 100%")
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


def reader(*, untrusted: bool, skip_flat: bool) -> Reader:
    """Return a reader with these settings."""
    return Reader(Limits() if untrusted else None, skip_flat)


def engine(workers: int | None) -> AutoEngine:
    """Return the default engine with this number of workers."""
    return AutoEngine() if workers is None else AutoEngine(workers)


@contextmanager
def open_engine(name: str, workers: int | None, scheduler: str | None) -> Iterator[Engine]:
    """Open the engine with this name and number of workers.

    Raises:
        ArgumentError: if the options contradict each other.
    """
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
