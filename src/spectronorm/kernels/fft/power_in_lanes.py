"""Squared magnitudes of frames, eight frames of float64 or sixteen of float32 at a time, compiled.

The waveform is first laid out in rows of one hop, `column[r, c] = wave[c · hop + r]`: sample `k` of frame `t` is then
`column[k mod hop, t + k div hop]`, and neighbouring frames are contiguous in memory. Frames that are changed before the
window are prepared in a buffer of their own, one for each lane.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

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


def power_in_lanes(
    frames: Frames, plan: Plan, powers: _Floats, workspace: Workspace, *, root: bool = False, first: int = 0
) -> None:
    """Write `|X|²` of the frames from `first` on, or its root, into `powers` `(bin, frame)`, contiguous.

    It has a multiple of a vector's columns. The arithmetic is that of its dtype; float32 needs a float32 waveform.
    """
    calls = frames.kept.get(powers.shape)
    if calls is None or calls.powers is not powers:
        calls = frames.kept[powers.shape] = _calls(frames, plan, powers, workspace, root)
    begin = frames.begin - len(frames.before) + first * frames.hop
    _lay_out(frames.parts, begin, (frames.mean, frames.scale), frames.hop, calls.columns, calls.stride)
    if calls.prepare is not None:
        prepare_frames(*calls.prepare)
    transform_frames(*calls.transform)


class _Calls(NamedTuple):
    """Arguments of the kernels, which many blocks share: after a kernel, Python's own memory is far from its caches."""

    powers: _Floats
    columns: _Floats
    stride: int
    prepare: tuple[Any, ...] | None
    transform: tuple[Any, ...]


def _calls(frames: Frames, plan: Plan, powers: _Floats, workspace: Workspace, root: bool) -> _Calls:
    dtype, lanes = powers.dtype.type, _VECTOR_BYTES // powers.itemsize
    size, width = len(frames.window), powers.shape[1]
    rows = min(frames.hop, size)
    needed = width + (size - 1) // rows
    # An odd number of cache lines in a row: with a power of two, all rows would compete for the same few lines.
    stride = (-(-needed // lanes) | 1) * lanes
    columns = workspace.array("columns", (rows, stride), dtype).reshape(-1)
    lay_out = columns, stride
    buffers = workspace.array("stages", (2, lanes * plan.n), dtype)
    layout, roots = _tables(_Same(frames.window), plan, rows, powers.dtype)
    prepare = None
    if not frames.windowed_only:
        step = (width // lanes | 1) * lanes
        prepared = workspace.array("prepared", (size, step), dtype).reshape(-1)
        signals = workspace.array("one prepared", ((size + STACK) * lanes,), dtype)
        change = runs_of(size) if frames.remove_mean else NO_RUNS, float(frames.preemphasis)
        prepare = columns, layout, (stride, step), change, signals, prepared, size, width
        columns, stride, (layout, _) = prepared, step, _tables(_Same(frames.window), plan, size, powers.dtype)
    stages, pair = (plan.radices, plan.starts, roots), (buffers[0], buffers[1])
    transform = columns, layout, (stride, width), stages, pair, powers.reshape(-1), int(root)
    return _Calls(powers, *lay_out, prepare, transform)


class _Same:
    """An array as a key: equal to itself if it cannot be written to."""

    def __init__(self, array: _Floats) -> None:
        self.array = array

    def __hash__(self) -> int:
        return id(self.array)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.array is self.array and not self.array.flags.writeable


@lru_cache(maxsize=64)
def _tables(window: _Same, plan: Plan, rows: int, dtype: np.dtype[Any]) -> tuple[Layout, _Floats]:
    """Return the layout of frames that are read from this number of rows, and the roots of unity, in this precision."""
    size = len(window.array)
    values = np.zeros(plan.n, dtype)
    values[:size] = window.array
    return (values, *places(size, plan.n, rows)), plan.roots.astype(dtype)


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
def _lay_out(
    parts: tuple[_Floats, _Floats, _Floats],
    begin: int,
    change: tuple[float, float],
    hop: int,
    columns: _Floats,
    count: int,
) -> None:
    """Write rows of one hop, standardized, with zeros after the end, to a flat array of `count` columns.

    The parts are a waveform, and what stands before and behind it; the first column begins with its sample `begin`,
    which is negative before it.
    """
    (wave, before, behind), (mean, scale) = parts, change
    rows = columns.size // count
    lanes = _VECTOR_BYTES // columns.itemsize
    rest = mean - np.float64(columns.dtype.type(mean))
    for c in range(0, count, lanes):
        first = begin + c * hop
        whole = rows // lanes * lanes if first >= 0 and first + (lanes - 1) * hop + rows <= wave.size else 0
        for r in range(0, whole, lanes):
            standardize(wave, first + r, hop, columns, r * count + c, count, (mean, rest, scale))
        for one in range(c, c + lanes):
            for r in range(whole, rows):
                at = begin + one * hop + r
                sample, there = 0.0, True
                if at < 0:
                    sample = np.float64(before[before.size + at])
                elif at < wave.size:
                    sample = np.float64(wave[at])
                elif at - wave.size < behind.size:
                    sample = np.float64(behind[at - wave.size])
                else:
                    there = False
                columns[r * count + one] = (sample - mean) * scale if there else 0.0


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
