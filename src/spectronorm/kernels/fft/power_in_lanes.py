"""Squared magnitudes of frames, eight frames at a time, compiled.

The waveform is first laid out in rows of one hop, `column[r, c] = wave[c · hop + r]`: sample `k` of frame `t` is then
`column[k mod hop, t + k div hop]`, and eight neighbouring frames are contiguous in memory.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spectronorm.kernels.buffers import Workspace
from spectronorm.kernels.fft.frames import Frames
from spectronorm.kernels.fft.lanes import DOUBLES
from spectronorm.kernels.fft.plan import Plan
from spectronorm.kernels.fft.transform_in_lanes import Layout, power_spectrum
from spectronorm.kernels.fft.transposition import standardize
from spectronorm.kernels.jit import njit


def power_in_lanes(frames: Frames, plan: Plan, powers: NDArray[np.float64], workspace: Workspace) -> None:
    """Write `|X|²` of the frames into `powers` `(bin, frame)`, contiguous, with a multiple of eight columns."""
    size, width = len(frames.window), powers.shape[1]
    rows = min(frames.hop, size)
    needed = width + (size - 1) // rows
    # An odd number of cache lines in a row: with a power of two, all rows would compete for the same few lines.
    columns = workspace.array("columns", (rows, (-(-needed // DOUBLES) | 1) * DOUBLES))
    _lay_out(frames.wave, frames.mean, frames.scale, frames.hop, columns)
    buffers = workspace.array("stages", (2, DOUBLES * plan.n))
    window = np.zeros(plan.n)
    window[:size] = frames.window
    _transform_all(
        columns, (window, *_places(size, plan.n, rows)), (plan.radices, plan.starts, plan.roots), buffers, powers
    )


@lru_cache(maxsize=64)
def _places(size: int, n_fft: int, rows: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the row of each of `n_fft` samples, and its shift to the right.

    Samples after the frame have no weight, wherever they are.
    """
    at = np.arange(n_fft)
    at[size:] = 0
    return at % rows, at // rows


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
