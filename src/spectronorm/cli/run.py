"""Behaviour shared by all commands: errors as exit codes, progress bars, JSON output.

Exit codes: 0 done, 1 failed, 2 misuse, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import functools
import inspect
import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from spectronorm.audio import Source
from spectronorm.audio.oddities_of_sources import listed_twice
from spectronorm.cli.progress_lines import ProgressLines
from spectronorm.cli.terminal import complain, warn
from spectronorm.errors import ArgumentError, SpectronormError
from spectronorm.profile import BadFile
from spectronorm.storage.replacement import overwriting, protecting

Command = TypeVar("Command", bound=Callable[..., Any])

FAILED, MISUSE, INTERRUPTED = 1, 2, 130
_OUTPUTS = ("output", "plot", "report", "save_profile", "state", "exclude", "html")
"""Names of the command arguments that determine the output."""
_Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace files that spectronorm did not write; inputs are never replaced.")
]


def guarded(command: Command) -> Command:
    """Wrap the command, so that spectronorm's errors are printed in one line and become exit codes."""

    @functools.wraps(command)
    def run(*args: Any, **settings: Any) -> Any:
        try:
            _require_finite_options(settings)
            return command(*args, **settings)
        except SpectronormError as error:
            complain(error)
            raise typer.Exit(MISUSE if isinstance(error, ArgumentError) else FAILED) from None
        except BrokenPipeError:
            sys.stderr.close()
            raise typer.Exit(FAILED) from None
        except OSError as error:
            complain(error if _in_a_folder() else f"{error}: the working directory was deleted; change to another one")
            raise typer.Exit(FAILED) from None
        except MemoryError as error:
            complain(f"out of memory ({error or 'none left'}); ask for less at once")
            raise typer.Exit(FAILED) from None
        except KeyboardInterrupt:
            complain("stopped; nothing half-written is left")
            raise typer.Exit(INTERRUPTED) from None

    return run  # type: ignore[return-value]


def _in_a_folder() -> bool:
    """Tell if the working directory still exists."""
    try:
        Path.cwd()
    except OSError:
        return False
    return True


def _require_finite_options(settings: Mapping[str, Any]) -> None:
    """Refuse nan and inf, which pass any comparison with bounds or mean nothing."""
    for name, value in settings.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ArgumentError(f"--{name.replace('_', '-')} {value} must be a finite number")


def writing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option `--overwrite` to a command, and protect every input given to it."""
    own = inspect.signature(command, eval_str=True).parameters
    option = inspect.Parameter("overwrite", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_Overwrite)

    @functools.wraps(command)
    def run(*, overwrite: bool = False, **settings: Any) -> Any:
        given = [value for name, value in settings.items() if name not in _OUTPUTS]
        listed = [one for value in given for one in (value if isinstance(value, list) else [value])]
        with overwriting(overwrite), protecting(one for one in listed if isinstance(one, str | Path)):
            return command(**settings)

    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own.values()]
    run.__signature__ = inspect.Signature([*parameters, option])  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*parameters, option)}
    return run


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr with rate and remaining time, or plain lines if stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield ProgressLines(what, lambda line: typer.echo(line, err=True))
        return
    from spectronorm.cli.drawn_bar import drawn_bar  # rich takes long to import

    with drawn_bar(what) as update:
        yield update


def print_json(value: Any) -> None:
    """Print one JSON object on stdout."""
    typer.echo(json.dumps(_encodable(value), allow_nan=False))


def _encodable(value: Any) -> Any:
    """Plain values whose texts can be encoded: a byte of a name that is not UTF-8 becomes an escape."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {_encodable(key): _encodable(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(one) for one in value]
    return value


def warn_left_out(bad: Iterable[BadFile]) -> None:
    """Return a remark for each file that was left out."""
    for file in bad:
        warn(f"left out {file}")


def note_unread(source: Source) -> Source:
    """Say how many files of a folder are not read, by suffix, and which clips are listed twice; gives the source."""
    twice = listed_twice(source.clips)
    if twice:
        clips = "1 clip has" if len(twice) == 1 else f"{len(twice)} clips have"
        warn(f"{clips} the sound of an earlier clip, such as {twice[0].name}; each is counted")
    entries = {kind: count for kind, count in source.unread.items() if kind[0] not in ".("}
    if entries:
        warn(f"left out of the manifest: {', '.join(f'{count} {kind}' for kind, count in entries.items())}")
    unread = {suffix: count for suffix, count in source.unread.items() if suffix not in entries}
    if unread:
        total = sum(unread.values())
        listed = ", ".join(f"{count} {suffix}" for suffix, count in list(unread.items())[:8])
        files = "1 file of the folder is" if total == 1 else f"{total} files of the folder are"
        advice = "unknown formats; convert the sounds among them to WAV or FLAC, or levels to .npy"
        warn(f"{files} not read: {listed} ({advice})")
    return source
