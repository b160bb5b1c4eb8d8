"""A piece of a waveform, and the mapped levels of the few frames that it completes, in one compiled call.

The bits are those of the kernels of whole clips, which spread their work over calls that each take longer to begin than
a few frames take to compute. Everything but the piece and its levels stands in one table (see `piece_table`): tables,
buffers, and the state of the waveform.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.front_end.fast.runs_in_lanes import sum_runs_of_four, sum_runs_of_one, sum_runs_of_two
from spectronorm.kernels.fft.few_frames import power_of_few
from spectronorm.kernels.fft.lanes import DOUBLES, fill, load, store
from spectronorm.kernels.jit import called, njit
from spectronorm.kernels.logarithm_in_lanes import logarithm_in_lanes
from spectronorm.kernels.packed import flat, is_plain, numbers_of, set_setting, setting, wholes_of

HOP, FEW, BANDS, BINS, IDENTITY, ROOT, CHANGES, MAPPED, HISTORY, BEGIN, END, TOTAL, WRITTEN = range(13)
"""Places in the head of settings, and of the waveform's state from `BEGIN` on (see `ChannelStream`).

`FEW` frames are transformed at once in split lanes, or 0.
"""
NUMBERS, WINDOW, ROWS, SHIFTS, RADICES, STARTS, ROOTS, LAST_ROOTS, NARROW_ROOTS, MEAN_RUNS = range(13, 23)
WEIGHTS, FIRST, STOP, SHIFT, SCALE, QUEUE, FRAMES, CHANGED, SIGNALS = range(23, 32)
STAGE, OTHER_STAGE, POWERS, LEVEL = range(32, 36)
GROUP_WEIGHTS, GROUP_BINS, NARROW_WEIGHTS, NARROW_BINS = range(36, 40)
"""Places in the head of the starts of parts: tables, then buffers. `QUEUE`, the waveform's, lies outside the table."""
PREEMPHASIS, _OFFSET, _GAIN, _LIMIT = range(8, 12)
"""Places among the numbers, after the arguments of the logarithm."""
_SUMS = 8
_Floats = NDArray[np.floating[Any]]
_Doubles = NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def add_piece(piece: _Floats, table: _Doubles, into: _Floats) -> bool:
    """Take a piece, and write the frames that it completes, which fill `into` `(band, frame)`.

    False, and no frame, if there is no room for it, if its numbers have gaps in memory, or if one is NaN or beyond the
    limit.
    """
    if not take_piece(piece, table):
        return False
    frames, few = into.shape[1], setting(table, FEW)
    for start in range(0, frames, few):
        there = frames - start
        write_few(table, start, there if there < few else few, into)
    set_setting(table, BEGIN, setting(table, BEGIN) + frames * setting(table, HOP))
    set_setting(table, WRITTEN, setting(table, WRITTEN) + frames)
    return True


@called
def take_piece(piece: _Floats, table: _Doubles) -> bool:
    """Write a piece behind the samples in the queue; False, with nothing changed, if `add_piece` refuses it.

    Here and below, unsigned numbers are no places that count from an array's end, whose check keeps a compiler from
    using lanes.
    """
    queue, numbers = numbers_of(table, QUEUE), numbers_of(table, NUMBERS)
    begin, end = setting(table, BEGIN), setting(table, END)
    if not is_plain(piece):
        return False
    if end + piece.size > queue.size:
        # Samples that are still needed move to the front.
        first = end - setting(table, HISTORY)
        first = begin if begin < first else first
        first = 0 if first < 0 else first
        begin, end = begin - first, end - first
        if end + piece.size > queue.size:
            return False
        for i in range(np.uintp(end)):
            queue[i] = queue[np.uintp(first) + i]
        set_setting(table, BEGIN, begin)
        set_setting(table, END, end)
    offset, gain, limit = numbers[_OFFSET], numbers[_GAIN], numbers[_LIMIT]
    beyond, at = 0, np.uintp(end)
    for i in range(np.uintp(piece.size)):
        x = np.float64(piece[i])
        beyond += not (-limit <= x <= limit)
        queue[at + i] = (x - offset) * gain
    if beyond:
        return False
    set_setting(table, END, end + piece.size)
    set_setting(table, TOTAL, setting(table, TOTAL) + piece.size)
    return True


@called
def write_few(table: _Doubles, start: int, there: int, into: _Floats) -> None:
    """Write the mapped levels of the frames of one transform of few, from frame `start` on."""
    few, hop, window = setting(table, FEW), setting(table, HOP), numbers_of(table, WINDOW)
    frames, other = numbers_of(table, STAGE), numbers_of(table, OTHER_STAGE)
    size = numbers_of(table, FRAMES).size // DOUBLES
    narrow = 2 * there <= few
    at_once = few // 2 if narrow else few
    source, first = numbers_of(table, QUEUE), setting(table, BEGIN) + start * hop
    if setting(table, CHANGES):
        changed = numbers_of(table, CHANGED)
        for t in range(there):
            _change(source, first + t * hop, changed, t * size, table)
        source, first, hop = changed, 0, size
    _interleave(source, first, hop, there - 1, window, frames, size, at_once)
    for k in range(size * at_once, window.size * at_once):
        frames[k] = 0.0
    plan = wholes_of(table, RADICES), wholes_of(table, STARTS), numbers_of(table, ROOTS)
    roots = numbers_of(table, NARROW_ROOTS) if narrow else numbers_of(table, LAST_ROOTS)
    power_of_few(plan, window.size, narrow, roots, frames, other, numbers_of(table, POWERS))
    write_levels(table, at_once, start, there, into)


