"""What the README shows runs as it stands."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from spectronorm.cli.app import app
from spectronorm.demo.dataset import make_dataset

README = (Path(__file__).parents[1] / "README.md").read_text()


def code(language: str) -> list[str]:
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)
    return blocks


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the data set that the README calls sounds."""
    make_dataset(tmp_path / "sounds")
    return tmp_path


def test_the_python_runs(folder: Path) -> None:
    """The five lines give a normalized spectrogram."""
    (text,) = code("python")
    text = text.replace('fit("sounds/", front_end)', 'fit("sounds/", front_end, max_bad=0.05)')
    done = subprocess.run(
        [sys.executable, "-c", text + "\nprint(x.shape)"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("(64, ")


def test_the_shell_runs(folder: Path) -> None:
    """Each of the five commands succeeds, one after the other."""
    for line in code("sh")[0].splitlines():
        command, *arguments = shlex.split(line, comments=True)
        assert command == "spectronorm"
        run = [sys.executable, "-c", "from spectronorm.cli import main; main()", *arguments]
        done = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert (folder / "features" / "pipeline.safetensors").is_file()


def test_the_other_commands_are_commands() -> None:
    """Each of the rest has the name, arguments and options that the README gives it."""
    (rest,) = code("sh")[1:]
    for line in rest.splitlines():
        program, *arguments = shlex.split(line, comments=True)
        assert program == "spectronorm"
        command = get_command(app)
        while isinstance(command, TyperGroup):
            command = command.commands[arguments.pop(0)]
        assert command.make_context(program, arguments).params
