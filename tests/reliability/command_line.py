"""The command line as data: every command with its parameters, and one run of it in this process."""

from __future__ import annotations

import inspect
import io
import types
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from typing import Any, Union, get_args, get_origin
from unittest.mock import patch

import typer

from spectronorm.cli.app import app
from spectronorm.cli.commands import add_commands
from spectronorm.cli.front_end import slot_options

EXIT_CODES = (0, 1, 2, 3, 130)


@dataclass(frozen=True)
class Parameter:
    """One argument or option of a command."""

    name: str
    flag: str
    kind: type
    several: bool
    required: bool
    info: Any

    @property
    def is_argument(self) -> bool:
        """True if it has no flag."""
        return not self.flag

    @property
    def of_front_end(self) -> bool:
        """True if the front end's own settings say what it may be."""
        return self.info.rich_help_panel == "Front end"


def commands() -> dict[str, list[Parameter]]:
    """Every command's parameters, by the words that call it."""
    waiting: list[tuple[str, typer.Typer]] = [("", add_commands(typer.Typer()))]
    found: dict[str, list[Parameter]] = {}
    while waiting:
        words, here = waiting.pop()
        for one in here.registered_commands:
            assert one.callback is not None
            found[f"{words} {one.name}".strip()] = list(_parameters(one.callback))
        for group in here.registered_groups:
            assert group.typer_instance is not None
            waiting.append((f"{words} {group.name}".strip(), group.typer_instance))
    return dict(sorted(found.items()))


def _parameters(callback: Any) -> Iterator[Parameter]:
    for parameter in inspect.signature(callback, eval_str=True).parameters.values():
        if parameter.annotation is typer.Context:
            continue
        kind, info = get_args(parameter.annotation)
        if get_origin(kind) in (Union, types.UnionType):
            kind = next(one for one in get_args(kind) if one is not type(None))
        several = get_origin(kind) is list
        flag = ""
        if isinstance(info, typer.models.OptionInfo):
            long = [text for text in info.param_decls or () if text.startswith("--")]
            flag = long[0].split("/")[0] if long else f"--{parameter.name.replace('_', '-')}"
        yield Parameter(
            parameter.name,
            flag,
            get_args(kind)[0] if several else kind,
            several,
            parameter.default is inspect.Parameter.empty,
            info,
        )


@dataclass(frozen=True)
class Ended:
    """End of a run: its exit code, or the exception that it let through, and what it printed."""

    exit_code: int | None
    exception: BaseException | None
    output: str

    @property
    def complaint(self) -> str:
        """What is wrong with it: empty if it ended as every run must."""
        if self.exception is not None:
            return f"{type(self.exception).__name__}: {self.exception}"
        if self.exit_code not in EXIT_CODES:
            return f"exit code {self.exit_code}"
        return "a traceback" if "Traceback" in self.output else ""


def run(arguments: list[str]) -> Ended:
    """One run of the command line in this process; the commands are built once."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2)]
    code: int | None = 0
    raised: BaseException | None = None
    nothing = io.TextIOWrapper(io.BytesIO())
    with redirect_stdout(streams[0]), redirect_stderr(streams[1]), patch("sys.stdin", nothing):
        try:
            _command()(arguments, prog_name="spectronorm")
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
        except BaseException as error:
            code, raised = None, error
    printed = (stream.buffer.getvalue().decode("utf-8", "replace") for stream in streams)  # type: ignore[attr-defined]
    return Ended(code, raised, "".join(printed))


@cache
def _command() -> Any:
    return typer.main.get_command(app)


SLOT_OPTIONS = slot_options()
COMMANDS = commands()
