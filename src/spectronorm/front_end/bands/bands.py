"""Contract of a band layout: a matrix `(band, bin)` that gathers the STFT's bins."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Array
from spectronorm.front_end.bands.runs import BandRuns, band_sums
from spectronorm.registry import Registry

MAX_BANDS = 1 << 13

"""Largest number of filters: a file that claims more would only exhaust the memory."""


class Bands(ABC):
    """Gathers bins `(..., bin, frame)` into bands `(..., band, frame)`.

    A subclass is a frozen dataclass with `runs` and `hz`; both are called thousands of times, so cache the matrix
    (`functools.lru_cache`).
    """

    def __call__(self, magnitudes: Array, sample_rate: int, n_fft: int) -> Array:
        """Return the bands of an STFT of `n_fft` samples at `sample_rate` (Hz)."""
        return band_sums(self.runs(sample_rate, n_fft), magnitudes)

    @abstractmethod
    def runs(self, sample_rate: int, n_fft: int) -> BandRuns:
        """Return the weights `(band, bin)`, with the run of bins that each band gathers."""

    @abstractmethod
    def hz(self, sample_rate: int, n_fft: int) -> NDArray[np.float64]:
        """Return the centre frequency of each band, in Hz."""


BANDS: Registry[Bands] = Registry("bands", "band layout", Bands)
"""Every band layout by the name that JSON and `--bands` use."""
