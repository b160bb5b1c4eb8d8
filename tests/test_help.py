"""The help of every command is whole on a narrow terminal, and each of its examples is a command line that parses."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

import spectronorm.cli.commands
from spectronorm.cli.app import app
from spectronorm.cli.commands import COMMANDS as LISTED
from spectronorm.cli.commands import add_commands


def commands(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each command with its name."""
    yield name.strip(), command
    for child, subcommand in getattr(command, "commands", {}).items():
        yield from commands(subcommand, f"{name} {child}")


COMMANDS = dict(commands(get_command(app)))


def examples(command: Any) -> list[str]:
    """Return the examples that follow a command's help, with their continued lines joined."""
    lines = re.sub(r"\n {6,}", " ", command.epilog or "").splitlines()
    return [line.strip() for line in lines if line.startswith("    ")]


EXAMPLES = list(dict.fromkeys(line for command in COMMANDS.values() for line in examples(command)))


def help_at(name: str, columns: int) -> str:
    """Return the help of a command on a terminal of this width."""
    result = CliRunner().invoke(app, [*name.split(), "--help"], env={"COLUMNS": str(columns), "TERM": "dumb"})
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_not_cut(name: str) -> None:
    """On 80 columns nothing is shortened by an ellipsis that is not there on 400."""
    assert help_at(name, 80).count("…") == help_at(name, 400).count("…")


def test_the_list_of_commands_says_what_each_help_begins_with() -> None:
    """The table from which commands are listed has every command of every module, with its first paragraph."""
    found = {name: one.help.split("\n\n")[0] for name, one in get_command(add_commands(typer.Typer())).commands.items()}
    assert found == {name: summary for name, (_, summary) in LISTED.items()}
    folder = Path(spectronorm.cli.commands.__file__).parent
    modules = {path.stem for path in folder.glob("*.py") if "\ndef register(" in path.read_text()}
    assert modules == {module for module, _ in LISTED.values()}


def test_every_command_has_examples() -> None:
    """Each command that does something ends its help with an example."""
    assert [name for name, one in COMMANDS.items() if not isinstance(one, TyperGroup) and not examples(one)] == []


@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_is_a_command_line(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, arguments, options and values of an example are those of its command."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ESC-50-33c8ce9.zip").touch()
    text = re.sub(r"^[A-Z_]+=\S+ |(?<= )> \S+$", "", line.rsplit("|", maxsplit=1)[-1])
    program, *arguments = shlex.split(text, comments=True)
    assert program == "spectronorm"
    command: Any = get_command(app)
    while isinstance(command, TyperGroup):
        command = command.commands[arguments.pop(0)]
    assert command.make_context(program, arguments).params
