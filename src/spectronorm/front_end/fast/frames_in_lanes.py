"""Mapped levels of a few frames in one compiled call: frames, transform, bands, logarithm and map, eight at a time.

The bits are those of the kernels of whole clips, which spread their work over calls that each take longer to begin than
a few frames take to compute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.front_end.fast.logarithm import LOGARITHM, logarithm_numbers
from spectronorm.kernels.buffers import Workspace
from spectronorm.kernels.fft.frame_sums import runs_of
from spectronorm.kernels.fft.lanes import DOUBLES, fill, load, store
from spectronorm.kernels.fft.plan import plan_of
from spectronorm.kernels.fft.power_in_lanes import NO_RUNS, STACK, places, prepare_frames
from spectronorm.kernels.fft.transform_in_lanes import transform_frames
from spectronorm.kernels.fft.transposition import transpose
from spectronorm.kernels.jit import njit

if TYPE_CHECKING:
    from spectronorm.front_end.fast.frame_writer import FrameWriter

_Floats = NDArray[np.floating[Any]]
_log: Any = LOGARITHM


def write_in_lanes(writer: FrameWriter, samples: NDArray[np.float64], begin: int, end: int, into: _Floats) -> None:
    """Write the levels of the frames of `samples[begin:end]`, the number of which `into` `(band, frame)` says."""
    del end
    if writer.prepared is None:
        writer.prepared = _prepared(writer)
    _write(samples, begin, into, writer.shift, writer.scale, writer.prepared)


def _prepared(writer: FrameWriter) -> tuple[Any, ...]:
    """Settings, tables and buffers for the kernel."""
    stft, runs, bands = writer.blocks.stft, writer.blocks.runs, writer.blocks.bands
    plan, log, size, room = plan_of(stft.n_fft), writer.logarithm, stft.frame_samples, Workspace()
    if plan is None or log is None:
        raise ValueError("frames are written in lanes only if there is a plan for them, and a logarithm")
    window = np.zeros(plan.n)
    window[:size] = stft.window_values()
    frames = room.array("frames", (size * DOUBLES,))
    changed, before = frames, room.array("before", (1,))
    if not stft.windowed_only:
        changed = room.array("changed", (size * DOUBLES,))
        before = room.array("before", ((size + STACK) * DOUBLES,))
    for array in (frames, changed):
        array[:] = 0.0
    change = (runs_of(size) if stft.remove_dc_offset else NO_RUNS, float(stft.preemphasis))
    powers = room.array("powers", (stft.bins * DOUBLES,))
    matrix = np.empty((0, 0)) if runs.identity else runs.matrix
    gathered = powers if runs.identity else room.array("bands", (bands * DOUBLES,))
    stages = room.array("stages", (2, DOUBLES * plan.n))
    return (
        (stft.hop, stft.power == 1.0, not stft.windowed_only, bands),
        (frames, changed, before, (stages[0], stages[1])),
        (window, *places(size, plan.n, size)),
        change,
        (plan.radices, plan.starts, plan.roots),
        (matrix, runs.first, runs.stop),
        (powers, gathered, room.array("level", (bands * DOUBLES,))),
        logarithm_numbers(log),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _write(
    samples: NDArray[np.float64], begin: int, into: _Floats, shift: _Floats, scale: _Floats, prepared: Any
) -> None:
    (hop, root, changes, bands), buffers, layout, change, stages, runs, (powers, gathered, level), log = prepared
    frames, changed, before, between = buffers
    strides, size = (DOUBLES, DOUBLES), frames.size // DOUBLES
    amin, offset, high, low, unit, factor, moved, least = log
    for start in range(0, into.shape[1], DOUBLES):
        there = into.shape[1] - start
        there = there if there < DOUBLES else DOUBLES
        _cut(samples, begin + start * hop, hop, there, frames)
        if changes:
            prepare_frames(frames, layout, strides, change, before, changed, size, DOUBLES)
        transform_frames(changed, layout, strides, stages, between, powers)
        _gather(powers, root, runs, gathered)
        for band in range(bands):
            for t in range(there):
                level[band * there + t] = gathered[band * DOUBLES + t]
        _log(level[: bands * there], amin, offset, high, low, unit, factor, moved, least)
        for band in range(bands):
            for t in range(there):
                rounded = shift.dtype.type(level[band * there + t])
                into[band, start + t] = (rounded - shift[band]) / scale[band]


@njit(cache=True, nogil=True)
def _cut(samples: NDArray[np.float64], begin: int, hop: int, there: int, frames: _Floats) -> None:
    """Write the frames `(sample, lane)` from `begin` on; lanes without a frame keep what they hold."""
    size = frames.size // DOUBLES
    whole = size // DOUBLES * DOUBLES if there == DOUBLES else 0
    for k in range(0, whole, DOUBLES):
        transpose(samples, begin + k, hop, frames, k * DOUBLES, DOUBLES)
    for t in range(there):
        for k in range(whole, size):
            frames[k * DOUBLES + t] = samples[begin + t * hop + k]


@njit(cache=True, nogil=True)
def _gather(powers: _Floats, root: bool, runs: Any, gathered: _Floats) -> None:
    """Take the roots of powers `(bin, lane)` if magnitudes are asked for, and write their sums over runs of bins."""
    if root:
        for i in range(powers.size):
            powers[i] = np.sqrt(powers[i])
    matrix, first, stop = runs
    for band in range(matrix.shape[0]):
        total = fill(powers, 0.0)
        for k in range(first[band], stop[band]):
            total = total + fill(powers, matrix[band, k]) * load(powers, k * DOUBLES)
        store(gathered, band * DOUBLES, total)
