"""What every command shares: errors become exit codes, long work shows a bar, machines get JSON.

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

from spectronorm.audio import Source
from spectronorm.errors import ArgumentError, SpectronormError

Command = TypeVar("Command", bound=Callable[..., Any])

FAILED, MISUSE, INTERRUPTED = 1, 2, 130


def guarded(command: Command) -> Command:
    """The command with spectronorm's errors printed in one line each, as exit codes."""

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
            print("spectronorm: stopped; nothing half-written is left", file=sys.stderr)  # noqa: T201
            raise typer.Exit(INTERRUPTED) from None

    return run  # type: ignore[return-value]


class _Rate(ProgressColumn):
    """How many items get done a second."""

    def render(self, task: Task) -> Text:
        """The rate, once it is known."""
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr with rate and time left; silent when stderr is no terminal."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def print_json(value: Any) -> None:
    """One JSON object on stdout."""
    typer.echo(json.dumps(value, allow_nan=False))


def note_unread(source: Source) -> Source:
    """Say how many files of a folder are not read, by suffix; gives the source."""
    if source.unread:
        total = sum(source.unread.values())
        listed = ", ".join(f"{count} {suffix}" for suffix, count in list(source.unread.items())[:8])
        files = "1 file of the folder is" if total == 1 else f"{total} files of the folder are"
        warn(f"{files} not read: {listed} (unknown formats; convert the sounds among them to WAV or FLAC)")
    return source


def warn(text: str) -> None:
    """A remark on stderr, for people."""
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(f"note: {text}", style="yellow")
