"""Faults planted into clips of a data set: ten kinds, each with the name that an inspection gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from spectronorm.cleaning import Oddity

Wave = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Planted:
    """A faulty clip: samples `(sample,)` or `(sample, channel)`, the rate that its header shall say, the true kind."""

    samples: Wave
    sample_rate: int
    kind: Oddity


def clipped(wave: Wave, rate: int, degree: int) -> Planted:
    """The clip is amplified until it is cut off at full scale, or at half of it."""
    ceiling = (1.0, 0.5)[degree % 2]
    loud = wave * (2.0 + degree) * ceiling / np.abs(wave).max()
    return Planted(np.clip(loud, -ceiling, ceiling * (1 - 2.0**-15)), rate, Oddity.CLIPPED)


def silent(wave: Wave, rate: int, degree: int) -> Planted:
    """Zeros, or another single value."""
    constant = degree % 2
    return Planted(np.full_like(wave, 0.25 * constant), rate, Oddity.CONSTANT if constant else Oddity.SILENT)


def nearly_silent(wave: Wave, rate: int, degree: int) -> Planted:
    """The clip is turned down until its peak lies at -62 dB of full scale or below."""
    return Planted(wave * 10 ** (-(62 + 4 * degree) / 20) / np.abs(wave).max(), rate, Oddity.NEARLY_SILENT)


def dc_offset(wave: Wave, rate: int, degree: int) -> Planted:
    """A constant from 2 to 30 % of full scale is added to the clip."""
    offset = (0.02, -0.05, 0.1, -0.3)[degree]
    return Planted(np.clip(wave * 0.6 / np.abs(wave).max() + offset, -1, 1), rate, Oddity.DC_OFFSET)


def faulty_channel(wave: Wave, rate: int, degree: int) -> Planted:
    """Two channels, of which one is silent, or the negative of the other one."""
    other = -wave + (degree // 2) * 2.0**-15 if degree % 2 else np.zeros_like(wave)
    return Planted(np.stack([wave, other], axis=1), rate, Oddity.CHANNELS_CANCEL if degree % 2 else Oddity.DEAD_CHANNEL)


def low_bit_depth(wave: Wave, rate: int, degree: int) -> Planted:
    """Samples of 4, 6 or 8 bits; the last clip is turned down afterwards."""
    scaled = 0.9 * wave / np.abs(wave).max()
    steps = 2.0 ** ((4, 6, 8, 8)[degree] - 1)
    return Planted(np.rint(scaled * steps) / steps * (0.7 if degree == 3 else 1.0), rate, Oddity.LOW_BIT_DEPTH)


def upsampled(wave: Wave, rate: int, degree: int) -> Planted:
    """The clip goes through 8, 11.025, 16 or 22.05 kHz."""
    lower = (8000, 11_025, 16_000, 22_050)[degree]
    back = soxr.resample(soxr.resample(wave, rate, lower), lower, rate)
    return Planted(np.resize(back, wave.shape), rate, Oddity.UPSAMPLED)


def wrong_rate(wave: Wave, rate: int, degree: int) -> Planted:
    """The header says another rate than that of the samples."""
    told = (22_050, 16_000, 48_000, 8000)[degree]
    return Planted(wave, told if told != rate else 44_100, Oddity.WRONG_RATE)


def odd_length(wave: Wave, rate: int, degree: int) -> Planted:
    """The clip is cut to 6 or 14 % of its length, or repeated until it is 4.3 or 6.3 times as long."""
    if degree % 2:
        return Planted(np.resize(wave, round((3.3 + degree) * len(wave))), rate, Oddity.TOO_LONG)
    length = round((0.06 + 0.04 * degree) * len(wave))
    loudest = int(np.abs(wave).argmax())
    first = max(0, min(loudest - length // 4, len(wave) - length))
    return Planted(wave[first : first + length], rate, Oddity.TOO_SHORT)


def outlier(wave: Wave, rate: int, degree: int) -> Planted:
    """A test tone, mains hum, a square wave, or a carrier, in place of the clip."""
    t = np.arange(len(wave)) / rate
    noise = 1e-4 * np.random.default_rng(degree).standard_normal(len(wave))
    sounds = (
        0.1 * np.sin(2 * np.pi * 0.12 * rate * t) + noise,
        0.3 * np.sin(2 * np.pi * 50 * t) + 0.1 * np.sin(2 * np.pi * 150 * t) + noise,
        0.4 * np.sign(np.sin(2 * np.pi * 440 * t)) + 10 * noise,
        0.1 * np.sin(2 * np.pi * 0.06 * rate * t) + 10 * noise,
    )
    return Planted(sounds[degree], rate, Oddity.OUTLIER)


FAULTS: Mapping[str, Callable[[Wave, int, int], Planted]] = {
    "clipped": clipped,
    "silent": silent,
    "nearly silent": nearly_silent,
    "DC offset": dc_offset,
    "faulty channel": faulty_channel,
    "low bit depth": low_bit_depth,
    "upsampled": upsampled,
    "wrong rate": wrong_rate,
    "odd length": odd_length,
    "outlier": outlier,
}
"""Ten kinds of faults, each in four degrees from 0."""
DEGREES = 4
