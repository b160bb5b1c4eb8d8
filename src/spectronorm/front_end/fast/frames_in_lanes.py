"""A piece of a waveform, and the mapped levels of the few frames that it completes, in one compiled call.

The bits are those of the kernels of whole clips, which spread their work over calls that each take longer to begin than
a few frames take to compute. Everything that is not in the piece stands in one table (see `piece_table`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.front_end.fast.logarithm import LOGARITHM
from spectronorm.kernels.fft.few_frames import power_of_few
from spectronorm.kernels.fft.lanes import DOUBLES, fill, load, store
from spectronorm.kernels.fft.power_in_lanes import prepare_frames
from spectronorm.kernels.fft.transform_in_lanes import transform_frames
from spectronorm.kernels.fft.transposition import transpose
from spectronorm.kernels.jit import njit
from spectronorm.kernels.packed import numbers_of, setting, wholes_of

HOP, FEW, BANDS, IDENTITY, ROOT, CHANGES = range(6)
"""Places in the head of settings; `FEW` frames are transformed at once in split lanes, or 0."""
NUMBERS, WINDOW, ROWS, SHIFTS, RADICES, STARTS, ROOTS, LAST_ROOTS, MEAN_RUNS = range(6, 15)
WEIGHTS, FIRST, STOP, SHIFT, SCALE, FRAMES, CHANGED, SIGNALS, STAGE, OTHER_STAGE, POWERS, LEVEL = range(15, 27)
"""Places in the head of the starts of parts: tables, then buffers."""
_PREEMPHASIS, _OFFSET, _GAIN, _LIMIT = range(8, 12)
"""Places among the numbers, after the arguments of the logarithm."""
_Floats = NDArray[np.floating[Any]]
_Doubles = NDArray[np.float64]
_log: Any = LOGARITHM


@njit(cache=True, nogil=True, error_model="numpy")
def add_piece(piece: _Floats, queue: _Doubles, table: _Doubles, begin: int, end: int, into: _Floats) -> bool:
    """Write a piece into the queue from `end` on, and the frames from `begin` on into `into` `(band, frame)`.

    False, and no frame, if a sample is NaN or beyond the limit. Here and below, unsigned numbers are no places that
    count from an array's end, whose check keeps a compiler from using lanes.
    """
    numbers = numbers_of(table, NUMBERS)
    offset, gain, limit = numbers[_OFFSET], numbers[_GAIN], numbers[_LIMIT]
    beyond, at = 0, np.uintp(end)
    for i in range(np.uintp(piece.size)):
        x = np.float64(piece[i])
        beyond += not (-limit <= x <= limit)
        queue[at + i] = (x - offset) * gain
    if beyond:
        return False
    frames, hop, few = into.shape[1], setting(table, HOP), setting(table, FEW)
    for start in range(0, frames, DOUBLES):
        there = frames - start
        at_once = few if there <= few else DOUBLES
        there = there if there < DOUBLES else DOUBLES
        first = begin + start * hop
        if at_once == few:
            _few_powers(queue, first, there, table)
        else:
            _powers(queue, first, there, table)
        _write_levels(table, at_once, start, there, into)
    return True


@njit(nogil=True, inline="always")
def _powers(queue: _Doubles, begin: int, there: int, table: _Doubles) -> None:
    """Write the squared magnitudes `(bin, lane)` of up to eight frames."""
    window, powers = numbers_of(table, WINDOW), numbers_of(table, POWERS)
    frames = _cut(queue, begin, there, table)
    layout = window, wholes_of(table, ROWS), wholes_of(table, SHIFTS)
    plan = wholes_of(table, RADICES), wholes_of(table, STARTS), numbers_of(table, ROOTS)
    stages = numbers_of(table, STAGE), numbers_of(table, OTHER_STAGE)
    transform_frames(frames, layout, (DOUBLES, DOUBLES), plan, stages, powers)


@njit(nogil=True, inline="always")
def _few_powers(queue: _Doubles, begin: int, there: int, table: _Doubles) -> None:
    """Write the squared magnitudes `(bin, frame)` of the frames of one transform of few."""
    few, hop, window = setting(table, FEW), setting(table, HOP), numbers_of(table, WINDOW)
    frames, other = numbers_of(table, STAGE), numbers_of(table, OTHER_STAGE)
    size = numbers_of(table, FRAMES).size // DOUBLES
    if setting(table, CHANGES):
        changed = _cut(queue, begin, there, table)
        for k in range(size):
            for t in range(few):
                frames[k * few + t] = changed[k * DOUBLES + min(t, there - 1)] * window[k]
    else:
        _interleave(queue, begin, hop, there - 1, window, frames, size, few)
    for k in range(size * few, window.size * few):
        frames[k] = 0.0
    plan = wholes_of(table, RADICES), wholes_of(table, STARTS), numbers_of(table, ROOTS)
    power_of_few(plan, window.size, numbers_of(table, LAST_ROOTS), frames, other, numbers_of(table, POWERS))


@njit(nogil=True)
def _interleave(
    queue: _Doubles, begin: int, hop: int, last: int, window: _Doubles, out: _Doubles, size: int, few: int
) -> None:
    """Write windowed frames `(sample, frame)`, flat, with the last one in place of those behind it."""
    first, two, three = np.uintp(begin), np.uintp(2), np.uintp(3)
    if few == 2:
        second = np.uintp(begin + last * hop)
        for k in range(np.uintp(size)):
            at = two * k
            out[at] = queue[first + k] * window[k]
            out[at + np.uintp(1)] = queue[second + k] * window[k]
        return
    second, third = np.uintp(begin + min(1, last) * hop), np.uintp(begin + min(2, last) * hop)
    fourth = np.uintp(begin + last * hop)
    for k in range(np.uintp(size)):
        at = two * two * k
        out[at] = queue[first + k] * window[k]
        out[at + np.uintp(1)] = queue[second + k] * window[k]
        out[at + two] = queue[third + k] * window[k]
        out[at + three] = queue[fourth + k] * window[k]


@njit(nogil=True, inline="always")
def _cut(queue: _Doubles, begin: int, there: int, table: _Doubles) -> Any:
    """Return frames `(sample, lane)` from `begin` on, flat; lanes without a frame keep what they hold."""
    frames, hop = numbers_of(table, FRAMES), setting(table, HOP)
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
    change = runs.reshape((runs.size // 3, 3)), numbers_of(table, NUMBERS)[_PREEMPHASIS]
    prepare_frames(frames, layout, strides, change, numbers_of(table, SIGNALS), changed, size, DOUBLES)
    return changed


@njit(nogil=True, error_model="numpy")
def _write_levels(table: _Doubles, at_once: int, start: int, there: int, into: _Floats) -> None:
    """Write the mapped levels of powers `(bin, frame)` of which `there` frames are meant."""
    bands, powers, level = setting(table, BANDS), numbers_of(table, POWERS), numbers_of(table, LEVEL)
    if setting(table, ROOT):
        for i in range(powers.size - DOUBLES):
            powers[i] = np.sqrt(powers[i])
    _gather(table, at_once, there)
    shift, scale = numbers_of(table, SHIFT), numbers_of(table, SCALE)
    kind, n = into.dtype.type, numbers_of(table, NUMBERS)
    _log(level[: bands * there], n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7])
    for band in range(bands):
        for t in range(there):
            into[band, start + t] = (kind(level[band * there + t]) - kind(shift[band])) / kind(scale[band])


@njit(nogil=True)
def _gather(table: _Doubles, at_once: int, there: int) -> None:
    """Write sums over runs of bins as `(band, frame)`."""
    bands, powers, level = setting(table, BANDS), numbers_of(table, POWERS), numbers_of(table, LEVEL)
    if setting(table, IDENTITY):
        for band in range(bands):
            for t in range(there):
                level[band * there + t] = powers[band * at_once + t]
        return
    weights, first, stop = numbers_of(table, WEIGHTS), wholes_of(table, FIRST), wholes_of(table, STOP)
    at = 0
    for band in range(bands):
        total = fill(powers, 0.0)
        for k in range(first[band], stop[band]):
            total = total + fill(powers, weights[at]) * load(powers, k * at_once)
            at += 1
        # Lanes beyond the frames that are there are overwritten by the next band.
        store(level, band * there, total)
