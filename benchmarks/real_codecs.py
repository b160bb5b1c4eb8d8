"""Codecs as they are used, through libsndfile: a wave is encoded in memory and decoded again."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from benchmarks.shifts import Device, Wave

Floats = NDArray[np.float64]
_HIGHEST, _LOWEST = 160_000, 8_000


def mp3(bits_per_second: int) -> Device:
    """MPEG-2 Layer III at a constant bit rate."""
    # libsndfile takes a bit rate as a place between the highest (0) and the lowest (1) of the sample rate.
    place = (_HIGHEST - bits_per_second) / (_HIGHEST - _LOWEST)
    return _coded("MP3", "MPEG_LAYER_III", {"bitrate_mode": "CONSTANT", "compression_level": place})


def opus() -> Device:
    """Opus at its lowest bit rate, 8.5 kb/s for one channel."""
    return _coded("OGG", "OPUS", {"compression_level": 1.0})


def adpcm() -> Device:
    """IMA ADPCM, four bits a sample."""
    return _coded("WAV", "IMA_ADPCM", {})


def _coded(container: str, codec: str, options: dict[str, Any]) -> Device:
    def device(wave: Wave, rate: int, _: np.random.Generator) -> Floats:
        peak = float(np.abs(wave).max()) / 0.9 + 1e-9
        return np.asarray(np.resize(decoded_again(wave / peak, rate, container, codec, options), len(wave)) * peak)

    return device


def decoded_again(wave: NDArray[np.floating], rate: int, container: str, codec: str, options: dict[str, Any]) -> Floats:
    """Return what a codec of libsndfile leaves of a wave whose peak is below 1; the length may differ."""
    file = io.BytesIO()
    soundfile.write(file, np.asarray(wave, dtype=np.float32), rate, codec, format=container, **options)
    file.seek(0)
    heard, _ = soundfile.read(file, dtype="float64")
    return np.asarray(heard)
