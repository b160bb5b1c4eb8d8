"""`spectronorm formats`: the formats of other programs' statistics."""

from __future__ import annotations

import inspect

import typer

from spectronorm.cli.options import JsonOption
from spectronorm.cli.run import guarded, print_json
from spectronorm.cli.terminal import say
from spectronorm.interop.statistics import STATISTICS_FORMATS

_EXAMPLES = """
**Examples**

    spectronorm formats

    spectronorm formats --json
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("formats", epilog=_EXAMPLES)(guarded(formats_command))


def formats_command(json: JsonOption = False) -> None:
    """List the formats that import and export know, with the convention of each."""
    found = {
        name: {
            "about": (inspect.getdoc(cls) or "").partition("\n")[0],
            "convention": cls.convention,
            "ddof": cls.ddof,
            "least_std": cls.least_std,
            "counts": cls.counts,
            "additive": cls.additive,
            "names_front_end": cls.marks,
            "preset": cls.preset,
            "remarks": list(cls.lacks),
        }
        for name, cls in STATISTICS_FORMATS.classes().items()
    }
    if json:
        print_json(found)
        return
    for name, about in found.items():
        floor = f"std at least {about['least_std']:g}" if about["least_std"] else "no floor"
        holds = "sums and a count" if about["additive"] else "a count" if about["counts"] else "no count"
        say(f"{name:<11} {about['about']}\n{'':<11} {about['convention']}; ddof {about['ddof']}, {floor}, {holds}")
        for remark in STATISTICS_FORMATS.find(name).lacks:
            say(f"{'':<11} {remark}")
