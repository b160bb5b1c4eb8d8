"""The counting kernel: one clip's levels are put on the grid and added to a group's integers.

Per band: the count of cells, Σq, Σq², lowest, highest, cells on the floor, lowest above the floor, histogram. Per clip,
for standard errors that know that the frames of a clip belong together: the products of S = Σq, Q = Σq², n and c (cells
on the floor), for each band and for all bands pooled. S and Q are rounded first (to 1/256 of a level·frame and
level²·frame for dB), which keeps their products within 128 bits; a rounded clip is still the same integer wherever it
is counted.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from specnorm.profile.wide import add_product

PRODUCTS = 10
"""SS, SQ, QQ, Sn, Qn, nn, Sc, Qc, nc, cc: the order of the clip products."""
NONE_ABOVE = np.iinfo(np.int64).max
"""The lowest q above the floor of a band that never leaves it."""
S_SHIFT = 8
Q_SHIFT = 24
_FRAMES_BETWEEN_CARRIES = 1 << 12  # of squares below 2^50: their sum stays below 2^62


@numba.njit(cache=True, nogil=True)
def put_on_grid(block: NDArray[np.float64], steps: float, out: NDArray[np.int32], start: int) -> tuple[int, int]:
    """Levels `(band, frame)` as integers, from the frame `start` of `out` on; returns the lowest and the highest.

    Levels too high for the grid stay too high (2^30), so that the caller sees them. Both arrays must be contiguous.
    """
    lowest: Any = np.int32(1 << 30)
    highest: Any = np.int32(-(1 << 30))
    for band in range(block.shape[0]):
        row, place = block[band], out[band, start : start + block.shape[1]]
        for t in range(row.size):
            x = row[t] * steps
            x = x if x > -1073741824.0 else -1073741824.0  # max() is not vectorized
            x = x if x < 1073741824.0 else 1073741824.0
            q = np.int32(np.rint(x))
            place[t] = q
            lowest = min(lowest, q)
            highest = max(highest, q)
    return lowest, highest


@numba.njit(cache=True, nogil=True)
def count_clip(
    gridded: NDArray[np.int32],
    cell_bits: int,
    first_cell: int,
    floor: int,
    moments: NDArray[np.int64],
    squares: NDArray[np.int64],
    histogram: NDArray[np.int32],
    products: NDArray[np.int64],
) -> None:
    """Add a clip's gridded level `(band, frame)`.

    `moments` `(band, 6)` holds count, Σq, lowest, highest, floor count and lowest above the floor; `squares`
    `(band, limb)` Σq²; `histogram` `(band, cell)`; `products` `(band + 1, 10, limb)` with the pooled row last. Every
    level must lie within the grid.
    """
    bands, frames = gridded.shape
    pooled_s = 0
    pooled_q = 0
    pooled_n = 0
    pooled_c = 0
    for band in range(bands):
        s: Any = 0
        on_floor: Any = 0
        q_high = 0
        for start in range(0, frames, _FRAMES_BETWEEN_CARRIES):
            part = gridded[band, start : start + _FRAMES_BETWEEN_CARRIES]
            added, square, below = _add_moments(part, floor, moments[band])
            s += added
            on_floor += below
            squares[band, 0] += square & 0xFFFFFFFF
            squares[band, 1] += square >> 32
            # Rounded block by block: a clip's blocks are the same wherever it is counted.
            q_high += (square + (1 << (Q_SHIFT - 1))) >> Q_SHIFT
        for t in range(frames):
            # An unsigned index is not looked at for being negative.
            histogram[band, np.uint64((gridded[band, t] >> cell_bits) - first_cell)] += 1
        for i in range(squares.shape[1] - 1):
            squares[band, i + 1] += squares[band, i] >> 32
            squares[band, i] &= 0xFFFFFFFF
        moments[band, 0] += frames
        moments[band, 1] += s
        moments[band, 4] += on_floor
        s_high = (s + (1 << (S_SHIFT - 1))) >> S_SHIFT
        _add_products(products[band], s_high, q_high, frames, on_floor)
        pooled_s += s_high
        pooled_q += q_high
        pooled_n += frames
        pooled_c += on_floor
    _add_products(products[bands], pooled_s, pooled_q, pooled_n, pooled_c)


@numba.njit(cache=True, nogil=True)
def _add_moments(part: NDArray[np.int32], floor: int, moments: NDArray[np.int64]) -> tuple[int, int, int]:
    """Σq, Σq² and the count of cells on the floor; the extremes go into `moments`. No branches: vectors."""
    s: Any = np.int64(0)
    square: Any = np.int64(0)
    on_floor: Any = np.int64(0)
    limit, none = np.int32(floor), np.int32(2147483647)
    lowest, highest, above = none, np.int32(-2147483648), none
    for t in range(part.size):
        q = part[t]
        wide = np.int64(q)
        s += wide
        square += wide * wide
        lowest = min(lowest, q)
        highest = max(highest, q)
        on_floor += np.int64(q <= limit)
        above = min(above, q if q > limit else none)
    moments[2] = min(moments[2], np.int64(lowest))
    moments[3] = max(moments[3], np.int64(highest))
    if above != none:
        moments[5] = min(moments[5], np.int64(above))
    return s, square, on_floor


@numba.njit(cache=True, nogil=True)
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


def waveform_figures(samples: NDArray[np.float32]) -> tuple[float, float, float]:
    """Lowest and highest sample, and the mean square."""
    return float(samples.min()), float(samples.max()), _mean_square(samples)


@numba.njit(cache=True, nogil=True, fastmath={"reassoc"})
def _mean_square(samples: NDArray[np.float32]) -> float:
    square = 0.0
    for i in range(samples.size):
        x = np.float64(samples[i])
        square += x * x
    return square / samples.size
