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

HEAD, PARTS = 64, 28
"""Length of a table's head, and distance in it from a part's start to its end."""
HOP, FEW, BANDS, IDENTITY, ROOT, CHANGES = range(6)
"""Places in the head of settings; `FEW` frames are transformed at once in split lanes, or 0."""
NUMBERS, WINDOW, ROWS, SHIFTS, RADICES, STARTS, ROOTS, LAST_ROOTS, MEAN_RUNS = range(6, 15)
WEIGHTS, FIRST, STOP, SHIFT, SCALE, FRAMES, CHANGED, SIGNALS, STAGES, POWERS, LEVEL = range(15, 26)
"""Places in the head of the starts of parts: tables, then buffers."""
_PREEMPHASIS, _OFFSET, _GAIN, _LIMIT = range(8, 12)
"""Places among the numbers, after the arguments of the logarithm."""
_Floats = NDArray[np.floating[Any]]
_Doubles = NDArray[np.float64]
_log: Any = LOGARITHM


@njit(nogil=True, inline="always")
def _part(table: _Doubles, head: Any, place: int) -> Any:
    return table[head[place] : head[place + PARTS]]


@njit(nogil=True, inline="always")
def _whole(table: _Doubles, head: Any, place: int) -> Any:
    return table[head[place] : head[place + PARTS]].view(np.int64)


@njit(cache=True, nogil=True, error_model="numpy")
def add_piece(piece: _Floats, queue: _Doubles, table: _Doubles, begin: int, end: int, into: _Floats) -> bool:
    """Write a piece into the queue from `end` on, and the frames from `begin` on into `into` `(band, frame)`.

    False, and no frame, if a sample is NaN or beyond the limit.
    """
    head = table[:HEAD].view(np.int64)
    numbers = _part(table, head, NUMBERS)
    offset, gain, limit = numbers[_OFFSET], numbers[_GAIN], numbers[_LIMIT]
    beyond = 0
    for i in range(piece.size):
        x = np.float64(piece[i])
        beyond += not (-limit <= x <= limit)
        queue[end + i] = (x - offset) * gain
    if beyond:
        return False
    frames, hop, few, start = into.shape[1], head[HOP], head[FEW], 0
    while start < frames:
        there = min(DOUBLES, frames - start)
        at_once = few if there <= 2 * few else DOUBLES
        there = min(there, at_once)
        first = begin + start * hop
        if at_once == few:
            _few_powers(queue, first, there, table, head)
        else:
            _powers(queue, first, there, table, head)
        _write_levels(table, head, at_once, start, there, into)
        start += there
    return True


@njit(nogil=True)
def _powers(queue: _Doubles, begin: int, there: int, table: _Doubles, head: Any) -> None:
    """Write the squared magnitudes `(bin, lane)` of up to eight frames."""
    window, powers = _part(table, head, WINDOW), _part(table, head, POWERS)
    frames = _cut(queue, begin, there, table, head)
    layout = window, _whole(table, head, ROWS), _whole(table, head, SHIFTS)
    plan = _whole(table, head, RADICES), _whole(table, head, STARTS), _part(table, head, ROOTS)
    stages, half = _part(table, head, STAGES), window.size * DOUBLES
    transform_frames(frames, layout, (DOUBLES, DOUBLES), plan, (stages[:half], stages[half:]), powers)


@njit(nogil=True)
def _few_powers(queue: _Doubles, begin: int, there: int, table: _Doubles, head: Any) -> None:
    """Write the squared magnitudes `(bin, frame)` of as many frames as a transform of few takes."""
    few, hop, window = head[FEW], head[HOP], _part(table, head, WINDOW)
    stages, half = _part(table, head, STAGES), few * window.size
    frames, other = stages[:half], stages[half : 2 * half]
    size = _part(table, head, FRAMES).size // DOUBLES
    if head[CHANGES]:
        changed = _cut(queue, begin, there, table, head)
        for k in range(size):
            for t in range(few):
                frames[k * few + t] = changed[k * DOUBLES + min(t, there - 1)] * window[k]
    elif few == 2:
        second = begin + (there - 1) * hop
        for k in range(size):
            frames[2 * k] = queue[begin + k] * window[k]
            frames[2 * k + 1] = queue[second + k] * window[k]
    else:
        second, third, last = (
            begin + min(there - 1, 1) * hop,
            begin + min(there - 1, 2) * hop,
            begin + (there - 1) * hop,
        )
        for k in range(size):
            frames[4 * k] = queue[begin + k] * window[k]
            frames[4 * k + 1] = queue[second + k] * window[k]
            frames[4 * k + 2] = queue[third + k] * window[k]
            frames[4 * k + 3] = queue[last + k] * window[k]
    frames[size * few :] = 0.0
    plan = _whole(table, head, RADICES), _whole(table, head, STARTS), _part(table, head, ROOTS)
    power_of_few(plan, _part(table, head, LAST_ROOTS), frames, other, _part(table, head, POWERS))


