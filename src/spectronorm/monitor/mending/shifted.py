"""Exact integer shift of a measurement by a whole number of histogram cells in each band."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Integers
from spectronorm.errors import ArgumentError
from spectronorm.front_end import AnyFrontEnd, Grid
from spectronorm.profile import Measurement, require_fixed_floor
from spectronorm.profile.counting import int128
from spectronorm.profile.counting.layout import NONE_ABOVE, S_SHIFT

_PAIRS = ("SS", "SQ", "QQ", "Sn", "Qn", "nn", "Sc", "Qc", "nc", "cc")  # in the order of `counting`
_ORDER = "SQnc"


def fixed_floor(front_end: AnyFrontEnd) -> int | None:
    """The floor on the grid; None if each clip has its own floor."""
    try:
        require_fixed_floor(front_end)
    except ArgumentError:
        return None
    return front_end.grid.integer(front_end.floor)


def shifted(m: Measurement, cells: Integers, front_end: AnyFrontEnd) -> Measurement:
    """Move each band's levels by a whole number of histogram cells `(band,)` (for decibels, a sixteenth each).

    Silence stays silent: cells on the floor stay, as they would behind a filter, unless each clip has its own floor
    (`top_db`), which then moves along. Sums and sums of squares follow exactly. Levels that would leave the grid, or
    fall to the floor, are counted in the outermost cell of the histogram.
    """
    grid, floor = front_end.grid, fixed_floor(front_end)
    steps = cells << grid.cell_bits
    low, high = math.ceil(grid.low * grid.steps), math.floor(grid.high * grid.steps)
    least = low if floor is None else max(low, floor + 1)
    still = np.zeros_like(m.on_floor) if floor is None else m.on_floor
    flat_still = np.zeros_like(m.on_floor) if floor is None else _flat_on_floor(m, floor)
    first, histogram = _moved_histogram(m, cells, still, floor, grid)
    lowest = np.where(still > 0, m.lowest, np.clip(m.lowest + steps, least, high))
    above = np.where(m.lowest_above == NONE_ABOVE, NONE_ABOVE, np.clip(_finite(m.lowest_above) + steps, least, high))
    return replace(
        m,
        total=m.total + steps * (m.count - still),
        squares=_moved_squares(m.squares, m.total, m.count, still, steps, floor),
        lowest=lowest,
        highest=np.where(still == m.count, m.highest, np.clip(m.highest + steps, least, high)),
        lowest_above=above,
        products=_moved_products(m.products, cells, floor, grid),
        first_cell=first,
        histogram=histogram,
        flat_total=m.flat_total + steps * (m.flat_count - flat_still),
        flat_squares=_moved_squares(m.flat_squares, m.flat_total, m.flat_count, flat_still, steps, floor),
    )


def counted_often(m: Measurement, times: int) -> Measurement:
    """Count each clip's cells `times` times, which raises their weight in a sum without adding clips."""
    if times == 1:
        return m
    added = ("count", "total", "on_floor", "flat_count", "flat_total")
    heavier: dict[str, Any] = {name: getattr(m, name) * times for name in added}
    powers = {"squares": times, "flat_squares": times, "products": times**2}
    heavier |= {name: int128.from_integers(int128.to_integers(getattr(m, name)) * by) for name, by in powers.items()}
    return replace(m, **heavier, histogram=m.histogram.astype(np.int64) * times)


def moved_clips(counts: NDArray[np.int64], cells: int) -> NDArray[np.int64]:
    """Move a histogram of clip levels by `cells`; its end cells collect the counts that would fall off."""
    moved = np.zeros_like(counts)
    np.add.at(moved, np.clip(np.arange(len(counts)) + cells, 0, len(counts) - 1), counts)
    return moved


def _finite(lowest_above: NDArray[np.int64]) -> NDArray[np.int64]:
    """Replace the marker for *none* by zero, so that it can be added to."""
    return np.where(lowest_above == NONE_ABOVE, 0, lowest_above)


