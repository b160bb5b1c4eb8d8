"""One pass over a clip's level: the features of its ranges of bands, and its frames on the grid.

Each loop does one thing to neighbouring numbers, so that a compiler can use the lanes of vector registers; the frames
of all ranges are sorted side by side.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Floats
from spectronorm.kernels.jit import kernel, njit

MAX_RANGES = 12
"""Largest number of ranges; neighbouring bands carry nearly equal information and are averaged."""
QUIET, LOUD = 0.1, 0.9
N_KINDS = 7
"""Number of features that each range has."""
_MOST_SORTED = 64
_ONSET_FRAMES = 4


def _look_by_numpy(
    level: NDArray[np.float64],
    bounds: NDArray[np.int64],
    steps: float,
    gridded: NDArray[np.int32],
    sums: NDArray[np.int64],
    features: Floats,
) -> tuple[int, int]:
    ranges, frames = len(bounds) - 1, level.shape[1]
    count = np.diff(bounds)
    mean = level.mean(axis=1)
    variance = np.maximum(np.square(level).mean(axis=1) - mean * mean, 0.0)
    steps_of_bands = np.abs(np.diff(level, axis=1)).sum(axis=1) / max(frames - 1, 1)
    course = np.add.reduceat(level, bounds[:-1], axis=0) / count[:, None]
    ordered = np.sort(course[:, :: -(-frames // _MOST_SORTED)], axis=1)
    parts = features[: N_KINDS * ranges].reshape(N_KINDS, ranges)
    parts[0] = np.add.reduceat(mean, bounds[:-1]) / count
    parts[1] = parts[0] - parts[0].mean()
    parts[2] = np.sqrt(np.add.reduceat(variance, bounds[:-1]) / count)
    for part, share in ((parts[3], QUIET), (parts[4], LOUD)):
        at = share * (ordered.shape[1] - 1)
        low = int(at)
        high = min(low + 1, ordered.shape[1] - 1)
        part[:] = ordered[:, low] + (at - low) * (ordered[:, high] - ordered[:, low])
    parts[5] = np.abs(np.diff(course, axis=1)).sum(axis=1) / max(frames - 1, 1)
    parts[6] = np.minimum.reduceat(steps_of_bands, bounds[:-1])
    moved = course[:, _ONSET_FRAMES:] - course[:, :-_ONSET_FRAMES]
    rise, fall = (1.0 + np.square(np.maximum(sign * moved, 0.0)).sum() for sign in (1.0, -1.0))
    features[-1] = 10.0 * math.log10(rise / fall)
    sums[:] = 0
    if gridded.shape[1] == 0:
        return 1 << 30, -(1 << 30)
    stride = -(-frames // gridded.shape[1])
    picked = level[:, : stride * gridded.shape[1] : stride]
    gridded[:] = np.rint(np.clip(picked * steps, -1073741824.0, 1073741824.0))
    sums[:] = gridded.sum(axis=1, dtype=np.int64)
    return int(gridded.min()), int(gridded.max())


# Unsigned numbers are no places that count from an array's end, whose check keeps a compiler from using lanes.
@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _add_band(row: Floats, course: Floats) -> tuple[float, float, float]:
    """Add a band to the course of its range; return its sum, that of its squares, and that of its steps."""
    one = np.uintp(1)
    total, square, moved = row[0], row[0] * row[0], 0.0
    course[0] += row[0]
    for t in range(one, np.uintp(row.size)):
        x = row[t]
        total += x
        square += x * x
        course[t] += x
        moved += abs(x - row[t - one])
    return total, square, moved


@njit(cache=True, nogil=True)
def _put_on_grid(row: Floats, steps: float, picked: Floats, on_grid: NDArray[np.int32]) -> tuple[int, int, int]:
    """Put evenly spaced frames of a band on the grid; return the lowest, the highest, and their sum."""
    stride = np.uintp(-(-row.size // max(on_grid.size, 1)))
    lowest, highest, total = np.int32(1 << 30), np.int32(-(1 << 30)), 0
    for i in range(np.uintp(on_grid.size)):
        picked[i] = row[i * stride]
    for i in range(np.uintp(on_grid.size)):
        on_grid[i] = np.int32(np.rint(min(max(picked[i] * steps, -1073741824.0), 1073741824.0)))
    for i in range(np.uintp(on_grid.size)):
        q = np.int32(on_grid[i])
        lowest = q if q < lowest else lowest
        highest = q if q > highest else highest
    for i in range(np.uintp(on_grid.size)):
        total += on_grid[i]
    return int(lowest), int(highest), total


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _follow(course: Floats, bands: int) -> tuple[float, float, float]:
    """Divide a course by the number of bands; return the sums of its steps, of squared rises, and of squared falls."""
    one, wide = np.uintp(1), np.uintp(_ONSET_FRAMES)
    flux, rise, fall = 0.0, 0.0, 0.0
    for t in range(np.uintp(course.size)):
        course[t] /= bands
    for t in range(one, np.uintp(course.size)):
        flux += abs(course[t] - course[t - one])
    for t in range(wide, np.uintp(course.size)):
        change = course[t] - course[t - wide]
        rise += max(change, 0.0) * max(change, 0.0)
        fall += max(-change, 0.0) * max(-change, 0.0)
    return flux, rise, fall


@njit(cache=True, nogil=True)
def _sort_columns(rows: Floats) -> None:
    """Sort each of the `MAX_RANGES` columns, by Batcher's merge exchange: the same exchanges whatever the numbers."""
    half = 1
    while 2 * half < rows.shape[0]:
        half *= 2
    p = half
    while p > 0:
        q, r, d = half, 0, p
        while True:
            for i in range(rows.shape[0] - d):
                if i & p == r:
                    for k in range(MAX_RANGES):
                        x, y = rows[i, k], rows[i + d, k]
                        rows[i, k] = x if x < y else y
                        rows[i + d, k] = y if x < y else x
            if q == p:
                break
            d, q, r = q - p, q >> 1, p
        p >>= 1


