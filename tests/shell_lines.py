"""Command lines of help and documentation, run as they stand."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spectronorm.cli.app import app

INTERRUPTED = 130
_AT_MOST = 900.0
"""Seconds after which a program that says nothing is ended; no test depends on them."""
ENDED_AFTER: Mapping[str, str] = {
    r"spectronorm explore ": "(Ctrl-C ends)",
    r"spectronorm watch (?!-)(?!.*--once)": "left out",
    r"spectronorm gan train (?!.*--device cuda)": "training (steps): ",
}
"""Commands that run until they are interrupted, or for hours, and the output after which Ctrl-C ends them."""
ARECORD = """#!{python}
import sys
import numpy as np
noise = np.random.default_rng(0).integers(-3000, 3000, 16_000 * 11, np.int16)
sys.stdout.buffer.write(noise.tobytes())
"""
PROGRAM = '#!/bin/sh\nexec {python} -m spectronorm "$@"\n'


@dataclass(frozen=True)
class Done:
    """A command's exit code and all that it said."""

    code: int
    output: str


def may_be_interrupted(line: str) -> bool:
    """Tell if a command is ended by Ctrl-C."""
    return any(re.match(pattern, line) for pattern in ENDED_AFTER)


def joined(block: str) -> list[str]:
    """Return the command lines of a block: comments left out, continued lines joined to the line before."""
    text = re.sub(r"\\\n *|\n +(?=\S)", " ", block)
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def programs(folder: Path) -> Path:
    """Make a folder with `spectronorm`, a browser that shows nothing, and a microphone that hears noise."""
    folder.mkdir()
    for name, text in (("spectronorm", PROGRAM), ("arecord", ARECORD), ("browser", "#!/bin/sh\nexit 0\n")):
        (folder / name).write_text(text.format(python=sys.executable))
        (folder / name).chmod(0o755)
    return folder


def run_line(line: str, bin_folder: Path) -> Done:
    """Run a command line in the current folder: in a shell if it needs one, and until its first output if it waits."""
    if may_be_interrupted(line):
        text = next(text for pattern, text in ENDED_AFTER.items() if re.match(pattern, line))
        return _ended(line, text, bin_folder)
    if re.search(r"[|<>]|^(?!spectronorm )", line.partition("  #")[0]):
        done = subprocess.run(
            ["/bin/bash", "-o", "pipefail", "-c", line],
            env=_environment(bin_folder),
            capture_output=True,
            text=True,
            check=False,
        )
        return Done(done.returncode, done.stdout + done.stderr)
    words = shlex.split(line, comments=True)[1:]
    arguments = [name for word in words for name in (sorted(map(str, Path().glob(word))) if "*" in word else [word])]
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "300"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(result.exit_code, result.output)


def _environment(bin_folder: Path) -> dict[str, str]:
    path = f"{bin_folder}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "BROWSER": str(bin_folder / "browser"), "PYTHONUNBUFFERED": "1"}


def _ended(line: str, text: str, bin_folder: Path) -> Done:
    """Run a program until it says the text, and interrupt it."""
    if (port := re.search(r"--port (\d+)", line)) is not None:
        _skip_if_taken(int(port[1]))
    words = [sys.executable, "-m", *shlex.split(line, comments=True)]
    said = ""
    with subprocess.Popen(
        words,
        env=_environment(bin_folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=_heed_interrupts,  # noqa: PLW1509
    ) as running:
        assert running.stdout is not None
        late = threading.Timer(_AT_MOST, running.kill)
        late.start()
        for one in running.stdout:
            said += one
            if text in one:
                running.send_signal(signal.SIGINT)
                text = "\0"  # once
        late.cancel()
    assert text == "\0", said
    return Done(running.returncode, said)


def _heed_interrupts() -> None:
    """Undo what a shell does to programs in the background, which ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _skip_if_taken(port: int) -> None:
    import socket  # noqa: PLC0415

    with socket.socket() as one:
        if one.connect_ex(("127.0.0.1", port)) == 0:
            pytest.skip(f"port {port} is taken on this machine")
