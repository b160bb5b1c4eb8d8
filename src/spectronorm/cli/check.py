"""`spectronorm check`: leak detection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from spectronorm.audio import Reader, Source, open_source
from spectronorm.cleaning import NearCopies, near_leaks
from spectronorm.cli.options import (
    HoldOutOption,
    JsonOption,
    LastOption,
    MaxBadOption,
    OverlapOption,
    SourceArgument,
    TolerateShortOption,
    UntrustedOption,
    WindowOption,
    WorkersOption,
    engine,
    parse_hold_out,
    parse_share,
    reader,
    windows,
)
from spectronorm.cli.run import FAILED, guarded, note_unread, print_json, progress_bar
from spectronorm.cli.terminal import say, warn
from spectronorm.counted import counted
from spectronorm.engines import Engine
from spectronorm.errors import ArgumentError
from spectronorm.features import open_for
from spectronorm.front_end import Levels
from spectronorm.passes.check import Checked, Twins, check
from spectronorm.passes.windowed import windowed
from spectronorm.pipeline import load
from spectronorm.printable import printable
from spectronorm.profile import Profile

_EXAMPLES = """
**Examples**

    spectronorm check esc10.safetensors esc10/ --hold-out fold=1

    spectronorm check esc10.safetensors esc10/ --hold-out fold=1 --near

    spectronorm check train.safetensors test/ --near-to train/ --json
"""
_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check", epilog=_EXAMPLES)(guarded(check_command))


def check_command(
    profile: Annotated[Path, typer.Argument(help="The profile.")],
    source: SourceArgument,
    hold_out: HoldOutOption = None,
    window: WindowOption = None,
    overlap: OverlapOption = 0.0,
    last: LastOption = "pad",
    workers: WorkersOption = None,
    max_bad: MaxBadOption = "1%",
    untrusted: UntrustedOption = False,
    tolerate_short: TolerateShortOption = "0s",
    near: Annotated[
        bool,
        typer.Option("--near", help="With --hold-out: also find near copies of the other clips."),
    ] = False,
    near_to: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="Also find near copies of these training clips."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Find held-out clips that a profile measured: clips of a test set, or a source's held-out clips.

    Copies are found under any name and in any lossless format. With --near or --near-to, clips that contain
    the same sound at another volume, time or rate, or after lossy encoding, are found too. Exits with 1 if there is a
    leak.
    """
    held_out = dict(parse_hold_out(hold_out))
    if near and not held_out:
        raise ArgumentError("--near compares held-out clips with the others: add --hold-out, or --near-to TRAIN")
    measured = load(profile)
    if not isinstance(measured, Profile):
        raise ArgumentError(f"{profile}: is a pipeline, which keeps no digests of sounds; give the profile")
    if (near or near_to is not None) and isinstance(measured.front_end, Levels):
        raise ArgumentError(f"{profile}: was measured from levels, which have no sound to compare; leave --near out")
    how = reader(untrusted=untrusted, tolerate_short=tolerate_short)
    opened = note_unread(open_for(source, measured.front_end, how))
    opened, _ = windowed(opened, measured.front_end, windows(window, overlap, last), 0.0, None)
    with progress_bar("checking") as progress:
        found = check(
            measured,
            opened,
            hold_out=held_out,
            max_bad=parse_share(max_bad, "max-bad"),
            engine=engine(workers),
            progress=progress,
        )
    leaks = _near(opened, held_out, near_to if near_to is not None or not near else "", how, engine(workers))
    if json:
        print_json(_plain(found) | ({} if leaks is None else {"near": [_plain_pair(pair) for pair in leaks]}))
    else:
        _report(found)
        _report_near(leaks)
    if found.leaks or leaks:
        raise typer.Exit(FAILED)


def _near(
    source: Source, hold_out: Mapping[str, str], near_to: str | None, how: Reader, engine: Engine
) -> tuple[NearCopies, ...] | None:
    """Near copies between the held-out clips and others: of the source, without a name, or of another one."""
    if near_to is None:
        return None
    unseen = source.select(**hold_out) if hold_out else source
    seen = open_source(near_to, how) if near_to else source.without(**hold_out)
    with progress_bar("comparing") as progress:
        return near_leaks(unseen, seen, engine=engine, progress=progress)


def _plain_pair(pair: NearCopies) -> dict[str, object]:
    return {"training": pair.first, "held_out": pair.second, **asdict(pair.likeness)}


def _report_near(leaks: tuple[NearCopies, ...] | None) -> None:
    if leaks is None:
        return
    clips = len({pair.second for pair in leaks})
    say(f"{counted(clips, 'held-out clip holds', 'held-out clips hold')} the sound of a training clip")
    for pair in leaks[:_SHOWN]:
        say(f"  {printable(pair.second)}: like {printable(pair.first)}, {pair.detail}")
    if len(leaks) > _SHOWN:
        say(f"  … and {len(leaks) - _SHOWN} more (--json lists all)")


def _plain(found: Checked) -> dict[str, object]:
    return {
        "checked": found.checked,
        "leaks": [asdict(twins) for twins in found.leaks],
        "duplicates": [asdict(twins) for twins in found.duplicates],
        "flat": found.flat,
        "bad": [bad.to_dict() for bad in found.bad],
        "split": list(found.split),
    }


def _report(found: Checked) -> None:
    say(f"{len(found.leaks)} of {counted(found.checked, 'held-out clip was', 'held-out clips were')} measured")
    _list("measured", found.leaks)
    if found.duplicates:
        warn(f"{counted(len(found.duplicates), 'clip is', 'clips are')} in more than one group of the profile")
        _list("in several groups", found.duplicates)
    if found.split:
        names = ", ".join(map(printable, found.split[:3])) + (", …" if len(found.split) > 3 else "")
        warn(
            f"{counted(len(found.split), 'recording has', 'recordings have')} pieces on both sides of the split "
            f"({names}): they share voice, room and noise; split by the column recording"
        )
    if found.flat:
        warn(f"{counted(found.flat, 'checked clip is', 'checked clips are')} silent or constant: no evidence of a leak")
    if found.bad:
        warn(f"{counted(len(found.bad), 'clip')} cannot be read: {', '.join(bad.path for bad in found.bad[:3])}")


def _list(what: str, listed: tuple[Twins, ...]) -> None:
    for twins in listed[:_SHOWN]:
        clips = ", ".join(printable(name) for name in twins.clips) or "a clip that is not in this source"
        say(f"  {clips}: {what} {'; '.join(twins.groups)}")
    if len(listed) > _SHOWN:
        say(f"  … and {len(listed) - _SHOWN} more (--json lists all)")