@kernel(_look_by_numpy, cache=True, nogil=True)
def look(
    level: NDArray[np.float64],
    bounds: NDArray[np.int64],
    steps: float,
    gridded: NDArray[np.int32],
    sums: NDArray[np.int64],
    features: Floats,
) -> tuple[int, int]:
    """Fill in the features of ranges and the onset, put frames on the grid, and return their extremes."""
    ranges, frames = bounds.size - 1, level.shape[1]
    lowest: Any = np.int32(1 << 30)
    highest: Any = np.int32(-(1 << 30))
    course, picked = np.empty(frames), np.empty(gridded.shape[1])
    every = -(-frames // _MOST_SORTED)
    ordered = np.zeros((-(-frames // every), MAX_RANGES))
    rise, fall = 1.0, 1.0
    for r in range(ranges):
        mean, variance, steadiest = 0.0, 0.0, np.inf
        course[:] = 0.0
        for band in range(bounds[r], bounds[r + 1]):
            total, square, moved = _add_band(level[band], course)
            mean += total / frames
            variance += max(square / frames - (total / frames) * (total / frames), 0.0)
            steadiest = min(steadiest, moved)
            low, high, sums[band] = _put_on_grid(level[band], steps, picked, gridded[band])
            lowest, highest = min(lowest, low), max(highest, high)
        bands = bounds[r + 1] - bounds[r]
        flux, up, down = _follow(course, bands)
        rise, fall = rise + up, fall + down
        for i in range(ordered.shape[0]):
            ordered[i, r] = course[i * every]
        features[r] = mean / bands
        features[2 * ranges + r] = math.sqrt(variance / bands)
        features[5 * ranges + r] = flux / max(frames - 1, 1)
        features[6 * ranges + r] = steadiest / max(frames - 1, 1)
    _sort_columns(ordered)
    for row, share in ((3, QUIET), (4, LOUD)):
        at = share * (ordered.shape[0] - 1)
        before = int(at)
        after = min(before + 1, ordered.shape[0] - 1)
        for r in range(ranges):
            step = ordered[after, r] - ordered[before, r]
            features[row * ranges + r] = ordered[before, r] + (at - before) * step
    features[features.size - 1] = 10.0 * math.log10(rise / fall)
    centre = features[:ranges].mean()
    for r in range(ranges):
        features[ranges + r] = features[r] - centre
    return lowest, highest
