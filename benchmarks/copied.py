"""Near copies of a clip: six ways in which one sound comes into a data set twice."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

Wave = NDArray[np.float64]
Copied = tuple[Wave, int]
"""Samples `(sample,)` or `(sample, channel)` and their rate in Hz."""


def quieter(wave: Wave, rate: int) -> Copied:
    """The clip, 6 dB quieter."""
    return wave * 10 ** (-6 / 20), rate


def shifted(wave: Wave, rate: int) -> Copied:
    """The clip without its first tenth of a second."""
    return wave[round(0.1 * rate) :], rate


def through_mp3(wave: Wave, rate: int) -> Copied:
    """The clip after an MP3 encoder at a constant 64 kbit/s."""
    lowest, highest = (32, 320) if rate >= 32_000 else (8, 160) if rate >= 16_000 else (8, 64)
    file = io.BytesIO()
    level = (highest - 64) / (highest - lowest)
    kind = {"format": "MP3", "subtype": "MPEG_LAYER_III", "bitrate_mode": "CONSTANT", "compression_level": level}
    with soundfile.SoundFile(file, "w", rate, 1, **kind) as sound:
        sound.write(wave)
    file.seek(0)
    decoded, decoded_rate = soundfile.read(file)
    return decoded, decoded_rate


def resampled(wave: Wave, rate: int) -> Copied:
    """The clip at 16 kHz."""
    return soxr.resample(wave, rate, 16_000), 16_000


def padded(wave: Wave, rate: int) -> Copied:
    """The clip between 0.333 s and one second of zeros."""
    return np.concatenate([np.zeros(round(0.333 * rate)), wave, np.zeros(rate)]), rate


def in_stereo(wave: Wave, rate: int) -> Copied:
    """The clip on two equal channels."""
    return np.stack([wave, wave], axis=1), rate


COPIES: Mapping[str, Callable[[Wave, int], Copied]] = {
    "-6 dB": quieter,
    "0.1 s shift": shifted,
    "MP3 at 64 kbit/s": through_mp3,
    "16 kHz": resampled,
    "padding": padded,
    "mono to stereo": in_stereo,
}
"""Six ways to copy a clip."""
