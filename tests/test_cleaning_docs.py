"""docs/cleaning.md: its commands and its Python run as they stand, and it has a row for every kind."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from spectronorm.cleaning import Oddity
from spectronorm.cleaning.limits import BOUNDS

PAGE = (Path(__file__).parents[1] / "docs" / "cleaning.md").read_text()
RATE = 16_000


def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command ends with 0, or with 1 where something is odd, and leaves what the next one reads."""
    pytest.importorskip("jinja2")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for number in range(6):
        path = tmp_path / "sounds" / ("dog", "cat")[number % 2] / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * rng.standard_normal(RATE) if number else np.zeros(RATE), RATE)
    shutil.copytree(tmp_path / "sounds" / "cat", tmp_path / "test")
    for block in re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL):
        for line in block.splitlines():
            program, *arguments = shlex.split(line)
            run = [sys.executable, "-m", program, *arguments]
            done = subprocess.run(run, capture_output=True, text=True, check=False)
            odd = arguments[0] in ("inspect", "check") and "--exclude" not in arguments and "label=dog" not in arguments
            assert done.returncode == (1 if odd else 0), f"{line}\n{done.stderr}"
    assert len((tmp_path / "clean.csv").read_text().splitlines()) == 6
    (tmp_path / "clean.csv").unlink()
    for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(block, {})  # noqa: S102
    assert (tmp_path / "clean.csv").exists()


@pytest.mark.parametrize("kind", Oddity)
def test_every_kind_is_told(kind: Oddity) -> None:
    """The table has a row for each kind."""
    assert f"`{kind.value}`" in PAGE


@pytest.mark.parametrize("limit", BOUNDS)
def test_every_limit_is_told(limit: str) -> None:
    """The table has each limit's option."""
    assert f"`--{limit.replace('_', '-')} " in PAGE
