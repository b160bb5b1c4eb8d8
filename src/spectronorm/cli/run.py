"""Behaviour shared by all commands: errors as exit codes, progress bars, JSON output.

Exit codes: 0 done, 1 failed, 2 misuse, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from spectronorm.errors import ArgumentError, SpectronormError

Command = TypeVar("Command", bound=Callable[..., Any])

FAILED, MISUSE, INTERRUPTED = 1, 2, 130


def guarded(command: Command) -> Command:
    """Wrap the command, so that spectronorm's errors are printed in one line and become exit codes."""

    @functools.wraps(command)
    def run(*args: Any, **settings: Any) -> Any:
        try:
            return command(*args, **settings)
        except SpectronormError as error:
            print(f"spectronorm: {error}", file=sys.stderr)  # noqa: T201
            raise typer.Exit(MISUSE if isinstance(error, ArgumentError) else FAILED) from None
        except BrokenPipeError:
            sys.stderr.close()
            raise typer.Exit(FAILED) from None
        except OSError as error:
            print(f"spectronorm: {error}", file=sys.stderr)  # noqa: T201
            raise typer.Exit(FAILED) from None
        except KeyboardInterrupt:
            print("spectronorm: stopped; no partial output is left", file=sys.stderr)  # noqa: T201
            raise typer.Exit(INTERRUPTED) from None

    return run  # type: ignore[return-value]


class _Rate(ProgressColumn):
    """Number of items done in a second."""

    def render(self, task: Task) -> Text:
        """Return the rate, once it is known."""
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr with rate and remaining time; silent if stderr is not a terminal."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def print_json(value: Any) -> None:
    """Print one JSON object on stdout."""
    typer.echo(json.dumps(value, allow_nan=False))


def warn(text: str) -> None:
    """Print a note on stderr."""
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(f"note: {text}", style="yellow")
