"""Mel bands: triangular filters spaced evenly on the mel scale."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from spectronorm.arrays import require_choice, set_whole_numbers
from spectronorm.errors import ArgumentError
from spectronorm.front_end.bands.bands import BANDS, MAX_BANDS, Bands, set_frequencies
from spectronorm.front_end.bands.runs import BandRuns
from spectronorm.short_repr import with_bounded_repr


@BANDS.register("mel")
@with_bounded_repr
@dataclass(frozen=True)
class Mel(Bands):
    """Triangular filters spaced evenly on the mel scale, equal to `librosa.filters.mel`.

    `f_min` and `f_max` (default half the sample rate) are in Hz. `mel_scale` is `slaney` (Slaney's Auditory Toolbox,
    1998: linear below 1 kHz), `htk` (`2595 log10(1 + f / 700)`, O'Shaughnessy 1987) or `kaldi` (HTK's scale, but with
    triangles that have straight sides over mels instead of Hz: Kaldi, torchaudio's compliance.kaldi, VGGish); `norm` is
    `slaney` (each filter has unit area) or None (unit peak).

    Raises:
        ArgumentError: if a name is unknown, or the frequencies are not `0 <= f_min < f_max <= sample_rate / 2`.

    >>> import spectronorm as sn
    >>> sn.FrontEnd(bands=Mel(4, f_max=4000)).band_hz().round().tolist()
    [469.0, 938.0, 1521.0, 2466.0]
    """

    n_mels: int = field(default=128, metadata={"help": "number of bands"})
    f_min: float = field(default=0.0, metadata={"help": "lowest frequency in Hz"})
    f_max: float | None = field(default=None, metadata={"help": "highest frequency in Hz"})
    mel_scale: str = field(default="slaney", metadata={"help": "slaney, htk or kaldi"})
    norm: str | None = field(default="slaney", metadata={"help": "slaney or none"})

    def __post_init__(self) -> None:
        set_whole_numbers(self, ("n_mels",), 1, MAX_BANDS)
        require_choice(self.mel_scale, "mel_scale", _SCALES)
        if self.norm not in ("slaney", None):
            raise ArgumentError(f"norm={self.norm!r} must be slaney or None")
        set_frequencies(self)

    @override
    def runs(self, sample_rate: int, n_fft: int) -> BandRuns:
        return _mel_runs(self, sample_rate, n_fft)

    @override
    def hz(self, sample_rate: int, n_fft: int) -> NDArray[np.float64]:
        """Return the peak of each filter, in Hz."""
        return self._edges(sample_rate)[1:-1]

    def _edges(self, sample_rate: int) -> NDArray[np.float64]:
        """Return the `n_mels + 2` corners of the triangles, in Hz."""
        f_max = sample_rate / 2 if self.f_max is None else self.f_max
        if not self.f_min < f_max <= sample_rate / 2:
            raise ArgumentError(
                f"f_min={self.f_min}, f_max={f_max} must be 0 <= f_min < f_max <= {sample_rate / 2} Hz, "
                f"half of sample_rate={sample_rate}"
            )
        to_mel, to_hz = _SCALES[self.mel_scale]
        low, high = to_mel(np.array([self.f_min, f_max]))
        return to_hz(np.linspace(low, high, self.n_mels + 2))


@lru_cache(maxsize=64)
def _mel_runs(mel: Mel, sample_rate: int, n_fft: int) -> BandRuns:
    edges = mel._edges(sample_rate)
    corners, bins = edges, np.arange(n_fft // 2 + 1) * (sample_rate / n_fft)
    if mel.mel_scale == "kaldi":
        corners, bins = _hz_to_htk(corners), _hz_to_htk(bins)
    ramps = corners[:, None] - bins
    widths = np.diff(corners)[:, None]
    matrix = np.maximum(0.0, np.minimum(-ramps[:-2] / widths[:-1], ramps[2:] / widths[1:]))
    if mel.norm == "slaney":
        matrix *= 2.0 / (edges[2:] - edges[:-2])[:, None]
    return BandRuns.of(matrix)


def _hz_to_htk(hz: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    return np.asarray(2595.0 * np.log10(1.0 + hz / 700.0), dtype=np.float64)


def _htk_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)


_SLANEY_LINEAR = 200.0 / 3  # Hz in a mel, below 1 kHz

_SLANEY_STEP = np.log(6.4) / 27.0  # growth of log frequency in a mel, above 1 kHz


def _hz_to_slaney(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    above = 15.0 + np.log(np.maximum(hz, 1000.0) / 1000.0) / _SLANEY_STEP
    return np.where(hz >= 1000.0, above, hz / _SLANEY_LINEAR)


def _slaney_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    above = 1000.0 * np.exp(_SLANEY_STEP * (np.maximum(mel, 15.0) - 15.0))
    return np.where(mel >= 15.0, above, mel * _SLANEY_LINEAR)


_SCALES = {
    "slaney": (_hz_to_slaney, _slaney_to_hz),
    "htk": (_hz_to_htk, _htk_to_hz),
    "kaldi": (_hz_to_htk, _htk_to_hz),
}
