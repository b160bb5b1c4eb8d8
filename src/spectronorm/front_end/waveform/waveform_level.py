"""Contract of a waveform level: a change of a clip's samples before its STFT."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from spectronorm.arrays import Array


@runtime_checkable
class WaveformLevel(Protocol):
    """Maps a waveform `(..., sample)` at `sample_rate` (Hz) to a waveform, clip by clip.

    A subclass is a frozen dataclass with `__call__`; everything else has a default. If `__call__` also takes `valid`, a
    boolean mask like the waveform, and counts only the valid samples, padded clips are computed in one batch; otherwise
    `spectronorm.nn` processes padded clips one by one.
    """

    def __call__(self, wave: Array, sample_rate: int) -> Array:
        """Return the waveform at its new level."""
        ...

    def min_samples(self, sample_rate: int) -> int:
        """Length in samples of the shortest waveform that the level takes."""
        del sample_rate
        return 1

    @property
    def shortens(self) -> int:
        """Number of samples by which the result is shorter than the waveform."""
        return 0
