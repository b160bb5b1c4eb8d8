"""Selection of the cells that a statistic covers: all cells, or only the cells above the floor."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.profile.counting import int128
from spectronorm.profile.counting.layout import Q_SHIFT, S_SHIFT
from spectronorm.profile.counting.measurement import Measurement

Number = int | Fraction


@dataclass(frozen=True, eq=False)
class ClipSums:
    """Sums of one band over clips: Σn, ΣS, ΣQ and the sums of their products, in the units of the rounded sums.

    S is in units of `2^S_SHIFT` grid steps, Q in units of `2^Q_SHIFT` squared steps.
    """

    clips: int
    n: int
    s: Number
    q: Number
    ss: Number
    sq: Number
    qq: Number
    sn: Number
    qn: Number
    nn: int


@dataclass(frozen=True, eq=False)
class Cells:
    """Sums of a measurement over the selected cells, band by band; Python integers, so nothing overflows."""

    count: list[int]
    total: list[int]
    squares: list[int]
    lowest: NDArray[np.int64]
    histogram: NDArray[np.int64]
    on_floor: NDArray[np.int64]
    clip_sums: list[ClipSums]

    @classmethod
    def of(cls, m: Measurement, floor: int | None, cell_bits: int) -> Cells:
        """Select all cells; or, given the floor's integer, the cells above the floor.

        Every cell on the floor holds one integer, so the sums without them are exact: nothing is measured again. A band
        that never leaves the floor keeps its cells, since it has no others.
        """
        left_out = np.zeros_like(m.count) if floor is None else np.where(m.on_floor < m.count, m.on_floor, 0)
        f = floor or 0
        squares = int128.to_integers(m.squares).tolist()
        histogram = m.histogram.astype(np.int64)
        lowest_cell = np.clip((m.lowest >> cell_bits) - m.first_cell, 0, histogram.shape[1] - 1)
        histogram[np.arange(m.bands), lowest_cell] -= left_out
        away = left_out.tolist()
        return cls(
            [n - c for n, c in zip(m.count.tolist(), away, strict=True)],
            [t - c * f for t, c in zip(m.total.tolist(), away, strict=True)],
            [q - c * f * f for q, c in zip(squares, away, strict=True)],
            np.where(left_out > 0, m.lowest_above, m.lowest),
            histogram,
            m.on_floor - left_out,
            _clip_sums(m, squares, f, left_out > 0),
        )


def _clip_sums(m: Measurement, squares: list[int], floor: int, leave_out: NDArray[np.bool_]) -> list[ClipSums]:
    products: list[list[int]] = int128.to_integers(m.products)[: m.bands].tolist()
    rows = zip(
        m.count.tolist(), m.total.tolist(), squares, m.on_floor.tolist(), leave_out.tolist(), products, strict=True
    )
    return [_band_sums(m.clips, n, s, q, c if out else 0, floor, p) for n, s, q, c, out, p in rows]


def _band_sums(clips: int, n: int, s: int, q: int, c: int, floor: int, products: list[Any]) -> ClipSums:
    """One band's clip sums without its `c` cells on the floor: `S - a·c`, `Q - b·c` and `n - c` for each clip."""
    ss, sq, qq, sn, qn, nn, sc, qc, nc, cc = products
    if c == 0:
        return ClipSums(clips, n, s >> S_SHIFT, q >> Q_SHIFT, ss, sq, qq, sn, qn, nn)
    a, b = Fraction(floor, 1 << S_SHIFT), Fraction(floor * floor, 1 << Q_SHIFT)
    return ClipSums(
        clips,
        n - c,
        Fraction(s, 1 << S_SHIFT) - a * c,
        Fraction(q, 1 << Q_SHIFT) - b * c,
        ss - 2 * a * sc + a * a * cc,
        sq - b * sc - a * qc + a * b * cc,
        qq - 2 * b * qc + b * b * cc,
        sn - sc - a * nc + a * cc,
        qn - qc - b * nc + b * cc,
        nn - 2 * nc + cc,
    )
