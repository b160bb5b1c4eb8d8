"""The `spectronorm` command and its subcommands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from spectronorm.cli.commands import CommandsOnFirstUse, with_summary
from spectronorm.cli.warnings_as_notes import note_warnings
from spectronorm.printable import printable
from spectronorm.standard_streams import prepare_streams
from spectronorm.version import __version__

_UNSET = re.compile(r"(--[a-z][a-z-]*=)?")


class _Commands(TyperGroup):
    """Commands that are imported once they are called; names in messages about the command line are escaped too."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = CommandsOnFirstUse()
        self._lists = False

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands."""
        del ctx
        return list(self.commands)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command; while the commands are listed, one that has a summary only."""
        return with_summary(cmd_name) if self._lists else super().get_command(ctx, cmd_name)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help without importing a command."""
        self._lists = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._lists = False

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
            error.message = printable(f"{message}{_several_sources(message)}", keep="\n")  # type: ignore[attr-defined]
        raise


def _several_sources(message: str) -> str:
    """Advice if files are given after the source, as a shell does with a pattern without quotes."""
    extra = re.match(r"Got unexpected extra arguments? ?(?:\(s\) )?\((\S+)", message)
    if extra is None or not _is_there(extra[1].rstrip(")")):
        return ""
    return ". One source is taken: a folder, a table, or a pattern in quotes, such as 'sounds/*.wav'"


def _is_there(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # too long for a name, or with a zero byte
        return False


app = typer.Typer(
    cls=_Commands,
    name="spectronorm",
    help="Measure, normalize and apply spectrograms: once, exactly, identically everywhere.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
