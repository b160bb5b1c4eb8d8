"""`spectronorm warm`: kernels compiled ahead."""

from __future__ import annotations

import typer

from spectronorm.cli.options import JsonOption
from spectronorm.cli.run import guarded, print_json, progress_bar
from spectronorm.cli.terminal import say
from spectronorm.passes.warm import warm

_EXAMPLES = """
**Examples**

    spectronorm warm

    NUMBA_CACHE_DIR=/var/cache/spectronorm spectronorm warm
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("warm", epilog=_EXAMPLES)(guarded(warm_command))


def warm_command(json: JsonOption = False) -> None:
    """Compile all kernels in advance, such as in a container image, so that no run has to compile.

    They are kept beside the package if its folder can be written, in the user's cache otherwise, or where
    NUMBA_CACHE_DIR says, for this kind of processor.
    """
    with progress_bar("compiling") as progress:
        seconds = warm(progress)
    if json:
        print_json({"seconds": seconds})
    else:
        say(f"every kernel is compiled or was kept already ({seconds:.1f} s)")
