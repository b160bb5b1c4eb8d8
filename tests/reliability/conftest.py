"""Data sets that the attacks are made on."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

import spectronorm as sn
from spectronorm.passes import units

from .bad_inputs import tone


def write_clips(folder: Path, count: int, seconds: float = 0.25, rate: int = 8_000) -> Path:
    """Good clips of slightly different lengths, in two labels."""
    for index in range(count):
        path = folder / ("low" if index % 2 else "high") / f"{index:03}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, tone(seconds + 0.01 * (index % 5), rate, seed=index), rate, subtype="PCM_16")
    return folder


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Forty short good clips at 8 kHz."""
    return write_clips(tmp_path / "clips", 40)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten clips and the profile that every run must give."""
    root = tmp_path_factory.mktemp("world")
    write_clips(root / "src", 10)
    front_end = sn.FrontEnd(8000, stft=sn.STFT(n_fft=256), bands=sn.Mel(20))
    sn.fit(root / "src", front_end, engine=sn.engines.ThreadEngine(1)).save(root / "p.st")
    return root


@pytest.fixture(autouse=True)
def small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few clips in a unit of work that forty make several."""
    monkeypatch.setattr(units, "CLIPS_IN_UNIT", 8)
