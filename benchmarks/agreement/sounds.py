"""The sounds that presets and their origins are compared on."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.float32]
SECONDS = 1.024
CLIPS = ("1-100032-A-0", "2-100786-A-1", "3-104632-A-12", "4-125929-A-40", "5-151085-A-20")
"""ESC-10's first clip of each fold or near it: a dog, a rooster, fire, a helicopter and a baby."""


def synthetic(sample_rate: int) -> Wave:
    """A rising tone over faint noise, then a click, then digital silence, then loud noise: 1.024 s in [-1, 1]."""
    samples = round(SECONDS * sample_rate)
    t = np.arange(samples) / sample_rate
    noise = np.random.default_rng(20_190).standard_normal(samples)
    wave = 0.4 * np.sin(2 * np.pi * (100 + 0.3 * sample_rate * t) * t) + 1e-3 * noise
    wave[samples // 2 :] = 0.0
    wave[samples * 3 // 5] = 0.9
    wave[samples * 4 // 5 :] = 0.2 * noise[samples * 4 // 5 :]
    return np.clip(wave, -1, 1).astype(np.float32)


def real(sample_rate: int) -> dict[str, Wave]:
    """The loudest 1.024 s of real recordings by name, from the folder that SPECTRONORM_DATA names, if it names one."""
    folder = os.environ.get("SPECTRONORM_DATA")
    if not folder or not (Path(folder) / "esc10").is_dir():
        return {}
    from spectronorm.audio import read_clip  # noqa: PLC0415 - the synthetic sound needs no spectronorm

    audio = Path(folder) / "esc10" / "audio"
    return {name: _loudest(read_clip(audio / f"{name}.ogg", sample_rate).samples, sample_rate) for name in CLIPS}


def _loudest(wave: Wave, sample_rate: int) -> Wave:
    """The 1.024 s with the most energy, on a grid of tenths of a second: many clips begin or end in digital silence."""
    samples, step = round(SECONDS * sample_rate), sample_rate // 10
    starts = range(0, len(wave) - samples + 1, step)
    energies = [float(np.sum(wave[start : start + samples].astype(np.float64) ** 2)) for start in starts]
    start = starts[int(np.argmax(energies))]
    return wave[start : start + samples]
