"""Squared magnitudes of a block of frames, eight frames at a time, as `(bin, frame)`.

The waveform of a block is first laid out in rows of one hop, `column[r, c] = wave[c · hop + r]`: sample `k` of frame
`t` is then `column[k mod hop, t + k div hop]`, and eight neighbouring frames are contiguous in memory.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import frame, rfft
from spectronorm.front_end.stft.stft import STFT
from spectronorm.front_end.stft.window import window_values
from spectronorm.kernels.buffers import Workspace
from spectronorm.kernels.fft import plan_of, power_spectrum
from spectronorm.kernels.fft.lanes import DOUBLES
from spectronorm.kernels.fft.real_fft import Layout
from spectronorm.kernels.fft.transposition import standardize
from spectronorm.kernels.jit import njit


def power_spectra(
    padded: NDArray[np.floating], mean: float, scale: float, stft: STFT, count: int, workspace: Workspace
) -> NDArray[np.float64]:
    """Compute `|X|²` of the first `count` frames of `(padded - mean) · scale`, as `(bin, frame)`, contiguous.

    There are columns beyond `count`, up to a multiple of eight; they are finite and meaningless. The result is valid
    until the next call.
    """
    width = -(-count // DOUBLES) * DOUBLES
    powers = workspace.array("powers", (stft.bins, width))
    plan, window = plan_of(stft.n_fft), stft.window_values()
    if plan is None:
        powers[:, count:] = 0.0
        # In float64 from here on, as in the kernels; otherwise a clip's mean would be subtracted in float32.
        frames = (frame(padded, stft.frame_samples, stft.hop)[:count].astype(np.float64) - mean) * scale
        spectrum = rfft(stft.prepared(frames) * window, stft.n_fft)
        powers[:, :count] = (spectrum.real * spectrum.real + spectrum.imag * spectrum.imag).T
        return powers
    if stft.windowed_only:
        rows = min(stft.hop, len(window))
        needed = width + (len(window) - 1) // rows
        # An odd number of cache lines in a row: with a power of two, all rows would compete for the same few lines.
        columns = workspace.array("columns", (rows, (-(-needed // DOUBLES) | 1) * DOUBLES))
        _lay_out(padded, mean, scale, stft.hop, columns)
    else:
        columns = workspace.array("columns", (len(window), width))
        columns[:, count:] = 0.0
        columns[:, :count] = stft.prepared(frame(padded, len(window), stft.hop)[:count]).T
    buffers = workspace.array("stages", (2, DOUBLES * stft.n_fft))
    layout = _layout(stft.window, stft.frame_length, stft.frame_samples, stft.n_fft, len(columns))
    _transform_all(columns, layout, (plan.radices, plan.starts, plan.roots), buffers, powers)
    return powers


@njit(cache=True, nogil=True)
def _lay_out(wave: NDArray[np.floating], mean: float, scale: float, hop: int, columns: NDArray[np.float64]) -> None:
    """Write rows of one hop, standardized, with zeros after the waveform's end."""
    rows, count = columns.shape
    flat = columns.reshape(-1)
    for c in range(0, count, DOUBLES):
        whole = rows // DOUBLES * DOUBLES if (c + DOUBLES - 1) * hop + rows <= wave.size else 0
        for r in range(0, whole, DOUBLES):
            standardize(wave, c * hop + r, hop, flat, r * count + c, count, (mean, scale))
        for one in range(c, c + DOUBLES):
            there = min(rows, max(0, wave.size - one * hop))
            for r in range(whole, there):
                columns[r, one] = (wave[one * hop + r] - mean) * scale
            for r in range(max(whole, there), rows):
                columns[r, one] = 0.0


@lru_cache(maxsize=64)
def _layout(window: str, win_length: int, frame_samples: int, n_fft: int, rows: int) -> Layout:
    """Return the window over `n_fft` samples, and the position of each sample: its row, and its shift to the right.

    Samples after the frame have no weight, wherever they are.
    """
    values, at = np.zeros(n_fft), np.arange(n_fft)
    values[:frame_samples] = window_values(window, win_length, frame_samples)
    at[frame_samples:] = 0
    return values, at % rows, at // rows


@njit(cache=True, nogil=True)
def _transform_all(
    columns: NDArray[np.float64],
    layout: Layout,
    plan: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
    buffers: NDArray[np.float64],
    powers: NDArray[np.float64],
) -> None:
    flat, out = columns.reshape(-1), powers.reshape(-1)
    strides = columns.shape[1], powers.shape[1]
    for t in range(0, powers.shape[1], DOUBLES):
        power_spectrum(plan, flat, layout, strides, (buffers[0], buffers[1]), out, t)
