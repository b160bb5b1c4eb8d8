"""The contract of a waveform level: what is done to a clip's samples before its STFT."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from spectronorm.arrays import Array


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
