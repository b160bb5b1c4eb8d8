"""The fast path for one NumPy clip: frames in blocks that stay in the cache, with the kernels fused.

It computes what `FrontEnd.working_level` computes (the test compares them), without that one's large temporaries,
which cost more time in page faults than the arithmetic does.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from specnorm.arrays import BandRuns, frame, rfft, sum_runs
from specnorm.front_end.compress import Compression
from specnorm.front_end.stft import STFT
from specnorm.front_end.waveform import StandardizeWaveform, WaveformLevel

_FRAMES = 64


def level_in_blocks(
    wave: NDArray[np.float64], level: WaveformLevel, stft: STFT, runs: BandRuns, compress: Compression
) -> NDArray[np.float64]:
    """Level `(band, frame)` in float64 of one wave `(sample,)`; the compression must work frame by frame."""
    wave = _standardize(wave) if isinstance(level, StandardizeWaveform) else level(wave)
    frames = frame(stft.padded(wave), stft.n_fft, stft.hop)
    window = stft.window_values()
    levels = np.empty((len(runs.first), len(frames)))
    windowed, bins = np.empty((_FRAMES, stft.n_fft)), np.empty((_FRAMES, stft.bins))
    for start in range(0, len(frames), _FRAMES):
        count = min(_FRAMES, len(frames) - start)
        spectrum = rfft(np.multiply(frames[start : start + count], window, out=windowed[:count]))
        _squared_magnitudes(spectrum, bins)
        if stft.power != 2.0:
            bins **= stft.power / 2.0
        values = bins[:count]
        if not runs.identity:
            values = np.empty((count, len(levels)))
            sum_runs(bins[:count], runs.matrix, runs.first, runs.stop, values)
        levels[:, start : start + count] = compress(values[:, : len(levels)], stft.power).T
    return levels


@numba.njit(cache=True, nogil=True, fastmath={"reassoc"})
def _standardize(wave: NDArray[np.float64]) -> NDArray[np.float64]:
    mean = 0.0
    for x in wave:
        mean += x
    mean /= wave.size
    square = 0.0
    for x in wave:
        square += (x - mean) * (x - mean)
    std = np.sqrt(square / wave.size)
    scale = 0.0 if std <= 1e-6 * abs(mean) else 1.0 / std
    return (wave - mean) * scale


@numba.njit(cache=True, nogil=True)
def _squared_magnitudes(spectrum: NDArray[np.complex128], out: NDArray[np.float64]) -> None:
    for t in range(spectrum.shape[0]):
        for k in range(spectrum.shape[1]):
            z = spectrum[t, k]
            out[t, k] = z.real * z.real + z.imag * z.imag