def _flat_on_floor(m: Measurement, floor: int) -> NDArray[np.int64]:
    """Cells of silent and constant clips that stay: all if all are silent, else the largest possible number."""
    silent = m.flat_total == m.flat_count * floor
    return np.where(silent, m.flat_count, np.minimum(m.flat_count, m.on_floor))


def _moved_squares(
    squares: NDArray[np.int64],
    total: NDArray[np.int64],
    count: NDArray[np.int64],
    still: NDArray[np.int64],
    steps: NDArray[np.int64],
    floor: int | None,
) -> NDArray[np.int64]:
    """`Σ (q + d)²` over the cells that move, plus `Σ q²` over the cells that stay."""
    moving = total.astype(object) - still.astype(object) * (floor or 0)
    d = steps.astype(object)
    return int128.from_integers(int128.to_integers(squares) + 2 * d * moving + d * d * (count - still).astype(object))


def _moved_histogram(
    m: Measurement, cells: Integers, still: NDArray[np.int64], floor: int | None, grid: Grid
) -> tuple[int, NDArray[np.int64]]:
    last = grid.first_cell + grid.cells - 1
    least = grid.first_cell if floor is None else floor >> grid.cell_bits
    old = m.first_cell + np.arange(m.histogram.shape[1])
    places = np.clip(old[None, :] + cells[:, None], least, last)
    first, stop = min(int(places.min()), least), int(places.max()) + 1
    histogram = np.zeros((m.bands, stop - first), dtype=np.int64)
    for band in range(m.bands):
        counts = m.histogram[band].astype(np.int64)
        if still[band]:
            counts[least - m.first_cell] -= still[band]
            histogram[band, least - first] += still[band]
        np.add.at(histogram[band], places[band] - first, counts)
    used = np.flatnonzero(histogram.any(axis=0))
    return first + int(used[0]), histogram[:, used[0] : used[-1] + 1].copy()


def _moved_products(products: NDArray[np.int64], cells: Integers, floor: int | None, grid: Grid) -> NDArray[np.int64]:
    """Clip products after `S + d (n - c)` and `Q + 2 d (S - f c) + d² (n - c)`, in the units of the rounded sums.

    The bands of the pooled row move by different amounts, so the mean movement represents them; only the pooled
    standard errors depend on it.
    """
    moves = [Fraction(int(c)) for c in cells] + [Fraction(int(cells.sum()), len(cells))]
    moved = []
    for row, cell in zip(int128.to_integers(products).tolist(), moves, strict=True):
        old = dict(zip(_PAIRS, row, strict=True))
        matrix = _matrix(cell * (1 << grid.cell_bits), floor)
        moved.append([_product(old, matrix[pair[0]], matrix[pair[1]]) for pair in _PAIRS])
    return int128.from_integers(np.array(moved, dtype=object))


def _matrix(steps: Fraction, floor: int | None) -> dict[str, dict[str, Fraction]]:
    """Each of a clip's four sums after the move, as a linear combination of the four sums before it."""
    d = steps / (1 << S_SHIFT)
    a, b = 2 * d / (1 << 8), d * d / (1 << 8)  # Q is stored in steps of 2^8 squared steps of S.
    zero, one = Fraction(0), Fraction(1)
    stays = zero if floor is None else one
    f = Fraction(floor or 0, 1 << S_SHIFT)
    return {
        "S": {"S": one, "Q": zero, "n": d, "c": -d * stays},
        "Q": {"S": a, "Q": one, "n": b, "c": -(a * f + b) * stays},
        "n": {"S": zero, "Q": zero, "n": one, "c": zero},
        "c": {"S": zero, "Q": zero, "n": zero, "c": one},
    }


def _product(old: dict[str, int], x: dict[str, Fraction], y: dict[str, Fraction]) -> int:
    total = Fraction(0)
    for p in _ORDER:
        for q in _ORDER:
            if x[p] and y[q]:
                total += x[p] * y[q] * old[p + q if p + q in old else q + p]
    return round(total)
