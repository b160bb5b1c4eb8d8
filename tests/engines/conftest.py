"""One Dask cluster for all of these tests, and data sets in several units."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

import spectronorm as sn
from spectronorm.passes import units

FRONT_END = sn.FrontEnd(sample_rate=8_000, stft=sn.STFT(n_fft=256), bands=sn.Mel(20))


@pytest.fixture(scope="session")
def dask() -> Iterator[sn.engines.DaskEngine]:
    """Two workers on this machine."""
    pytest.importorskip("distributed")
    with sn.engines.DaskEngine(workers=2) as engine:
        yield engine


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Sixty short noises in two labels, and one file that is none."""
    generator = np.random.default_rng(0)
    folder = tmp_path / "clips"
    for index in range(60):
        label = folder / ("high" if index % 2 else "low")
        label.mkdir(parents=True, exist_ok=True)
        wave = 0.01 * (1 + index % 9) * generator.standard_normal(2_000 + 100 * index)
        soundfile.write(label / f"{index:03}.wav", wave, 8_000)
    (folder / "low" / "none.wav").write_bytes(b"no audio")
    return folder


@pytest.fixture(autouse=True)
def small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few clips in a unit of work, so that sixty make many."""
    monkeypatch.setattr(units, "CLIPS_IN_UNIT", 4)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
