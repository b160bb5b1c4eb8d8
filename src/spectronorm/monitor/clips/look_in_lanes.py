"""One pass over a clip's level, compiled: see `look`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Floats
from spectronorm.kernels.fft.lanes import DOUBLES
from spectronorm.kernels.jit import called, njit
from spectronorm.monitor.clips.bands_in_lanes import (
    BANDS_AT_ONCE,
    COLUMNS,
    N_SUMS,
    add_band,
    add_some_bands,
    exchange,
    put_band_on_grid,
)
from spectronorm.monitor.clips.look import LOUD, MOST_SORTED, N_KINDS, ONSET_FRAMES, QUIET

_Level = NDArray[np.floating[Any]]
_LARGEST = 1073741824.0


@called
def _add_short_bands(level: _Level, at: int, bands: int, frames: int, course: Floats, found: Floats) -> None:
    """Do the work of `add_some_bands` for bands of too few frames to fill a register."""
    for band in range(bands):
        total, square, moved = 0.0, 0.0, 0.0
        for t in range(frames):
            x = np.float64(level[at + band * frames + t])
            total += x
            square += x * x
            course[t] += x
            moved += abs(x - np.float64(level[at + band * frames + max(t - 1, 0)]))
        found[N_SUMS * band], found[N_SUMS * band + 1], found[N_SUMS * band + 2] = total, square, moved


@called
def _put_few_on_grid(
    level: _Level,
    band: int,
    frames: int,
    count: int,
    steps: float,
    grid: NDArray[np.int32],
    found: NDArray[np.int64],
) -> None:
    """Do the work of `put_band_on_grid` for too few frames to fill a register."""
    found[0], found[1], found[2] = 1 << 30, -(1 << 30), 0
    for i in range(count):
        x = np.float64(level[band * frames + i * -(-frames // count)]) * steps
        q = np.int32(np.rint(min(max(x, -_LARGEST), _LARGEST)))
        grid[band * count + i] = q
        found[0], found[1], found[2] = min(found[0], q), max(found[1], q), found[2] + q


# Unsigned numbers are no places that count from an array's end, whose check keeps a compiler from using lanes.
@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _follow(course: Floats, bands: int) -> tuple[float, float, float]:
    """Return the sums of the steps of a mean of bands, of squared rises, and of squared falls, from the bands' sum."""
    one, wide = np.uintp(1), np.uintp(ONSET_FRAMES)
    flux, rise, fall = 0.0, 0.0, 0.0
    for t in range(one, np.uintp(course.size)):
        flux += abs(course[t] - course[t - one])
    for t in range(wide, np.uintp(course.size)):
        change = course[t] - course[t - wide]
        rise += max(change, 0.0) * max(change, 0.0)
        fall += max(-change, 0.0) * max(-change, 0.0)
    return flux / bands, rise / (bands * bands), fall / (bands * bands)


@njit(cache=True, nogil=True)
def sort_columns(rows: Floats, count: int) -> None:
    """Sort `COLUMNS` columns of flat rows by Batcher's merge exchange: the same exchanges whatever the numbers."""
    half = 1
    while 2 * half < count:
        half *= 2
    p = half
    while p > 0:
        q, r, d = half, 0, p
        while True:
            for i in range(count - d):
                if i & p == r:
                    exchange(rows, i * COLUMNS, (i + d) * COLUMNS)
            if q == p:
                break
            d, q, r = q - p, q >> 1, p
        p >>= 1


@called
def _add_bands(level: _Level, at: int, bands: int, frames: int, course: Floats, found: Floats) -> None:
    """Add one band or `BANDS_AT_ONCE` of them to the course of their range, and write their sums."""
    if frames < DOUBLES:
        _add_short_bands(level, at, bands, frames, course, found)
    elif bands == BANDS_AT_ONCE:
        add_some_bands(level, at, frames, course, found)
    else:
        add_band(level, at, frames, course, found)


@called
def _quantiles(ordered: Floats, count: int, share: float, features: Floats, ranges: int) -> None:
    """Write a quantile of each range from its `count` sorted frames."""
    at = share * (count - 1)
    before = int(at)
    after = min(before + 1, count - 1)
    for r in range(ranges):
        low, high = ordered[before * COLUMNS + r], ordered[after * COLUMNS + r]
        features[r] = low + (at - before) * (high - low)


@njit(cache=True, nogil=True)
def look_in_lanes(
    level: NDArray[np.floating[Any]],
    bounds: NDArray[np.int64],
    steps: float,
    gridded: NDArray[np.int32],
    sums: NDArray[np.int64],
    features: Floats,
) -> tuple[int, int, bool]:
    """Fill in the features of ranges and the onset, put frames on the grid, and return their extremes.

    At last it is told if these features are finite.
    """
    ranges, frames, picked = bounds.size - 1, level.shape[1], gridded.shape[1]
    flat, grid = level.reshape(-1), gridded.reshape(-1)
    lowest, highest = 1 << 30, -(1 << 30)
    every = -(-frames // MOST_SORTED)
    sampled = -(-frames // every)
    course, ordered = np.empty(frames), np.zeros(sampled * COLUMNS)
    found, on_grid = np.empty(N_SUMS * BANDS_AT_ONCE), np.empty(3, np.int64)
    rise, fall = 1.0, 1.0
    for r in range(ranges):
        mean, variance, steadiest = 0.0, 0.0, np.inf
        course[:] = 0.0
        bands, band = bounds[r + 1] - bounds[r], bounds[r]
        while band < bounds[r + 1]:
            together = BANDS_AT_ONCE if band + BANDS_AT_ONCE <= bounds[r + 1] else 1
            _add_bands(flat, band * frames, together, frames, course, found)
            for i in range(together):
                total, square = found[N_SUMS * i] / frames, found[N_SUMS * i + 1] / frames
                mean += total
                variance += max(square - total * total, 0.0)
                steadiest = min(steadiest, found[N_SUMS * i + 2])
                if picked >= DOUBLES:
                    put_band_on_grid(flat, band, frames, picked, steps, grid, on_grid)
                else:
                    _put_few_on_grid(flat, band, frames, picked, steps, grid, on_grid)
                lowest, highest, sums[band] = min(lowest, on_grid[0]), max(highest, on_grid[1]), on_grid[2]
                band += 1
        flux, up, down = _follow(course, bands)
        rise, fall = rise + up, fall + down
        for i in range(sampled):
            ordered[i * COLUMNS + r] = course[i * every] / bands
        features[r] = mean / bands
        features[2 * ranges + r] = math.sqrt(variance / bands)
        features[5 * ranges + r] = flux / max(frames - 1, 1)
        features[6 * ranges + r] = steadiest / max(frames - 1, 1)
    sort_columns(ordered, sampled)
    _quantiles(ordered, sampled, QUIET, features[3 * ranges :], ranges)
    _quantiles(ordered, sampled, LOUD, features[4 * ranges :], ranges)
    features[features.size - 1] = 10.0 * math.log10(rise / fall)
    centre = features[:ranges].mean()
    for r in range(ranges):
        features[ranges + r] = features[r] - centre
    total = features[features.size - 1] + features[: N_KINDS * ranges].sum()
    return lowest, highest, math.isfinite(total)
