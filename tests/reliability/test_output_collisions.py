"""Outputs that would have one name: each gets its own, and the index lists what stands there."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from .attack import tree
from .command_line import run
from .conftest import write_clips

FRONT_END = ["--sample-rate", "8000", "--n-fft", "256", "--n-mels", "20"]


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """Clips named as sheets, as folders of other clips, and in labels that make one file name."""
    source = write_clips(tmp_path / "src", 4)
    one = source / "high" / "000.wav"
    for name in ("sheet-all.wav", "sheet-high.wav", "high/x.wav", "high/x.png/y.wav", "high/x.npy/z.wav", "x.wav"):
        (source / name).parent.mkdir(exist_ok=True)
        shutil.copy(one, source / name)
    for label in ("a:b", "a|b", "sheet-high.png"):
        (source / label).mkdir()
        shutil.copy(one, source / label / "1.wav")
    ended = run(["fit", str(source), "-o", str(tmp_path / "p.st"), *FRONT_END])
    assert ended.exit_code == 0, ended.output
    return source


def listed(folder: Path) -> list[str]:
    """The outputs that the index lists."""
    with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
        return [row["path"] for row in csv.DictReader(file)]


def test_sheets_replace_no_image(odd: Path, tmp_path: Path) -> None:
    """Each clip has an image, each label a sheet; a second run keeps all, and every image becomes sound again."""
    command = ["images", str(odd), "-p", str(tmp_path / "p.st"), "-o", str(tmp_path / "out"), "--sheet"]
    for _ in range(2):
        ended = run(command)
        assert ended.exit_code == 0, ended.output
        names = listed(tmp_path / "out")
        assert len(names) == len(set(names)) == 13
        assert set(names) <= tree(tmp_path / "out").keys()
    sheets = {name for name in tree(tmp_path / "out") if name.startswith("sheet-") and "/" not in name} - set(names)
    assert len(sheets) == 6
    ended = run(["invert", str(tmp_path / "out"), "-o", str(tmp_path / "sounds"), "--quality", "fast"])
    assert ended.exit_code == 0, ended.output
    assert len(tree(tmp_path / "sounds")) == 13


def test_a_clip_named_as_the_folder_of_another_ends_nothing(odd: Path, tmp_path: Path) -> None:
    """`x.npy` is a folder of the source and the name of another clip's array."""
    arguments = [str(odd), "-p", str(tmp_path / "p.st"), "--normalize", "band", "-o", str(tmp_path / "out")]
    ended = run(["apply", *arguments])
    assert ended.exit_code == 0, ended.output
    names = listed(tmp_path / "out")
    assert len(names) == len(set(names)) == 13
    assert all(np.load(tmp_path / "out" / name).shape[0] == 20 for name in names)
