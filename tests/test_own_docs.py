"""What the pages on foreign spectrograms and on stereo show runs as it stands."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from tests.doc_blocks import code

import spectronorm as sn


def run_shell(block: str, folder: Path) -> None:
    for line in block.splitlines():
        program, *arguments = shlex.split(line, comments=True)
        assert program == "spectronorm"
        run = [sys.executable, "-c", "from spectronorm.cli import main; main()", *arguments]
        done = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}\n{done.stderr}"


def test_the_page_on_ones_own_spectrograms_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Description, meter, files and foreign numbers, one after the other."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    loader = [
        (
            rng.normal(-40, 12, (4, 40, 30)).astype(np.float32),
            np.array([30, 20, 9, 25]),
            ["george", "ann", "bob", "ann"],
        )
        for _ in range(5)
    ]
    names: dict[str, Any] = {"loader": loader}
    for block in code("docs/own-spectrograms.md", "python"):
        exec(block, names)  # noqa: S102
    assert names["profile"].clips == 20
    assert abs(names["x"].mean()) < 0.5
    assert "factor=2" in capsys.readouterr().out
    for index, (x, lengths, _) in enumerate(loader):
        for row, (clip, length) in enumerate(zip(x, lengths, strict=True)):
            path = tmp_path / "features" / ("a" if row % 2 else "b") / f"{index}{row}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, clip[:, :length])
    (tmp_path / "levels.json").write_text(names["levels"].to_json())
    shell = code("docs/own-spectrograms.md", "sh")[0]
    check = next(line for line in shell.splitlines() if " check " in line)
    run_shell(shell.replace(check + "\n", ""), tmp_path)
    again = sn.load(tmp_path / "again.safetensors")
    assert np.abs(again.band.mean).max() < 1e-5  # type: ignore[union-attr]
    result = subprocess.run(
        [sys.executable, "-m", *shlex.split(check)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1  # the profile has no groups, so it has measured what was to be unseen
    assert "were measured" in result.stdout


def test_the_page_on_stereo_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stacks in Python and on the command line."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    (tmp_path / "stereo").mkdir()
    for index in range(6):
        soundfile.write(tmp_path / "stereo" / f"{index}.wav", 0.1 * rng.standard_normal((9_000, 2)), 16_000)
    names: dict[str, Any] = {}
    for block in code("docs/stereo.md", "python"):
        exec(block, names)  # noqa: S102
    assert names["x"].shape[:2] == (2, 40)
    run_shell(code("docs/stereo.md", "sh")[0], tmp_path)
    assert len(list((tmp_path / "features").rglob("*.npy"))) == 12


@pytest.mark.parametrize("page", ["own-spectrograms.md", "stereo.md"])
def test_the_snippets_are_short(page: str) -> None:
    """A job is done in less than ten lines."""
    assert max(len(block.strip().splitlines()) for block in code(f"docs/{page}", "python")) < 10