@njit(nogil=True)
def _cut(queue: _Doubles, begin: int, there: int, table: _Doubles, head: Any) -> Any:
    """Return frames `(sample, lane)` from `begin` on, flat; lanes without a frame keep what they hold."""
    frames, hop = _part(table, head, FRAMES), head[HOP]
    size = frames.size // DOUBLES
    whole = size // DOUBLES * DOUBLES if there == DOUBLES else 0
    for k in range(0, whole, DOUBLES):
        transpose(queue, begin + k, hop, frames, k * DOUBLES, DOUBLES)
    for t in range(there):
        for k in range(whole, size):
            frames[k * DOUBLES + t] = queue[begin + t * hop + k]
    if not head[CHANGES]:
        return frames
    changed, strides = _part(table, head, CHANGED), (DOUBLES, DOUBLES)
    layout = _part(table, head, WINDOW), _whole(table, head, ROWS), _whole(table, head, SHIFTS)
    runs = _whole(table, head, MEAN_RUNS)
    change = runs.reshape((runs.size // 3, 3)), _part(table, head, NUMBERS)[_PREEMPHASIS]
    prepare_frames(frames, layout, strides, change, _part(table, head, SIGNALS), changed, size, DOUBLES)
    return changed


@njit(nogil=True, error_model="numpy")
def _write_levels(table: _Doubles, head: Any, at_once: int, start: int, there: int, into: _Floats) -> None:
    """Write the mapped levels of powers `(bin, frame)` of which `there` frames are meant."""
    bands, powers, level = head[BANDS], _part(table, head, POWERS), _part(table, head, LEVEL)
    if head[ROOT]:
        for i in range(powers.size - DOUBLES):
            powers[i] = np.sqrt(powers[i])
    _gather(table, head, at_once, there)
    amin, offset, high, low, unit, factor, moved, least = _part(table, head, NUMBERS)[:8]
    shift, scale = _part(table, head, SHIFT), _part(table, head, SCALE)
    kind = into.dtype.type
    _log(level[: bands * there], amin, offset, high, low, unit, factor, moved, least)
    for band in range(bands):
        for t in range(there):
            into[band, start + t] = (kind(level[band * there + t]) - kind(shift[band])) / kind(scale[band])


@njit(nogil=True)
def _gather(table: _Doubles, head: Any, at_once: int, there: int) -> None:
    """Write sums over runs of bins as `(band, frame)`."""
    bands, powers, level = head[BANDS], _part(table, head, POWERS), _part(table, head, LEVEL)
    if head[IDENTITY]:
        for band in range(bands):
            for t in range(there):
                level[band * there + t] = powers[band * at_once + t]
        return
    weights, first, stop = _part(table, head, WEIGHTS), _whole(table, head, FIRST), _whole(table, head, STOP)
    at = 0
    for band in range(bands):
        begin, count = first[band] * at_once, stop[band] - first[band]
        if at_once == DOUBLES:
            # What is written beyond the frames that are there is overwritten by the next band.
            store(level, band * there, _sum_in_lanes(powers, begin, weights, at, count))
        else:
            for t in range(there):
                total = 0.0
                for k in range(count):
                    total += weights[at + k] * powers[begin + k * at_once + t]
                level[band * there + t] = total
        at += count


@njit(nogil=True, inline="always")
def _sum_in_lanes(powers: _Doubles, begin: int, weights: _Doubles, at: int, count: int) -> Any:
    """Return weighted sums of rows of eight."""
    total = fill(powers, 0.0)
    for k in range(count):
        total = total + fill(powers, weights[at + k]) * load(powers, begin + k * DOUBLES)
    return total
