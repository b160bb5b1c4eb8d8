"""The fast path for one NumPy clip: frames in blocks that stay in the cache, with the kernels fused.

It computes what `FrontEnd.working_level` computes (the test compares them), without that one's large temporaries,
which cost more time in page faults than the arithmetic does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from specnorm.arrays import BandRuns, frame, sum_runs
from specnorm.front_end.compress import Compression
from specnorm.front_end.stft import STFT
from specnorm.front_end.waveform import StandardizeWaveform, WaveformLevel

_FRAMES = 64


class Workspace:
    """Buffers that a thread uses again for each clip: fresh ones would cost up to 0.4 ms a clip in page faults."""

    def __init__(self) -> None:
        self._buffers: dict[str, NDArray[Any]] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: Any = np.float64) -> NDArray[Any]:
        """An array of this shape, not cleared; it is valid until the next call with this name."""
        size = math.prod(shape)
        key = f"{name} {np.dtype(dtype)}"
        if key not in self._buffers or self._buffers[key].size < size:
            self._buffers[key] = np.empty(size, dtype)
        return self._buffers[key][:size].reshape(shape)


def level_blocks(
    samples: NDArray[Any],
    sample_rate: int,
    level: WaveformLevel,
    stft: STFT,
    runs: BandRuns,
    compress: Compression,
    workspace: Workspace,
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """The level of one wave `(sample,)` as blocks `(frame, band)` in float64, each with the number of its first frame.

    The compression must work frame by frame. A block is valid until the next one is asked for.
    """
    padded, mean, scale = _padded(samples, sample_rate, level, stft, workspace)
    window = stft.window_values()
    bands, frames = len(runs.first), stft.frames(len(samples) - level.shortens)
    windowed = workspace.array("windowed", (_FRAMES, stft.n_fft))
    windowed[:, stft.frame_samples :] = 0.0
    bins = workspace.array("bins", (_FRAMES, stft.bins))
    spectrum = workspace.array("spectrum", (_FRAMES, stft.bins), np.complex128)
    gathered = workspace.array("gathered", (_FRAMES, bands))
    for start in range(0, frames, _FRAMES):
        count = min(_FRAMES, frames - start)
        out = windowed[:count, : stft.frame_samples]
        if stft.windowed_only:
            _windowed(padded[start * stft.hop :], mean, scale, window, stft.hop, out)
        else:
            block = frame(padded[start * stft.hop :], stft.frame_samples, stft.hop)[:count]
            np.multiply(stft.prepared(block), window, out=out)
        _squared_magnitudes(np.fft.rfft(windowed[:count], out=spectrum[:count]), bins)
        values = bins[:count]
        if stft.power != 2.0:
            values **= stft.power / 2.0
        if not runs.identity:
            sum_runs(values, runs.matrix, runs.first, runs.stop, gathered[:count])
            values = gathered[:count]
        yield start, compress(values[:, :bands], stft.power)


def _padded(
    samples: NDArray[Any], sample_rate: int, level: WaveformLevel, stft: STFT, workspace: Workspace
) -> tuple[NDArray[Any], float, float]:
    """What `STFT.padded` gives, and the mean and scale that are still to be applied to it.

    Standardizing is left to the windowing, which saves a pass over memory, but not where zeros are padded: those are
    to be zero afterwards.
    """
    mean, scale = 0.0, 1.0
    wave = samples
    pads_zeros = stft.frame_count == "ceil" or (stft.pad_mode == "constant" and stft.padding > 0)
    if isinstance(level, StandardizeWaveform) and stft.windowed_only and not pads_zeros:
        mean, scale = _mean_and_scale(samples)
    else:
        wave = level(samples.astype(np.float64), sample_rate)
    if stft.frame_count == "ceil":
        return stft.padded(wave), mean, scale
    n, p = len(wave), stft.padding
    padded = workspace.array("padded", (n + 2 * p,), wave.dtype)
    padded[p : p + n] = wave
    if p:
        match stft.pad_mode:
            case "reflect":
                padded[:p], padded[p + n :] = wave[p:0:-1], wave[-2 : -p - 2 : -1]
            case "edge":
                padded[:p], padded[p + n :] = wave[0], wave[-1]
            case _:
                padded[:p], padded[p + n :] = 0.0, 0.0
    return padded, mean, scale


@numba.njit(cache=True, nogil=True, fastmath={"reassoc"})
def _mean_and_scale(samples: NDArray[Any]) -> tuple[float, float]:
    """The mean and one over the std of `StandardizeWaveform`; a scale of 0 for a constant clip."""
    mean = 0.0
    for i in range(samples.size):
        mean += samples[i]
    mean /= samples.size
    square = 0.0
    for i in range(samples.size):
        square += (samples[i] - mean) * (samples[i] - mean)
    std = np.sqrt(square / samples.size)
    return mean, 0.0 if std <= 1e-6 * abs(mean) else 1.0 / std


@numba.njit(cache=True, nogil=True)
def _windowed(
    wave: NDArray[Any], mean: float, scale: float, window: NDArray[np.float64], hop: int, out: NDArray[np.float64]
) -> None:
    for t in range(out.shape[0]):
        for k in range(out.shape[1]):
            out[t, k] = (wave[t * hop + k] - mean) * scale * window[k]


@numba.njit(cache=True, nogil=True)
def _squared_magnitudes(spectrum: NDArray[np.complex128], out: NDArray[np.float64]) -> None:
    for t in range(spectrum.shape[0]):
        for k in range(spectrum.shape[1]):
            z = spectrum[t, k]
            out[t, k] = z.real * z.real + z.imag * z.imag
