"""Contract of a band layout: a matrix `(band, bin)` that gathers the STFT's bins."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Array, set_real_numbers
from spectronorm.errors import ArgumentError
from spectronorm.front_end.bands.runs import BandRuns, band_sums
from spectronorm.registry import Registry

MAX_BANDS = 1 << 13
"""Largest number of filters: a file that claims more would only exhaust the memory."""
MAX_WEIGHTS = 1 << 28
"""The largest matrix `(band, bin)`: 2 GiB."""
_MAX_HZ = 500_000.0


def set_frequencies(bands: Any) -> None:
    """Check `f_min` and `f_max` (Hz, or None for half the sample rate) of a band layout.

    Raises:
        ArgumentError: unless `0 <= f_min < f_max`, both finite.
    """
    set_real_numbers(bands, ("f_min",), 0, _MAX_HZ, of="Hz")
    if bands.f_max is not None:
        set_real_numbers(bands, ("f_max",), 0.001, _MAX_HZ, of="Hz")
        if not bands.f_min < bands.f_max:
            raise ArgumentError(f"f_min={bands.f_min}, f_max={bands.f_max} must be 0 <= f_min < f_max (Hz)")


class Bands(ABC):
    """Gathers bins `(..., bin, frame)` into bands `(..., band, frame)`.

    A subclass is a frozen dataclass with `runs` and `hz`; both are called thousands of times, so cache the matrix
    (`functools.lru_cache`).

    >>> import spectronorm as sn
    >>> [len(sn.FrontEnd(bands=bands).band_hz()) for bands in (sn.Linear(), sn.Mel(40), sn.bands.Gammatone(64))]
    [201, 40, 64]
    """

    meant_for_power: ClassVar[float | None] = None
    """The `STFT(power=…)` that the weights are made for; None if any is usual."""

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
