"""Printing for people: names cannot give orders to the terminal, and no encoding ends a command."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from spectronorm.printable import printable
from spectronorm.standard_streams import descriptor_of

if TYPE_CHECKING:
    from rich.console import Console


def say(text: str = "", *, beside: Path | None = None) -> None:
    """Print lines on stdout, or on stderr if the output `beside` is written to stdout itself."""
    stream = sys.stderr if beside is not None and descriptor_of(beside) == 1 else sys.stdout
    print(printable(text, keep="\n"), file=stream, flush=True)


def warn(text: str) -> None:
    """Print a remark on stderr."""
    console(stderr=True).print(printable(f"note: {text}"), style="yellow", soft_wrap=True)


def complain(text: object) -> None:
    """Print why a command ends, on stderr."""
    keep = "\n"
    print(f"spectronorm: {printable(text, keep)}", file=sys.stderr, flush=True)  # noqa: T201


def console(*, stderr: bool = False) -> Console:
    """A console that prints text as it is: no markup, no emoji names, no colours for numbers."""
    from rich.console import Console  # most commands print nothing that needs it

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)
