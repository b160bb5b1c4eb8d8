"""Spectrum of a recording at its own rate: mean power by frequency, and levels in bands of equal musical width."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WINDOW_SECONDS = 0.046
BANDS_HZ = 60.0 * 2.0 ** (np.arange(26) / 3.0)
"""Borders of the bands in Hz: third octaves from 60 Hz to 19.4 kHz."""
FLOOR_DB = -100.0
_FRAMES_AT_ONCE = 512


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Sums over frames.

    Attributes:
        power: Mean power of each frequency of the transform `(bin,)`.
        hz: Those frequencies.
        level: Mean level of each band in dB of full scale `(band,)`; NaN for bands above half the sample rate.
        spread: Standard deviation of each band's level over frames `(band,)`; NaN likewise.
    """

    power: NDArray[np.float64]
    hz: NDArray[np.float64]
    level: NDArray[np.float32]
    spread: NDArray[np.float32]


class SpectrumSums:
    """Sums for a `Spectrum`, as blocks come."""

    def __init__(self, sample_rate: int) -> None:
        self._size = max(64, 1 << round(np.log2(WINDOW_SECONDS * sample_rate)))
        self._window = np.hanning(self._size).astype(np.float32)
        self._hz: NDArray[np.float64] = np.fft.rfftfreq(self._size, 1.0 / sample_rate).astype(np.float64)
        self._bands = _bands(self._hz)
        self._power = np.zeros(len(self._hz))
        self._level, self._square = np.zeros(len(self._bands[0])), np.zeros(len(self._bands[0]))
        self._frames = 0

    def add(self, samples: NDArray[np.float32]) -> None:
        """More samples of one channel `(sample,)`."""
        if len(samples) < self._size:
            samples = np.pad(samples, (0, self._size - len(samples)))
        frames = np.lib.stride_tricks.sliding_window_view(samples, self._size)[:: self._size // 2]
        for begin in range(0, len(frames), _FRAMES_AT_ONCE):
            spectrum = np.fft.rfft(frames[begin : begin + _FRAMES_AT_ONCE] * self._window, axis=1)
            power = spectrum.real**2 + spectrum.imag**2
            power *= 1.0 / float(self._window.sum()) ** 2
            self._power += power.sum(axis=0, dtype=np.float64)
            first, last = self._bands
            sums = np.cumsum(np.pad(power, ((0, 0), (1, 0))), axis=1, dtype=np.float64)
            level = 10.0 * np.log10(np.maximum(sums[:, last] - sums[:, first], 10.0 ** (FLOOR_DB / 10.0)))
            self._level += level.sum(axis=0)
            self._square += (level**2).sum(axis=0)
            self._frames += len(power)

    def spectrum(self) -> Spectrum:
        """The spectrum of all samples so far."""
        missing = np.full(len(BANDS_HZ) - 1 - len(self._level), np.nan)
        mean = self._level / self._frames
        spread = np.sqrt(np.maximum(self._square / self._frames - mean**2, 0.0))
        return Spectrum(
            self._power / self._frames,
            self._hz,
            np.concatenate([mean, missing]).astype(np.float32),
            np.concatenate([spread, missing]).astype(np.float32),
        )


def _bands(hz: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first bin of each band that fits below half the sample rate, and the one behind its last; never empty."""
    borders = BANDS_HZ[hz[-1] >= BANDS_HZ]
    first, last = np.searchsorted(hz, borders[:-1]), np.searchsorted(hz, borders[1:])
    return first, np.maximum(last, first + 1)
