"""Waveform levels: what is done to a clip's samples before its STFT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from spectronorm.arrays import Array, mean_of_valid, namespace


@runtime_checkable
class WaveformLevel(Protocol):
    """Maps a wave `(..., sample)` at `sample_rate` (Hz) to a wave, clip by clip.

    One that can be computed on clips padded with zeros takes `valid` too, a boolean mask like the wave, and then counts
    only those samples; where one does not, `spectronorm.nn` goes through padded clips one by one.
    """

    def __call__(self, wave: Array, sample_rate: int) -> Array:
        """The wave at its new level."""
        ...

    def min_samples(self, sample_rate: int) -> int:
        """The shortest wave that it takes."""
        del sample_rate
        return 1

    @property
    def shortens(self) -> int:
        """By how many samples the result is shorter."""
        return 0


@dataclass(frozen=True)
class AsRecorded(WaveformLevel):
    """Leaves the wave as it was recorded."""

    def __call__(self, wave: Array, sample_rate: int | None = None, valid: Array | None = None) -> Array:
        """The same wave."""
        del sample_rate, valid
        return wave


@dataclass(frozen=True)
class StandardizeWaveform(WaveformLevel):
    """Gives each clip mean 0 and standard deviation 1 (ddof = 0) over its last axis.

    A constant clip becomes zero, not NaN: one whose deviation is below a millionth of its offset counts as constant,
    since that much is rounding.
    """

    def __call__(self, wave: Array, sample_rate: int | None = None, valid: Array | None = None) -> Array:
        """The standardized wave."""
        del sample_rate
        xp = namespace(wave)
        mean = mean_of_valid(wave, valid, -1)
        centred = wave - mean
        variance = mean_of_valid(centred * centred, valid, -1)
        constant = variance <= 1e-12 * mean * mean
        # The root is taken of 1 where the clip is constant: that of 0 has no gradient.
        std = xp.sqrt(xp.where(constant, xp.ones_like(variance), variance))
        return xp.where(constant, xp.zeros_like(centred), centred / std)
