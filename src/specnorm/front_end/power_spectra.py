"""Squared magnitudes of a block of frames, eight frames at a time, as `(bin, frame)`.

The wave of a block is first laid out in rows of one hop, `column[r, c] = wave[c · hop + r]`: sample `k` of frame `t` is
then `column[k mod hop, t + k div hop]`, and eight neighbouring frames lie side by side in memory.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from specnorm.arrays import frame, rfft
from specnorm.front_end.lanes import WIDTH, fill, load, store
from specnorm.front_end.real_fft import plan_of, transform
from specnorm.front_end.stft import STFT
from specnorm.front_end.workspace import Workspace


def power_spectra(
    padded: NDArray[np.floating], mean: float, scale: float, stft: STFT, count: int, workspace: Workspace
) -> NDArray[np.float64]:
    """`|X|²` of the first `count` frames of `(padded - mean) · scale`, as `(bin, frame)`.

    There are columns beyond `count`, up to a multiple of eight; they are finite, and mean nothing. The result is valid
    until the next call.
    """
    width = -(-count // WIDTH) * WIDTH
    powers = workspace.array("powers", (stft.bins, width))
    plan = plan_of(stft.n_fft)
    if plan is None:
        powers[:, count:] = 0.0
        _by_numpy(padded, mean, scale, stft, count, powers)
        return powers
    if stft.windowed_only:
        rows = min(stft.hop, stft.frame_samples)
        columns = workspace.array("columns", (rows, width + (stft.frame_samples - 1) // rows))
        _lay_out(padded, mean, scale, stft.hop, columns)
    else:
        columns = workspace.array("columns", (stft.frame_samples, width))
        columns[:, count:] = 0.0
        columns[:, :count] = stft.prepared(frame(padded, stft.frame_samples, stft.hop)[:count]).T
    one, other = (workspace.array(name, (WIDTH * stft.n_fft,)) for name in ("one", "other"))
    window = stft.window_values()
    _transform_all(columns, window, plan.radices, plan.starts, plan.roots, one, other, powers)
    return powers


def _by_numpy(
    padded: NDArray[np.floating], mean: float, scale: float, stft: STFT, count: int, powers: NDArray[np.float64]
) -> None:
    """For lengths that have no plan."""
    frames = (frame(padded, stft.frame_samples, stft.hop)[:count] - mean) * scale
    spectrum = rfft(stft.prepared(frames) * stft.window_values(), stft.n_fft)
    powers[:, :count] = (spectrum.real * spectrum.real + spectrum.imag * spectrum.imag).T


@numba.njit(cache=True, nogil=True)
def _lay_out(
    wave: NDArray[np.floating], mean: float, scale: float, hop: int, columns: NDArray[np.float64]
) -> None:
    """Rows of one hop, standardized; zeros after the wave's end."""
    rows, count = columns.shape
    for c in range(count):
        there = min(rows, max(0, wave.size - c * hop))
        for r in range(there):
            columns[r, c] = (wave[c * hop + r] - mean) * scale
        for r in range(there, rows):
            columns[r, c] = 0.0


@numba.njit(cache=True, nogil=True)
def _transform_all(  # noqa: PLR0913, PLR0917  (a compiled kernel takes its arrays one by one)
    columns: NDArray[np.float64],
    window: NDArray[np.float64],
    radices: NDArray[np.int64],
    starts: NDArray[np.int64],
    roots: NDArray[np.float64],
    one: NDArray[np.float64],
    other: NDArray[np.float64],
    powers: NDArray[np.float64],
) -> None:
    n, rows, stride = one.size // WIDTH, columns.shape[0], columns.shape[1]
    bins, width = powers.shape
    flat, out = columns.reshape(-1), powers.reshape(-1)
    for t in range(0, width, WIDTH):
        row, place = 0, t
        for k in range(window.size):
            store(one, k * WIDTH, load(flat, place) * fill(window[k]))
            row += 1
            place += stride
            if row == rows:
                row, place = 0, place - rows * stride + 1
        for k in range(window.size, n):
            store(one, k * WIDTH, fill(0.0))
        spectrum = transform(n, radices, starts, roots, one, other)
        first = load(spectrum, 0)
        store(out, t, first * first)
        for k in range(1, (n + 1) // 2):
            re, im = load(spectrum, (2 * k - 1) * WIDTH), load(spectrum, 2 * k * WIDTH)
            store(out, k * width + t, re * re + im * im)
        if n % 2 == 0:
            last = load(spectrum, (n - 1) * WIDTH)
            store(out, (bins - 1) * width + t, last * last)
