"""A piece of a waveform that completes many frames, eight of which are computed at once: one for each lane."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.front_end.fast.few_in_lanes import (
    BEGIN,
    CHANGED,
    CHANGES,
    FEW,
    FRAMES,
    HOP,
    MEAN_RUNS,
    NUMBERS,
    OTHER_STAGE,
    POWERS,
    PREEMPHASIS,
    QUEUE,
    RADICES,
    ROOTS,
    ROWS,
    SHIFTS,
    SIGNALS,
    STAGE,
    STARTS,
    WINDOW,
    WRITTEN,
    take_piece,
    write_few,
    write_levels,
)
from spectronorm.kernels.fft.lanes import DOUBLES
from spectronorm.kernels.fft.power_in_lanes import prepare_frames
from spectronorm.kernels.fft.transform_in_lanes import transform_frames
from spectronorm.kernels.fft.transposition import transpose
from spectronorm.kernels.jit import called, njit
from spectronorm.kernels.packed import numbers_of, set_setting, setting, wholes_of

_MOST_BY_FEW = 6
"""Largest number of frames that take less time few by few than all at once, with lanes that nothing fills."""
_Floats = NDArray[np.floating[Any]]
_Doubles = NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def add_long_piece(piece: _Floats, table: _Doubles, into: _Floats) -> bool:
    """Do the work of `add_piece`."""
    if not take_piece(piece, table):
        return False
    frames, few = into.shape[1], setting(table, FEW)
    for start in range(0, frames, DOUBLES):
        there = frames - start
        there = there if there < DOUBLES else DOUBLES
        if few and there <= _MOST_BY_FEW:
            for part in range(0, there, few):
                rest = there - part
                write_few(table, start + part, rest if rest < few else few, into)
        else:
            _write_powers(setting(table, BEGIN) + start * setting(table, HOP), there, table)
            write_levels(table, DOUBLES, start, there, into)
    set_setting(table, BEGIN, setting(table, BEGIN) + frames * setting(table, HOP))
    set_setting(table, WRITTEN, setting(table, WRITTEN) + frames)
    return True


@called
def _write_powers(begin: int, there: int, table: _Doubles) -> None:
    """Write the squared magnitudes `(bin, lane)` of up to eight frames."""
    window, powers = numbers_of(table, WINDOW), numbers_of(table, POWERS)
    frames = _cut(begin, there, table)
    layout = window, wholes_of(table, ROWS), wholes_of(table, SHIFTS)
    plan = wholes_of(table, RADICES), wholes_of(table, STARTS), numbers_of(table, ROOTS)
    stages = numbers_of(table, STAGE), numbers_of(table, OTHER_STAGE)
    transform_frames(frames, layout, (DOUBLES, DOUBLES), plan, stages, powers, 0)


@called
def _cut(begin: int, there: int, table: _Doubles) -> Any:
    """Return frames `(sample, lane)` from `begin` on, flat; lanes without a frame keep what they hold."""
    queue, frames, hop = numbers_of(table, QUEUE), numbers_of(table, FRAMES), setting(table, HOP)
    size = frames.size // DOUBLES
    whole = size // DOUBLES * DOUBLES if there == DOUBLES else 0
    for k in range(0, whole, DOUBLES):
        transpose(queue, begin + k, hop, frames, k * DOUBLES, DOUBLES)
    for t in range(there):
        for k in range(whole, size):
            frames[k * DOUBLES + t] = queue[begin + t * hop + k]
    if not setting(table, CHANGES):
        return frames
    changed, strides = numbers_of(table, CHANGED), (DOUBLES, DOUBLES)
    layout = numbers_of(table, WINDOW), wholes_of(table, ROWS), wholes_of(table, SHIFTS)
    runs = wholes_of(table, MEAN_RUNS)
    change = runs.reshape((runs.size // 3, 3)), numbers_of(table, NUMBERS)[PREEMPHASIS]
    prepare_frames(frames, layout, strides, change, numbers_of(table, SIGNALS), changed, size, DOUBLES)
    return changed
