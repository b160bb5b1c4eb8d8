"""Speech-like sounds for tests: espeak-ng's where it is installed, and a synthetic voice everywhere."""

from __future__ import annotations

import io
import shutil
import subprocess

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray


def synthetic_voice(seconds: float = 1.0, sample_rate: int = 16_000, seed: int = 0) -> NDArray[np.float32]:
    """Harmonics of a gliding pitch under moving formants, in syllables, with breath between them."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * sample_rate)) / sample_rate
    pitch = 110 + 25 * np.sin(2 * np.pi * 0.8 * t + seed)
    phase = 2 * np.pi * np.cumsum(pitch) / sample_rate
    wave = np.zeros_like(t)
    for harmonic in range(1, int(0.45 * sample_rate / 140)):
        hz = harmonic * pitch
        formants = sum(
            np.exp(-(((hz - centre) / 180) ** 2) / 2) for centre in (500 + 200 * np.sin(5 * t), 1500, 2500 + 300 * t)
        )
        wave += (0.02 + formants) / np.sqrt(harmonic) * np.cos(harmonic * phase)
    syllables = np.clip(1.4 * np.sin(2 * np.pi * 2.2 * t + seed) + 0.4, 0, 1)
    wave = syllables * wave / np.abs(wave).max() + 0.002 * rng.standard_normal(len(t))
    return (0.5 * wave / np.abs(wave).max()).astype(np.float32)


def espeak(text: str, voice: str = "en-us", sample_rate: int = 16_000) -> NDArray[np.float32]:
    """What espeak-ng says; skips the test where it is not installed."""
    program = shutil.which("espeak-ng")
    if program is None:
        pytest.skip("espeak-ng is not installed")
    made = subprocess.run([program, "-v", voice, "--stdout", text], check=True, capture_output=True).stdout
    wave, rate = soundfile.read(io.BytesIO(made), dtype="float32")
    return np.asarray(soxr.resample(wave, rate, sample_rate, quality="VHQ"))
