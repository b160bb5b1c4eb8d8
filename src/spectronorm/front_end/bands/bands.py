"""The contract of a band layout: a matrix `(band, bin)` that gathers the STFT's bins."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Array
from spectronorm.front_end.bands.runs import BandRuns

MAX_BANDS = 1 << 13

"""More filters than this, and a file that claims them would only exhaust memory."""


class Bands(Protocol):
    """Gathers bins `(..., bin, frame)` into bands `(..., band, frame)`."""

    def __call__(self, magnitudes: Array, sample_rate: int, n_fft: int) -> Array:
        """The bands of an STFT of `n_fft` samples at `sample_rate` (Hz)."""
        ...

    def runs(self, sample_rate: int, n_fft: int) -> BandRuns:
        """The weights `(band, bin)`, with the run of bins that each band gathers."""
        ...

    def hz(self, sample_rate: int, n_fft: int) -> NDArray[np.float64]:
        """Centre frequency of each band, in Hz."""
        ...
