"""Gammatone bands: frequency responses of auditory filters, spaced evenly on the ERB scale."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from spectronorm.arrays import set_real_numbers, set_whole_numbers
from spectronorm.errors import ArgumentError
from spectronorm.front_end.bands.bands import BANDS, MAX_BANDS, Bands, set_frequencies
from spectronorm.front_end.bands.runs import BandRuns

_EAR_Q = 9.26449  # Glasberg and Moore (1990): ERB(f) = f / 9.26449 + 24.7 Hz
_MIN_BANDWIDTH = 24.7
_TO_BANDWIDTH = 1.019  # an ERB wide, a fourth-order gammatone has this parameter (Patterson et al. 1992)


@BANDS.register("gammatone")
@dataclass(frozen=True)
class Gammatone(Bands):
    """Fourth-order gammatone filters from `f_min` up to just below `f_max` (Hz; default half the sample rate).

    Each weight is the magnitude of Slaney's filter at the bin's frequency (Apple Technical Report 35, 1993), scaled to
    1 at its centre, as in Ellis' gammatonegram. The weights apply to magnitudes: with `STFT(power=1.0)`, a band is the
    sum of the magnitudes that the filter passes. Unlike triangles, the filters overlap widely. `width` scales each
    bandwidth.

    Raises:
        ArgumentError: if `n_bands` or `width` is not positive, or the frequencies are not `0 <= f_min < f_max <=
            sample_rate / 2`.

    >>> import spectronorm as sn
    >>> sn.FrontEnd(stft=sn.STFT(power=1.0), bands=Gammatone(32)).n_bands
    32
    """

    meant_for_power = 1.0

    n_bands: int = field(default=64, metadata={"help": "number of bands"})
    f_min: float = field(default=50.0, metadata={"help": "lowest frequency in Hz"})
    f_max: float | None = field(default=None, metadata={"help": "highest frequency in Hz"})
    width: float = field(default=1.0, metadata={"help": "factor of each filter's bandwidth"})

    def __post_init__(self) -> None:
        set_whole_numbers(self, ("n_bands",), 1, MAX_BANDS)
        set_real_numbers(self, ("width",), 0.01, 100)
        set_frequencies(self)

    @override
    def runs(self, sample_rate: int, n_fft: int) -> BandRuns:
        return _gammatone_runs(self, sample_rate, n_fft)

    @override
    def hz(self, sample_rate: int, n_fft: int) -> NDArray[np.float64]:
        """Return the centre of each filter, in Hz: evenly spaced on the ERB scale, the lowest at `f_min`."""
        f_max = sample_rate / 2 if self.f_max is None else self.f_max
        if not self.f_min < f_max <= sample_rate / 2:
            raise ArgumentError(
                f"f_min={self.f_min}, f_max={f_max} must be 0 <= f_min < f_max <= {sample_rate / 2} Hz, "
                f"half of sample_rate={sample_rate}"
            )
        knee = _EAR_Q * _MIN_BANDWIDTH
        part = np.arange(self.n_bands) / self.n_bands
        return np.asarray((self.f_min + knee) * ((f_max + knee) / (self.f_min + knee)) ** part - knee)


@lru_cache(maxsize=64)
def _gammatone_runs(gammatone: Gammatone, sample_rate: int, n_fft: int) -> BandRuns:
    """Response of Slaney's four cascaded sections: a real zero and a conjugate pair of poles each.

    The impulse response `t^3 exp(-2π B t) cos(2π f t)`, discretized by impulse invariance, has the transfer function `Π
    (z - zero_k) / ((z - p) (z - p*))^4` with `p = exp((-2π B + 2πi f) / rate)` and zeros at `Re p ± sqrt(3 ± 2^1.5) Im
    p`.
    """
    centre = gammatone.hz(sample_rate, n_fft)[:, None]
    bandwidth = _TO_BANDWIDTH * gammatone.width * (centre / _EAR_Q + _MIN_BANDWIDTH)
    pole = np.exp(2 * np.pi * (1j * centre - bandwidth) / sample_rate)

    def response(z: NDArray[np.complex128]) -> NDArray[np.float64]:
        zeros = np.ones_like(pole * z)
        for sign in (1.0, -1.0):
            for root in (np.sqrt(3 + 2**1.5), np.sqrt(3 - 2**1.5)):
                zeros = zeros * (z - (pole.real + sign * root * pole.imag))
        return np.asarray(np.abs(zeros) / np.abs((z - pole) * (z - pole.conj())) ** 4)

    bins = np.exp(2j * np.pi * np.arange(n_fft // 2 + 1) / n_fft)[None, :]
    return BandRuns.of(response(bins) / response(np.exp(2j * np.pi * centre / sample_rate)))
