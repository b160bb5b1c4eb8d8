"""The counting kernel with NumPy: the same integers, where nothing can be compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.profile.counting import int128
from spectronorm.profile.counting.layout import FRAMES_BETWEEN_CARRIES, Q_SHIFT, S_SHIFT

_OUTSIDE = float(1 << 30)


def put_on_grid_by_numpy(
    level: NDArray[np.float64], count: int, steps: float, out: NDArray[np.int32], start: int
) -> tuple[int, int]:
    """The first `count` frames of a level `(band, frame)` as integers, from the frame `start` of `out` on."""
    gridded = np.rint(np.clip(level[:, :count] * steps, -_OUTSIDE, _OUTSIDE))
    out[:, start : start + count] = gridded
    if gridded.size == 0:
        return 1 << 30, -(1 << 30)
    return int(gridded.min()), int(gridded.max())


def count_clips_by_numpy(
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
    """Add gridded levels `(band, frame)`: clip `i` lies from the frame `bounds[i]` to before `bounds[i + 1]`."""
    everything = gridded[:, bounds[0] : bounds[-1]]
    for band, row in enumerate((everything >> cell_bits) - first_cell):
        histogram[band] += np.bincount(row, minlength=histogram.shape[1]).astype(histogram.dtype)
    for clip, floor in enumerate(floors):
        part = gridded[:, bounds[clip] : bounds[clip + 1]]
        if part.shape[1]:
            _add_extremes(part, int(floor), moments)
        figures = _count_part(part, int(floor), moments, squares)
        _add_products(products, np.column_stack([figures, figures.sum(axis=1)]))


def _count_part(
    part: NDArray[np.int32], floor: int, moments: NDArray[np.int64], squares: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Add one clip; returns its rounded S and Q, its frames and its cells on the floor: `(4, band)`."""
    wide = part.astype(np.int64)
    frames = part.shape[1]
    q_high = np.zeros(len(part), np.int64)
    for start in range(0, frames, FRAMES_BETWEEN_CARRIES):
        square = np.square(wide[:, start : start + FRAMES_BETWEEN_CARRIES]).sum(axis=1)
        squares[:, 0] += square & 0xFFFFFFFF
        squares[:, 1] += square >> 32
        q_high += (square + (1 << (Q_SHIFT - 1))) >> Q_SHIFT
    squares[:] = int128.normalized(squares)
    s, on_floor = wide.sum(axis=1), (part <= floor).sum(axis=1)
    moments[:, 0] += frames
    moments[:, 1] += s
    moments[:, 4] += on_floor
    return np.stack([(s + (1 << (S_SHIFT - 1))) >> S_SHIFT, q_high, np.full_like(s, frames), on_floor])


def _add_extremes(part: NDArray[np.int32], floor: int, moments: NDArray[np.int64]) -> None:
    """The lowest, the highest and the lowest above the floor."""
    moments[:, 2] = np.minimum(moments[:, 2], part.min(axis=1))
    moments[:, 3] = np.maximum(moments[:, 3], part.max(axis=1))
    none = np.iinfo(np.int64).max
    moments[:, 5] = np.minimum(moments[:, 5], np.where(part > floor, part.astype(np.int64), none).min(axis=1))


def _add_products(products: NDArray[np.int64], figures: NDArray[np.int64]) -> None:
    """Add the products of figures `(4, band + 1)` to `(band + 1, product, limb)`."""
    s, q, n, c = figures
    pairs = ((s, s), (s, q), (q, q), (s, n), (q, n), (n, n), (s, c), (q, c), (n, c), (c, c))
    for product, (a, b) in enumerate(pairs):
        int128.add_products(products[:, product], a, b)
