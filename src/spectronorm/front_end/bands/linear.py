"""Linear bands: every bin is a band."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from spectronorm.arrays import Array, set_flags
from spectronorm.front_end.bands.bands import BANDS, Bands
from spectronorm.front_end.bands.runs import BandRuns


@BANDS.register("linear")
@dataclass(frozen=True)
class Linear(Bands):
    """Makes every bin a band; `drop_nyquist` leaves out the last one, for an even number of bands.

    >>> import spectronorm as sn
    >>> sn.FrontEnd(16_000, stft=sn.STFT(n_fft=8, hop_length=4), bands=Linear()).band_hz().tolist()
    [0.0, 2000.0, 4000.0, 6000.0, 8000.0]
    """

    drop_nyquist: bool = field(
        default=False, metadata={"help": "leave out the last bin", "flag": "--drop-nyquist/--keep-nyquist"}
    )

    def __post_init__(self) -> None:
        set_flags(self, ("drop_nyquist",))

    @override
    def __call__(self, magnitudes: Array, sample_rate: int, n_fft: int) -> Array:
        return magnitudes[..., : self._count(n_fft), :]

    @override
    def runs(self, sample_rate: int, n_fft: int) -> BandRuns:
        """Return the identity `(band, bin)`, without its last row if Nyquist is dropped."""
        return _linear_runs(self._count(n_fft), n_fft // 2 + 1)

    @override
    def hz(self, sample_rate: int, n_fft: int) -> NDArray[np.float64]:
        return np.arange(self._count(n_fft), dtype=np.float64) * (sample_rate / n_fft)

    def _count(self, n_fft: int) -> int:
        return n_fft // 2 + (0 if self.drop_nyquist else 1)


@lru_cache(maxsize=64)
def _linear_runs(bands: int, bins: int) -> BandRuns:
    return BandRuns.of(np.eye(bands, bins))
