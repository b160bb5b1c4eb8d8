"""The `spectronorm` command and its subcommands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

from spectronorm.cli import (
    apply,
    audit,
    check,
    compare,
    datasets,
    demo,
    describe,
    explain,
    explore,
    export_statistics,
    fit,
    formats,
    gan,
    images,
    import_statistics,
    inspect,
    invert,
    plot,
    plugins,
    presets,
    round_trip,
    sensitivity,
    show,
    update,
    warm,
    watch,
)
from spectronorm.cli.run import note_warnings
from spectronorm.cli.terminal import prepare_streams
from spectronorm.printable import printable
from spectronorm.version import __version__

_UNSET = re.compile(r"(--[a-z][a-z-]*=)?")


class _Commands(TyperGroup):
    """The commands; in messages about the command line itself names are escaped too."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        with _escaped():
            return super().make_context(info_name, args, parent, **extra)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse an empty text: it comes from a variable that is not set, and would mean this very folder."""
        for before, text in zip(["", *args], args, strict=False):
            if _UNSET.fullmatch(text):
                where = f"{before or text} is followed by" if before.startswith("-") or not text else f"{text} has"
                ctx.fail(f"{where} an empty text: is a variable not set?")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        with _escaped():
            return super().invoke(ctx)


@contextmanager
def _escaped() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # click's own, which some versions of typer bring along
        message = getattr(error, "message", None)
        if isinstance(message, str) and hasattr(error, "format_message"):
            error.message = printable(message, keep="\n")  # type: ignore[attr-defined]
        raise


app = typer.Typer(
    cls=_Commands,
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
    inspect,
    images,
    invert,
    round_trip,
    gan,
    presets,
    plot,
    explore,
    plugins,
    explain,
    import_statistics,
    export_statistics,
    formats,
    audit,
    describe,
    compare,
    sensitivity,
    watch,
    update,
    datasets,
    demo,
    warm,
)
for module in COMMANDS:
    module.register(app)


@app.callback(invoke_without_command=True)
def _version(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
    prepare_streams()
    if version:
        typer.echo(f"spectronorm {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line."""
    prepare_streams()
    note_warnings()
    app()
