"""`spectronorm plot`: picture of one clip under several normalizations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spectronorm.cli.run import guarded, writing
from spectronorm.cli.terminal import say
from spectronorm.display.figure import save_figure
from spectronorm.errors import ArgumentError
from spectronorm.profile import Profile
from spectronorm.report.normalizations import NORMALIZATIONS, compare_normalizations

_EXAMPLES = """
**Examples**

    spectronorm plot dog.wav -p sounds.safetensors -o dog.png

    spectronorm plot dog.wav -p sounds.safetensors --normalize none,band -o dog.png
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plot", epilog=_EXAMPLES)(guarded(writing(plot_command)))


def plot_command(
    *,
    clip: Annotated[Path, typer.Argument(help="An audio file.")],
    profile: Annotated[Path, typer.Option("--profile", "-p", help="A profile.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.png", help="Picture to write.")],
    normalize: Annotated[
        str, typer.Option(metavar="NAMES", help="Names of normalizers, separated by commas.")
    ] = ",".join(NORMALIZATIONS),
) -> None:
    """Draw one clip's spectrogram under several normalizations, in Hz and seconds."""
    names = [name for name in normalize.split(",") if name]
    if output.suffix.lower() != ".png":
        raise ArgumentError(f"{output}: the picture is a PNG file; choose a name that ends in .png")
    save_figure(compare_normalizations(clip, Profile.load(profile), names), output)
    say(str(output))
