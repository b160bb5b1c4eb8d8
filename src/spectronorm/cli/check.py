"""`spectronorm check`: was anything measured that was to be unseen?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from spectronorm.cli.options import (
    HoldOutOption,
    JsonOption,
    SourceArgument,
    UntrustedOption,
    WorkersOption,
    engine,
    parse_hold_out,
    reader,
)
from spectronorm.cli.run import FAILED, guarded, print_json, progress_bar
from spectronorm.cli.terminal import say, warn
from spectronorm.errors import ArgumentError
from spectronorm.features import open_for
from spectronorm.passes.check import Checked, Twins, check
from spectronorm.pipeline import load
from spectronorm.printable import printable
from spectronorm.profile import Profile

_EXAMPLES = """
**Examples**

    spectronorm check esc10.safetensors esc10/ --hold-out fold=1

    spectronorm check train.safetensors test/ --json
"""
_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check", epilog=_EXAMPLES)(guarded(check_command))


def check_command(
    profile: Annotated[Path, typer.Argument(help="The profile.")],
    source: SourceArgument,
    hold_out: HoldOutOption = None,
    workers: WorkersOption = None,
    untrusted: UntrustedOption = False,
    json: JsonOption = False,
) -> None:
    """Say whether a profile measured sounds that were to be unseen: a test set, or a source's held-out clips.

    Copies are found under any name and in any lossless format. Exits with 1 when there is a leak.
    """
    measured = load(profile)
    if not isinstance(measured, Profile):
        raise ArgumentError(f"{profile}: is a pipeline, which keeps no digests of sounds; give the profile")
    with progress_bar("checking") as progress:
        found = check(
            measured,
            open_for(source, measured.front_end, reader(untrusted=untrusted, skip_flat=False)),
            hold_out=dict(parse_hold_out(hold_out)),
            engine=engine(workers),
            progress=progress,
        )
    if json:
        print_json(_plain(found))
    else:
        _report(found)
    if found.leaks:
        raise typer.Exit(FAILED)


def _plain(found: Checked) -> dict[str, object]:
    return {
        "checked": found.checked,
        "leaks": [asdict(twins) for twins in found.leaks],
        "duplicates": [asdict(twins) for twins in found.duplicates],
        "flat": found.flat,
        "bad": [bad.to_dict() for bad in found.bad],
    }


def _report(found: Checked) -> None:
    say(f"{len(found.leaks)} of {found.checked} sounds that were to be unseen were measured")
    _list("measured", found.leaks)
    if found.duplicates:
        warn(f"{len(found.duplicates)} sounds stand in more than one group of the profile")
        _list("in several groups", found.duplicates)
    if found.flat:
        warn(f"{found.flat} checked clips are silent or constant, which says nothing about leaks")
    if found.bad:
        warn(f"{len(found.bad)} clips cannot be read: {', '.join(bad.path for bad in found.bad[:3])}")


def _list(what: str, listed: tuple[Twins, ...]) -> None:
    for twins in listed[:_SHOWN]:
        clips = ", ".join(printable(name) for name in twins.clips) or "a clip that is not in this source"
        say(f"  {clips}: {what} {'; '.join(twins.groups)}")
    if len(listed) > _SHOWN:
        say(f"  … and {len(listed) - _SHOWN} more (--json lists all)")
