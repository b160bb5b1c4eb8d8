"""Counting kernel: puts one clip's levels on the grid and adds them to a group's integers.

For each band: the count of cells, Σq, Σq², lowest, highest, cells on the floor, lowest above the floor, histogram. For
each clip, for standard errors that respect the correlation of its frames: the products of S = Σq, Q = Σq², n and c
(cells on the floor), for each band and for all bands pooled. S and Q are rounded first (to 1/256 of a level·frame and
level²·frame for dB), which keeps their products within 128 bits; a clip is rounded to the same integers wherever it is
counted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.kernels.jit import kernel, njit
from spectronorm.profile.counting import plain_kernel
from spectronorm.profile.counting.int128 import add_product
from spectronorm.profile.counting.layout import FRAMES_BETWEEN_CARRIES, Q_SHIFT, S_SHIFT


@kernel(plain_kernel.put_on_grid_by_numpy, cache=True, nogil=True)
def put_on_grid(
    level: NDArray[np.float64], count: int, steps: float, out: NDArray[np.int32], start: int
) -> tuple[int, int]:
    """Put the first `count` frames of a level `(band, frame)` on the grid, from the frame `start` of `out` on.

    Returns the lowest and the highest value. Levels too high for the grid stay too high (2^30), so that the caller can
    detect them. Both arrays must be contiguous.
    """
    lowest: Any = np.int32(1 << 30)
    highest: Any = np.int32(-(1 << 30))
    for band in range(level.shape[0]):
        row, place = level[band, :count], out[band, start : start + count]
        for t in range(row.size):
            x = row[t] * steps
            x = x if x > -1073741824.0 else -1073741824.0  # max() is not vectorized
            x = x if x < 1073741824.0 else 1073741824.0
            q = np.int32(np.rint(x))
            place[t] = q
            lowest = min(lowest, q)
            highest = max(highest, q)
    return lowest, highest


@kernel(plain_kernel.count_clips_by_numpy, cache=True, nogil=True)
def count_clips(
    gridded: NDArray[np.int32],
    bounds: NDArray[np.int64],
    floors: NDArray[np.int64],
    cell_bits: int,
    first_cell: int,
    moments: NDArray[np.int64],
    squares: NDArray[np.int64],
    histogram: NDArray[np.integer[Any]],
    products: NDArray[np.int64],
) -> None:
    """Add gridded levels `(band, frame)`: clip `i` lies from the frame `bounds[i]` to before `bounds[i + 1]`.

    `moments` `(band, 6)` holds count, Σq, lowest, highest, floor count and lowest above the floor; `squares` `(band,
    limb)` holds Σq²; `histogram` is `(band, cell)`; `products` is `(band + 1, 10, limb)` with the pooled row last.
    Every level must lie within the grid. Several clips are counted at once, because a band's histogram then stays in
    the nearest cache.
    """
    bands, clips = gridded.shape[0], floors.size
    same_floor = True
    for clip in range(clips):
        same_floor = same_floor and floors[clip] == floors[0]
    pooled = np.zeros((clips, 4), np.int64)
    for band in range(bands):
        row = gridded[band, bounds[0] : bounds[clips]]
        for t in range(row.size):
            # An unsigned index is not checked for negative values.
            histogram[band, np.uint64((row[t] >> cell_bits) - first_cell)] += 1
        if same_floor:
            _add_extremes(row, floors[0], moments[band])
        for clip in range(clips):
            part = gridded[band, bounds[clip] : bounds[clip + 1]]
            if not same_floor:
                _add_extremes(part, floors[clip], moments[band])
            s_high, q_high, below = _count_part(part, floors[clip], moments[band], squares[band])
            _add_products(products[band], s_high, q_high, part.size, below)
            pooled[clip, 0] += s_high
            pooled[clip, 1] += q_high
            pooled[clip, 2] += part.size
            pooled[clip, 3] += below
    for clip in range(clips):
        s, q, n, c = pooled[clip]
        _add_products(products[bands], s, q, n, c)


@njit(cache=True, nogil=True)
def _count_part(
    part: NDArray[np.int32], floor: int, moments: NDArray[np.int64], squares: NDArray[np.int64]
) -> tuple[int, int, int]:
    """Add one clip's levels in one band; returns its rounded S and Q, and its cells on the floor."""
    s: Any = 0
    on_floor: Any = 0
    q_high = 0
    for start in range(0, part.size, FRAMES_BETWEEN_CARRIES):
        added, square, below = _sums(part[start : start + FRAMES_BETWEEN_CARRIES], floor)
        s += added
        on_floor += below
        squares[0] += square & 0xFFFFFFFF
        squares[1] += square >> 32
        # Rounded block by block, since a clip's blocks do not depend on the place where it is counted.
        q_high += (square + (1 << (Q_SHIFT - 1))) >> Q_SHIFT
    for i in range(squares.size - 1):
        squares[i + 1] += squares[i] >> 32
        squares[i] &= 0xFFFFFFFF
    moments[0] += part.size
    moments[1] += s
    moments[4] += on_floor
    return (s + (1 << (S_SHIFT - 1))) >> S_SHIFT, q_high, on_floor


@njit(cache=True, nogil=True)
def _sums(part: NDArray[np.int32], floor: int) -> tuple[int, int, int]:
    """Return Σq, Σq² and the count of cells on the floor, without branches, so that the loop is vectorized."""
    s: Any = np.int64(0)
    square: Any = np.int64(0)
    on_floor: Any = np.int64(0)
    limit = np.int32(floor)
    for t in range(part.size):
        q = part[t]
        wide = np.int64(q)
        s += wide
        square += wide * wide
        on_floor += np.int64(q <= limit)
    return s, square, on_floor


@njit(cache=True, nogil=True)
def _add_extremes(part: NDArray[np.int32], floor: int, moments: NDArray[np.int64]) -> None:
    """Update the lowest, the highest, and the lowest above the floor."""
    limit, none = np.int32(floor), np.int32(2147483647)
    lowest, highest, above = none, np.int32(-2147483648), none
    for t in range(part.size):
        q = part[t]
        lowest = min(lowest, q)
        highest = max(highest, q)
        above = min(above, q if q > limit else none)
    moments[2] = min(moments[2], np.int64(lowest))
    moments[3] = max(moments[3], np.int64(highest))
    if above != none:
        moments[5] = min(moments[5], np.int64(above))


@njit(cache=True, nogil=True)
def _add_products(products: NDArray[np.int64], s: int, q: int, n: int, c: int) -> None:
    add_product(products[0], s, s)
    add_product(products[1], s, q)
    add_product(products[2], q, q)
    add_product(products[3], s, n)
    add_product(products[4], q, n)
    add_product(products[5], n, n)
    add_product(products[6], s, c)
    add_product(products[7], q, c)
    add_product(products[8], n, c)
    add_product(products[9], c, c)
