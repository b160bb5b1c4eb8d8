"""The `spectronorm` command and its subcommands."""

from __future__ import annotations

import typer

from spectronorm.cli import (
    apply,
    check,
    compare,
    datasets,
    demo,
    explain,
    fit,
    gan,
    images,
    invert,
    presets,
    round_trip,
    show,
    update,
    watch,
)
from spectronorm.version import __version__

app = typer.Typer(
    name="spectronorm",
    help="Measure, normalize and apply spectrograms: once, exactly, identically everywhere.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS = (
    fit,
    show,
    apply,
    check,
    images,
    invert,
    round_trip,
    gan,
    presets,
    explain,
    compare,
    watch,
    update,
    datasets,
    demo,
)
for module in COMMANDS:
    module.register(app)


@app.callback(invoke_without_command=True)
def _version(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
    if version:
        typer.echo(f"spectronorm {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line."""
    app()
