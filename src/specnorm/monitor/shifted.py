"""A measurement as it would be had every level been so many histogram cells higher: exact, in integers."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnorm.front_end import Grid
from specnorm.profile import Measurement, wide
from specnorm.profile.counting import S_SHIFT

Cells = NDArray[np.int64]


def shifted(m: Measurement, cells: Cells, grid: Grid) -> Measurement:
    """Each band's levels moved by a whole number of histogram cells `(band,)` (for decibels a sixteenth each).

    Sums and sums of squares follow exactly, so the mean moves by just that and the std stays to the last digit. What
    would leave the grid is counted in its outermost cell. Silence is moved like everything else, and its share kept.
    """
    steps = cells << grid.cell_bits
    low, high = math.ceil(grid.low * grid.steps), math.floor(grid.high * grid.steps)
    old_total, move = m.total.astype(object), steps.astype(object)
    squares = wide.to_integers(m.squares) + 2 * move * old_total + move * move * m.count.astype(object)
    first, histogram = _moved_histogram(m, cells, grid)
    return replace(
        m,
        total=m.total + steps * m.count,
        lowest=np.clip(m.lowest + steps, low, high),
        highest=np.clip(m.highest + steps, low, high),
        squares=wide.from_integers(squares),
        products=_moved_products(m.products, cells, grid),
        first_cell=first,
        histogram=histogram,
    )


def counted_often(m: Measurement, times: int) -> Measurement:
    """The measurement with each clip's cells counted `times` times: its weight in a sum, without more clips."""
    if times == 1:
        return m
    heavier: dict[str, Any] = {name: getattr(m, name) * times for name in ("count", "total", "on_floor")}
    return replace(
        m,
        **heavier,
        histogram=m.histogram.astype(np.int64) * times,
        squares=wide.from_integers(wide.to_integers(m.squares) * times),
        products=wide.from_integers(wide.to_integers(m.products) * times**2),
    )


def moved_clips(counts: NDArray[np.int64], cells: int) -> NDArray[np.int64]:
    """A histogram of clip levels moved by `cells`, its ends catching what would fall off."""
    moved = np.zeros_like(counts)
    np.add.at(moved, np.clip(np.arange(len(counts)) + cells, 0, len(counts) - 1), counts)
    return moved


def _moved_histogram(m: Measurement, cells: Cells, grid: Grid) -> tuple[int, NDArray[np.int64]]:
    last = grid.first_cell + grid.cells - 1
    old = m.first_cell + np.arange(m.histogram.shape[1])
    places = np.clip(old[None, :] + cells[:, None], grid.first_cell, last)
    first, stop = int(places.min()), int(places.max()) + 1
    histogram = np.zeros((m.bands, stop - first), dtype=np.int64)
    for band in range(m.bands):
        np.add.at(histogram[band], places[band] - first, m.histogram[band])
    used = np.flatnonzero(histogram.any(axis=0))
    return first + int(used[0]), histogram[:, used[0] : used[-1] + 1].copy()


def _moved_products(products: NDArray[np.int64], cells: Cells, grid: Grid) -> NDArray[np.int64]:
    """Clip products of `S + d n` and `Q + a S + b n`, which is what S and Q become in their rounded units.

    For the pooled row, whose bands move apart, the mean movement stands for all: only its standard errors depend on it.
    """
    rows = wide.to_integers(products).tolist()
    moves = [Fraction(int(c)) for c in cells] + [Fraction(int(cells.sum()), len(cells))]
    moved = []
    for (ss, sq, qq, sn, qn, nn), cell in zip(rows, moves, strict=True):
        steps = cell * (1 << grid.cell_bits)
        d = steps / (1 << S_SHIFT)
        # Q is in units of 2^(24 - 16) squared units of S, see `counting`.
        a, b = 2 * d / (1 << 8), d * d / (1 << 8)
        moved.append(
            [
                round(ss + 2 * d * sn + d * d * nn),
                round(sq + a * ss + b * sn + d * (qn + a * sn + b * nn)),
                round(qq + a * a * ss + b * b * nn + 2 * (a * sq + b * qn + a * b * sn)),
                round(sn + d * nn),
                round(qn + a * sn + b * nn),
                nn,
            ]
        )
    return wide.from_integers(np.array(moved, dtype=object))
