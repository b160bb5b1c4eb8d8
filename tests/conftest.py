"""What several tests share: real recordings where they are, and audio files made on the spot."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import settings

import spectronorm as sn

settings.register_profile("spectronorm", deadline=None, max_examples=50)
settings.load_profile("spectronorm")

Write = Callable[..., Path]


@pytest.fixture(scope="session")
def esc10() -> Path:
    """The folder of ESC-10, or a skip where there are no real recordings."""
    folder = Path(os.environ.get("SPECTRONORM_DATA", "")) / "esc10"
    if not os.environ.get("SPECTRONORM_DATA") or not folder.is_dir():
        pytest.skip("SPECTRONORM_DATA names no folder with esc10")
    return folder


@pytest.fixture(scope="session")
def esc10_profile(esc10: Path) -> sn.Profile:
    """ESC-10 measured with the first post's front end."""
    return sn.fit(esc10, sn.preset("fastaudio"))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes samples to a file below the test's folder."""

    def write_file(name: str, samples: object, sample_rate: int = 16_000, **options: object) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.asarray(samples), sample_rate, **options)
        return path

    return write_file


@pytest.fixture
def noise_folder(tmp_path: Path) -> Path:
    """A folder of 12 short noises in two labels, of lengths and levels that differ."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "noises"
    for index in range(12):
        label = folder / ("high" if index % 2 else "low")
        label.mkdir(parents=True, exist_ok=True)
        samples = 0.02 * (index + 1) * rng.standard_normal(4000 + 500 * index)
        soundfile.write(label / f"{index:02d}.wav", np.clip(samples, -1, 1), 16_000)
    return folder


@pytest.fixture
def noise_table(noise_folder: Path) -> Path:
    """The same noises as a table with label, fold and split."""
    rows = ["path,label,fold,split"]
    for index, path in enumerate(sorted(noise_folder.rglob("*.wav"))):
        split = "test" if index % 4 == 3 else "train"
        rows.append(f"{path.relative_to(noise_folder)},{path.parent.name},{index % 3 + 1},{split}")
    table = noise_folder / "noises.csv"
    table.write_text("\n".join(rows) + "\n")
    return table
