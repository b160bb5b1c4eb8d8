"""Data sets that the attacks are made on."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

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


@pytest.fixture(autouse=True)
def small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few clips in a unit of work that forty make several."""
    monkeypatch.setattr(units, "CLIPS_IN_UNIT", 8)
