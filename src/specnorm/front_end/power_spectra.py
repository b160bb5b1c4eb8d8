"""Squared magnitudes of a block of frames, eight frames at a time, as `(bin, frame)`.

The wave of a block is first laid out in rows of one hop, `column[r, c] = wave[c · hop + r]`: sample `k` of frame `t` is
then `column[k mod hop, t + k div hop]`, and eight neighbouring frames lie side by side in memory.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnorm.arrays import frame, rfft
from specnorm.compiled import njit
from specnorm.fourier import plan_of, transform
from specnorm.fourier.lanes import DOUBLES, fill, load, store
from specnorm.fourier.transposition import standardize
from specnorm.front_end.stft import STFT
from specnorm.workspace import Workspace


def power_spectra(
    padded: NDArray[np.floating], mean: float, scale: float, stft: STFT, count: int, workspace: Workspace
) -> NDArray[np.float64]:
    """`|X|²` of the first `count` frames of `(padded - mean) · scale`, as `(bin, frame)`, contiguous.

    There are columns beyond `count`, up to a multiple of eight; they are finite, and mean nothing. The result is valid
    until the next call.
    """
    width = -(-count // DOUBLES) * DOUBLES
    powers = workspace.array("powers", (stft.bins, width))
    plan, window = plan_of(stft.n_fft), stft.window_values()
    if plan is None:
        powers[:, count:] = 0.0
        frames = (frame(padded, stft.frame_samples, stft.hop)[:count] - mean) * scale
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
    _transform_all(columns, window, plan.radices, plan.starts, plan.roots, buffers, powers)
    return powers


@njit(cache=True, nogil=True)
def _lay_out(wave: NDArray[np.floating], mean: float, scale: float, hop: int, columns: NDArray[np.float64]) -> None:
    """Rows of one hop, standardized; zeros after the wave's end."""
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


@njit(cache=True, nogil=True)
def _transform_all(
    columns: NDArray[np.float64],
    window: NDArray[np.float64],
    radices: NDArray[np.int64],
    starts: NDArray[np.int64],
    roots: NDArray[np.float64],
    buffers: NDArray[np.float64],
    powers: NDArray[np.float64],
) -> None:
    n, rows, stride = buffers.shape[1] // DOUBLES, columns.shape[0], columns.shape[1]
    bins, width = powers.shape
    flat, out, one, other = columns.reshape(-1), powers.reshape(-1), buffers[0], buffers[1]
    for t in range(0, width, DOUBLES):
        row, place = 0, t
        for k in range(window.size):
            store(one, k * DOUBLES, load(flat, place) * fill(flat, window[k]))
            row += 1
            place += stride
            if row == rows:
                row, place = 0, place - rows * stride + 1
        for k in range(window.size, n):
            store(one, k * DOUBLES, fill(one, 0.0))
        spectrum = transform(n, radices, starts, roots, one, other)
        first = load(spectrum, 0)
        store(out, t, first * first)
        for k in range(1, (n + 1) // 2):
            re, im = load(spectrum, (2 * k - 1) * DOUBLES), load(spectrum, 2 * k * DOUBLES)
            store(out, k * width + t, re * re + im * im)
        if n % 2 == 0:
            last = load(spectrum, (n - 1) * DOUBLES)
            store(out, (bins - 1) * width + t, last * last)
