"""Contract of a waveform level: a change of a clip's samples before its STFT."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Array
from spectronorm.registry import Registry


@dataclass(frozen=True)
class ClipStatistics:
    """Statistics of the samples of one whole clip, in float64: mean, standard deviation (ddof 0), RMS and peak."""

    mean: float
    std: float
    rms: float
    peak: float


@dataclass(frozen=True)
class WaveformChange:
    """The map `(x - offset) · scale` of every sample of a clip."""

    offset: float = 0.0
    scale: float = 1.0

    def __call__(self, samples: NDArray[Any]) -> NDArray[np.float64]:
        """The changed samples, in float64."""
        return (samples.astype(np.float64) - self.offset) * self.scale


class WaveformLevel(ABC):
    """Maps a wave `(..., sample)` at `sample_rate` (Hz) to a wave, clip by clip.

    A subclass is a frozen dataclass with `__call__`; everything else has a default. If `__call__` takes `valid` too, a
    boolean mask like the wave, and then counts only those samples, clips padded with zeros are computed in one batch;
    otherwise `spectronorm.nn` goes through padded clips one by one.
    """

    @abstractmethod
    def __call__(self, wave: Array, sample_rate: int) -> Array:
        """Return the waveform at its new level."""

    def min_samples(self, sample_rate: int) -> int:
        """The length in samples of the shortest wave that the level takes."""
        return 1

    @property
    def shortens(self) -> int:
        """The number of samples by which the result is shorter than the wave."""
        return 0

    @property
    def is_change(self) -> bool:
        """True if `change` gives all that the level does, so that a long clip can be computed in blocks."""
        return False

    @property
    def needs_statistics(self) -> bool:
        """True if `change` looks at the clip's statistics, so that the blocks of a long clip are read twice."""
        return False

    def change(self, clip: ClipStatistics) -> WaveformChange:
        """The map that a clip with these statistics gets; only asked for if `is_change`."""
        raise NotImplementedError(f"{self} is no change by an offset and a scale of {clip}")

    def change_while_windowing(self, samples: NDArray[Any]) -> WaveformChange | None:
        """The map of one NumPy clip, to be applied together with the window, which saves a pass over memory.

        None to call the level instead.
        """
        return None


WAVEFORM_LEVELS: Registry[WaveformLevel] = Registry("waveform_levels", "waveform level", WaveformLevel)
"""Every waveform level by the name that JSON and `--level` use."""
