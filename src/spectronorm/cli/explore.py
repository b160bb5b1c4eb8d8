"""`spectronorm explore`: a page to look at and listen to the clips of a source."""

from __future__ import annotations

import webbrowser
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from spectronorm.audio import Source, open_source
from spectronorm.cli.fit import fit_command
from spectronorm.cli.front_end import options_of, with_front_end
from spectronorm.cli.options import (
    MAX_WORKERS,
    DescriptionOption,
    LastOption,
    OverlapOption,
    SourceArgument,
    TolerateShortOption,
    UntrustedOption,
    WindowOption,
    reader,
    windows,
)
from spectronorm.cli.run import guarded, note_unread
from spectronorm.cli.terminal import say
from spectronorm.counted import counted
from spectronorm.engines.cores import available_cores
from spectronorm.errors import ArgumentError, MissingExtra
from spectronorm.features import open_for, with_all_channels
from spectronorm.front_end import AnyFrontEnd, FrontEnd, Levels
from spectronorm.passes.windowed import windowed
from spectronorm.pipeline import load
from spectronorm.profile import Profile

_EXAMPLES = """
**Examples**

    spectronorm explore esc10/ -p esc10.safetensors

    spectronorm explore field/ -p train.safetensors -p field.safetensors --port 8765

    spectronorm explore sounds/ --n-mels 64 --open
"""
_MOST_PROFILES = 2


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explore", epilog=_EXAMPLES)(guarded(with_front_end(explore_command)))


def explore_command(
    *,
    source: SourceArgument,
    front_end: FrontEnd,
    profile: Annotated[
        list[Path] | None,
        typer.Option("--profile", "-p", help="Profile whose front end makes the spectrograms; a second is compared."),
    ] = None,
    levels: DescriptionOption = None,
    window: WindowOption = None,
    overlap: OverlapOption = 0.0,
    last: LastOption = "pad",
    untrusted: UntrustedOption = False,
    tolerate_short: TolerateShortOption = "0s",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=MAX_WORKERS, help="Threads that measure the clips; by default all cores but one."),
    ] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Look at and listen to clips in the browser, the oddest first, and try floors and normalizations on them.

    The page is served on this machine only, until Ctrl-C. Nothing is written and nothing is loaded from elsewhere.
    """
    try:
        from spectronorm.explore.collection import Collection, Explored
        from spectronorm.explore.serve import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn", "anyio", "h11"):
            raise
        raise MissingExtra("The page", "explore") from None
    profiles = _profiles(profile or [])
    chosen = _front_end(front_end, levels, profiles)
    opened = (
        open_source(source, reader(untrusted=untrusted, tolerate_short=tolerate_short)) if levels is None else source
    )
    if isinstance(opened, Source):
        chosen = chosen if profiles else with_all_channels(chosen, opened)
        note_unread(opened)
    pieces = windows(window, overlap, last)
    cut, _ = windowed(opened, chosen, pieces, 0.0, None)
    clips = open_for(cut, chosen)
    explored = Explored(source, clips, chosen, profiles, partial(options_of, command=fit_command), pieces)
    collection = Collection(explored, workers or max(1, available_cores() - 1))

    def announce(address: str) -> None:
        say(f"{counted(len(clips), 'clip')}: {address}  (Ctrl-C ends)")
        if open_page:
            webbrowser.open(address)

    serve(collection, port, announce)


def _profiles(paths: Sequence[Path]) -> dict[str, Profile]:
    if len(paths) > _MOST_PROFILES:
        raise ArgumentError(f"--profile is given {len(paths)} times; the page compares two profiles")
    found = {}
    for path in paths:
        content = load(path)
        if not isinstance(content, Profile):
            raise ArgumentError(f"{path}: is a saved pipeline; the page needs the profile that it was fitted to")
        found[str(path)] = content
    return found


def _front_end(front_end: FrontEnd, levels: Path | None, profiles: dict[str, Profile]) -> AnyFrontEnd:
    """The front end of the profile, or else of the options or the description."""
    described = None if levels is None else Levels.load(levels)
    if not profiles:
        return front_end if described is None else described
    first = next(iter(profiles.values())).front_end
    if front_end != FrontEnd():
        raise ArgumentError("the profile's front end makes the spectrograms; leave out the options of a front end")
    if isinstance(first, Levels):
        # A profile does not know the order of axes in files.
        return first if described is None else replace(first, layout=described.layout)
    return first
