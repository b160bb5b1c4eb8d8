"""Squared magnitudes of frames, eight frames of float64 or sixteen of float32 at a time, compiled.

The waveform is first laid out in rows of one hop, `column[r, c] = wave[c · hop + r]`: sample `k` of frame `t` is then
`column[k mod hop, t + k div hop]`, and neighbouring frames are contiguous in memory. Frames that are changed before the
window are prepared in a buffer of their own, one for each lane.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.kernels.buffers import Workspace
from spectronorm.kernels.fft.frame_sums import RowRuns, runs_of, sum_of_frames
from spectronorm.kernels.fft.frames import Frames
from spectronorm.kernels.fft.lanes import fill, load, store
from spectronorm.kernels.fft.plan import Plan
from spectronorm.kernels.fft.transform_in_lanes import Layout, transform_frames
from spectronorm.kernels.fft.transposition import standardize
from spectronorm.kernels.jit import njit

_VECTOR_BYTES = 64
STACK = 24
"""Room for the running sums of a frame and those that wait to be added up, more than any frame needs."""
_Floats = NDArray[np.floating[Any]]


def power_in_lanes(frames: Frames, plan: Plan, powers: _Floats, workspace: Workspace) -> None:
    """Write `|X|²` of the frames into `powers` `(bin, frame)`, contiguous, with a multiple of a vector's columns.

    The arithmetic is that of the dtype of `powers`; float32 needs a float32 waveform.
    """
    dtype, lanes = powers.dtype.type, _VECTOR_BYTES // powers.itemsize
    size, width = len(frames.window), powers.shape[1]
    rows = min(frames.hop, size)
    needed = width + (size - 1) // rows
    # An odd number of cache lines in a row: with a power of two, all rows would compete for the same few lines.
    columns = workspace.array("columns", (rows, (-(-needed // lanes) | 1) * lanes), dtype)
    _lay_out(frames.wave, frames.mean, frames.scale, frames.hop, columns.reshape(-1), columns.shape[1])
    buffers = workspace.array("stages", (2, lanes * plan.n), dtype)
    window = np.zeros(plan.n, dtype)
    window[:size] = frames.window
    roots = plan.roots if dtype is np.float64 else plan.roots.astype(dtype)
    layout = (window, *places(size, plan.n, rows))
    if not frames.windowed_only:
        prepared = workspace.array("prepared", (size, (width // lanes | 1) * lanes), dtype)
        signals = workspace.array("one prepared", ((size + STACK) * lanes,), dtype)
        runs = runs_of(size) if frames.remove_mean else NO_RUNS
        change = runs, float(frames.preemphasis)
        strides = columns.shape[1], prepared.shape[1]
        prepare_frames(columns.reshape(-1), layout, strides, change, signals, prepared.reshape(-1), size, width)
        columns, layout = prepared, (window, *places(size, plan.n, size))
    stages = plan.radices, plan.starts, roots
    strides = columns.shape[1], width
    transform_frames(columns.reshape(-1), layout, strides, stages, (buffers[0], buffers[1]), powers.reshape(-1))


NO_RUNS = np.empty((0, 3), dtype=np.int64)


@lru_cache(maxsize=64)
def places(size: int, n_fft: int, rows: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the row of each of `n_fft` samples, and its shift to the right.

    Samples after the frame have no weight, wherever they are.
    """
    at = np.arange(n_fft)
    at[size:] = 0
    return at % rows, at // rows


@njit(cache=True, nogil=True)
def _lay_out(wave: _Floats, mean: float, scale: float, hop: int, columns: _Floats, count: int) -> None:
    """Write rows of one hop, standardized, with zeros after the waveform's end, to a flat array of `count` columns."""
    rows = columns.size // count
    lanes = _VECTOR_BYTES // columns.itemsize
    rest = mean - np.float64(columns.dtype.type(mean))
    for c in range(0, count, lanes):
        whole = rows // lanes * lanes if (c + lanes - 1) * hop + rows <= wave.size else 0
        for r in range(0, whole, lanes):
            standardize(wave, c * hop + r, hop, columns, r * count + c, count, (mean, rest, scale))
        for one in range(c, c + lanes):
            for r in range(whole, rows):
                at = one * hop + r
                columns[r * count + one] = (wave[at] - mean) * scale if at < wave.size else 0.0


@njit(cache=True, nogil=True)
def prepare_frames(
    flat: _Floats,
    layout: Layout,
    strides: tuple[int, int],
    change: tuple[RowRuns, float],
    signals: _Floats,
    out: _Floats,
    size: int,
    width: int,
) -> None:
    """Write `width` frames without their means, if there are runs, and pre-emphasized.

    Frames of `size` samples are read from the columns and written `(sample, frame)`; both arrays are flat, and have
    the strides of their rows.
    """
    (_, rows, shifts), (runs, preemphasis) = layout, change
    stride, step = strides
    lanes = _VECTOR_BYTES // signals.itemsize
    stack, coefficient = signals[size * lanes :], fill(signals, preemphasis)
    for t in range(0, width, lanes):
        for k in range(size):
            store(signals, k * lanes, load(flat, rows[k] * stride + shifts[k] + t))
        mean = fill(signals, 0.0)
        if runs.shape[0]:
            sum_of_frames(signals, runs, stack, lanes)
            mean = load(stack, 0) / fill(signals, size)
        before = load(signals, 0) - mean
        for k in range(size):
            sample = load(signals, k * lanes) - mean
            store(out, k * step + t, sample - coefficient * before)
            before = sample