@called
def _change(source: _Doubles, at: int, out: _Doubles, to: int, table: _Doubles) -> None:
    """Write one frame without its mean, if it is to be removed, and pre-emphasized."""
    size = np.uintp(numbers_of(table, FRAMES).size // DOUBLES)
    coefficient, runs = numbers_of(table, NUMBERS)[PREEMPHASIS], wholes_of(table, MEAN_RUNS)
    mean = 0.0
    if runs.size:
        mean = _sum(source, at, runs, numbers_of(table, SIGNALS)) / np.float64(size)
    here, there, one = np.uintp(at), np.uintp(to), np.uintp(1)
    sample = source[here] - mean
    out[there] = sample - coefficient * sample
    for k in range(one, size):
        out[there + k] = (source[here + k] - mean) - coefficient * (source[here + k - one] - mean)


@called
def _sum(source: _Doubles, at: int, runs: NDArray[np.int64], stack: _Doubles) -> float:
    """Add up one frame in the order of `sum_of_frames`, whose eight running sums are eight lanes here."""
    top = _SUMS
    for i in range(0, runs.size, 3):
        start, length = at + runs[i], runs[i + 1]
        whole = length // _SUMS * _SUMS
        sums = load(source, start) if whole else fill(source, 0.0)
        for k in range(_SUMS, whole, _SUMS):
            sums = sums + load(source, start + k)
        store(stack, 0, sums)
        total = ((stack[0] + stack[1]) + (stack[2] + stack[3])) + ((stack[4] + stack[5]) + (stack[6] + stack[7]))
        for k in range(start + whole, start + length):
            total += source[k]
        stack[top] = total
        top += 1
        for _ in range(runs[i + 2]):
            top -= 1
            stack[top - 1] += stack[top]
    return stack[_SUMS]  # type: ignore[no-any-return]


@called
def _interleave(
    source: _Doubles, begin: int, hop: int, last: int, window: _Doubles, out: _Doubles, size: int, few: int
) -> None:
    """Write windowed frames `(sample, frame)`, flat, with the last one in place of those behind it."""
    first, two = np.uintp(begin), np.uintp(2)
    if few == 1:
        for k in range(np.uintp(size)):
            out[k] = source[first + k] * window[k]
        return
    if few == 2:
        second = np.uintp(begin + last * hop)
        for k in range(np.uintp(size)):
            at = two * k
            out[at] = source[first + k] * window[k]
            out[at + np.uintp(1)] = source[second + k] * window[k]
        return
    for t in range(few):
        here = np.uintp(begin + (t if t < last else last) * hop)
        for k in range(np.uintp(size)):
            out[k * np.uintp(few) + np.uintp(t)] = source[here + k] * window[k]


@called
def write_levels(table: _Doubles, at_once: int, start: int, there: int, into: _Floats) -> None:
    """Write the mapped levels of powers `(bin, frame)` of which `there` frames are meant, from frame `start` on."""
    bands, powers, level = setting(table, BANDS), numbers_of(table, POWERS), numbers_of(table, LEVEL)
    if setting(table, ROOT):
        for i in range(np.uintp(setting(table, BINS) * at_once)):
            powers[i] = np.sqrt(powers[i])
    _gather(table, at_once, there)
    n, columns = numbers_of(table, NUMBERS), into.shape[1]
    # Numbers behind the last one fill its vector.
    whole = (bands * there + DOUBLES - 1) // DOUBLES * DOUBLES
    logarithm_in_lanes(flat(level, whole), (n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7]))
    out, kind = flat(into, bands * columns), into.dtype.type
    if there == columns and not setting(table, MAPPED):
        for i in range(np.uintp(bands * there)):
            out[i] = kind(level[i])
        return
    shift, scale = numbers_of(table, SHIFT), numbers_of(table, SCALE)
    for band in range(bands):
        for t in range(there):
            out[band * columns + start + t] = (kind(level[band * there + t]) - kind(shift[band])) / kind(scale[band])


@called
def _gather(table: _Doubles, at_once: int, there: int) -> None:
    """Write sums over runs of bins as `(band, frame)`."""
    bands, powers, level = setting(table, BANDS), numbers_of(table, POWERS), numbers_of(table, LEVEL)
    if setting(table, IDENTITY):
        for band in range(bands):
            for t in range(there):
                level[band * there + t] = powers[band * at_once + t]
        return
    if at_once < DOUBLES:
        narrow = at_once < setting(table, FEW)
        runs = (
            numbers_of(table, NARROW_WEIGHTS) if narrow else numbers_of(table, GROUP_WEIGHTS),
            wholes_of(table, NARROW_BINS) if narrow else wholes_of(table, GROUP_BINS),
        )
        if at_once == 1:
            sum_runs_of_one(powers, runs, bands, level, there)
        elif at_once == 2:
            sum_runs_of_two(powers, runs, bands, level, there)
        else:
            sum_runs_of_four(powers, runs, bands, level, there)
        return
    # Lanes beyond the frames that are there are overwritten by the next band.
    weights, first, stop = numbers_of(table, WEIGHTS), wholes_of(table, FIRST), wholes_of(table, STOP)
    at = 0
    for band in range(bands):
        eight = fill(powers, 0.0)
        for k in range(first[band], stop[band]):
            eight = eight + fill(powers, weights[at]) * load(powers, k * at_once)
            at += 1
        store(level, band * there, eight)
