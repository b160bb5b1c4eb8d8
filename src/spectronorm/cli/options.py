"""Options that several commands share, and how their text is read."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any

import typer

from spectronorm.audio import Limits, Reader
from spectronorm.audio.duration import MAX_SECONDS, MIN_SECONDS
from spectronorm.audio.kinds.source_kind import SOURCES
from spectronorm.engines import ENGINES, AutoEngine, Engine, open_named
from spectronorm.errors import ArgumentError
from spectronorm.normalize import NORMALIZERS
from spectronorm.registry import Registry


def alternatives(names: Iterable[str]) -> str:
    """`a, b or c.`: alternatives for a help text."""
    listed = [name for name in names if name]
    text = f"{', '.join(listed[:-1])} or {listed[-1]}."
    return f"{text[:1].upper()}{text[1:]}" if " " in listed[0] else text


def short_names(registry: Registry[Any]) -> list[str]:
    """The short names of what is loaded, and the names of plug-ins that are not: a help text loads nothing."""
    loaded = registry.classes(loading=False)
    return [*registry.variants(loading=False), *(name for name in registry if name not in loaded)]


MAX_WORKERS = 4096
"""More threads or processes than any machine has use for."""
MAX_REPEATS = 1_000_000
"""The most seeds, epochs or splits that can be asked for."""

SourceArgument = Annotated[
    str,
    typer.Argument(help=alternatives(cls.takes for cls in SOURCES.classes(loading=False).values())),
]
UntrustedOption = Annotated[
    bool,
    typer.Option("--untrusted", help="Decode in separate processes with limits on time and memory."),
]
SkipFlatOption = Annotated[
    bool,
    typer.Option("--skip-flat", help="Leave silent and constant clips out, as bad files with that reason."),
]
ExcludeFloorOption = Annotated[
    bool,
    typer.Option("--exclude-floor", help="Take the statistics over the cells above the floor only."),
]
ProfileOption = Annotated[Path, typer.Option("--profile", "-p", help="A profile, or a saved pipeline.")]
NormalizeOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME[:SETTING=VALUE]",
        help="The normalizer to fit to the profile, with settings after colons (minmax:low=-1): "
        f"{alternatives(short_names(NORMALIZERS))}",
    ),
]
HoldOutOption = Annotated[
    list[str] | None, typer.Option(metavar="COLUMN=VALUE", help="Leave this group out; may be repeated.")
]
WorkersOption = Annotated[
    int | None, typer.Option(min=1, max=MAX_WORKERS, help="Threads or processes; by default one a core.")
]
EngineOption = Annotated[
    str,
    typer.Option(
        help=f"The engine: {alternatives(ENGINES)} auto begins with threads and goes on with processes if there is "
        "much to do; processes survive a crash; for dask see --scheduler."
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
    typer.Option(
        min=MIN_SECONDS,
        max=MAX_SECONDS,
        metavar="SECONDS",
        help="Crop longer clips; pad shorter ones where it matters.",
    ),
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


def reader(*, untrusted: bool, skip_flat: bool) -> Reader:
    """How clips are read."""
    return Reader(Limits() if untrusted else None, skip_flat)


def engine(workers: int | None) -> AutoEngine:
    """The usual engine, with this many workers."""
    return AutoEngine() if workers is None else AutoEngine(workers)


def open_engine(name: str, workers: int | None, scheduler: str | None) -> AbstractContextManager[Engine]:
    """The engine of this name with this many workers; raises `ArgumentError` when the options contradict each other."""
    return open_named(name, workers=workers, scheduler=scheduler)
