"""Contract of a waveform level: a change of a clip's samples before its STFT."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Array
from spectronorm.errors import ArgumentError
from spectronorm.front_end.waveform.streams import ChangedSamples, WaveformStream
from spectronorm.registry import Registry
from spectronorm.suggestion import known_settings


@known_settings
@dataclass(frozen=True)
class ClipStatistics:
    """Statistics of the samples of one whole clip, in float64: mean, standard deviation (ddof 0), RMS and peak.

    >>> import numpy as np, spectronorm as sn
    >>> wave = np.array([0.5, -0.5, 0.5, -0.5])
    >>> ClipStatistics(mean=float(wave.mean()), std=float(wave.std()), rms=0.5, peak=float(abs(wave).max()))
    ClipStatistics(mean=0.0, std=0.5, rms=0.5, peak=0.5)
    """

    mean: float
    std: float
    rms: float
    peak: float


@known_settings
@dataclass(frozen=True)
class WaveformChange:
    """Map `(x - offset) · scale` of every sample of a clip.

    >>> import spectronorm as sn
    >>> found = sn.waveform.ClipStatistics(mean=0.1, std=0.2, rms=0.3, peak=0.5)
    >>> sn.waveform.StandardizeWaveform().change(found)
    WaveformChange(offset=0.1, scale=5.0)
    """

    offset: float = 0.0
    scale: float = 1.0

    def __call__(self, samples: NDArray[Any]) -> NDArray[np.float64]:
        """Return the changed samples, in float64."""
        return (samples.astype(np.float64) - self.offset) * self.scale


class WaveformLevel(ABC):
    """Maps a waveform `(..., sample)` at `sample_rate` (Hz) to a waveform, clip by clip.

    A subclass is a frozen dataclass with `__call__`; everything else has a default. If `__call__` also takes `valid`, a
    boolean mask like the waveform, and counts only the valid samples, padded clips are computed in one batch; otherwise
    `spectronorm.nn` processes padded clips one by one.

    >>> import numpy as np, spectronorm as sn
    >>> wave = 0.25 * np.sin(np.arange(16_000) / 5)
    >>> levels = (sn.waveform.AsRecorded(), sn.waveform.PeakLevel(0.0), sn.waveform.StandardizeWaveform())
    >>> [round(float(abs(level(wave, 16_000)).max()), 2) for level in levels]
    [0.25, 1.0, 1.41]
    """

    @abstractmethod
    def __call__(self, wave: Array, sample_rate: int) -> Array:
        """Return the waveform at its new level."""

    def min_samples(self, sample_rate: int) -> int:
        """Length in samples of the shortest waveform that the level takes."""
        return 1

    @property
    def shortens(self) -> int:
        """Number of samples by which the result is shorter than the waveform."""
        return 0

    @property
    def is_change(self) -> bool:
        """True if `change` describes the level completely, so that a long clip can be computed in blocks."""
        return False

    @property
    def needs_statistics(self) -> bool:
        """True if `change` uses the clip's statistics, so that the blocks of a long clip are read twice."""
        return False

    def change(self, clip: ClipStatistics) -> WaveformChange:
        """Return the map of a clip with these statistics; only called if `is_change`."""
        raise NotImplementedError(f"{self} is not an offset and a scale of {clip}")

    def stream(self) -> WaveformStream:
        """Return the level for samples that come in pieces.

        Raises:
            ArgumentError: if a later sample may change the level of an earlier one.
        """
        if self.is_change and not self.needs_statistics:
            change = self.change(ClipStatistics(0.0, 0.0, 0.0, 0.0))
            return ChangedSamples(change.offset, change.scale)
        raise ArgumentError(
            f"level={self} looks at a whole clip, which a stream has only at its end; use AsRecorded() and a "
            "normalizer that is measured over the data set, or SlidingStandardizeWaveform(center=False)"
        )

    def write(self, samples: NDArray[Any], sample_rate: int, out: NDArray[np.floating[Any]]) -> None:
        """Write the level of one NumPy clip, computed in float64; a kernel saves passes over memory."""
        out[:] = self(samples.astype(np.float64), sample_rate)

    def change_while_windowing(self, samples: NDArray[Any]) -> WaveformChange | None:
        """Return the map of one NumPy clip, to be applied together with the window, which saves a pass over memory.

        None to call the level instead.
        """
        return None


WAVEFORM_LEVELS: Registry[WaveformLevel] = Registry("waveform_levels", "waveform level", WaveformLevel)
"""Every waveform level by the name that JSON and `--level` use."""
