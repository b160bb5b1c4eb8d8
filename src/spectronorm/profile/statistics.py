"""Statistics as pure functions of a measurement: exact integers until the last division."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from spectronorm.arrays import Floats
from spectronorm.errors import ArgumentError
from spectronorm.front_end import Grid
from spectronorm.html_summary import band_svg, html_table
from spectronorm.profile.counting.layout import Q_SHIFT, S_SHIFT
from spectronorm.profile.counting.measurement import Measurement
from spectronorm.profile.without_floor import Cells, ClipSums
from spectronorm.short_repr import shortened
from spectronorm.storage.fields_only import FieldsOnly
from spectronorm.suggestion import known_settings


@known_settings
@dataclass(frozen=True, eq=False, repr=False)
class Statistics(FieldsOnly):
    """Mean, std, extremes, quantiles, floor share and standard errors, in the level's unit.

    Every figure is an array `(band,)`, or a number for a pooled measurement. Means and stds (ddof = 0) are those of the
    gridded levels, rounded once. With `without_floor` (the floor on the grid), the cells on the floor are left out of
    everything except the floor share.

    >>> import numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(3)]
    >>> profile = sn.fit(waves, sn.FrontEnd(bands=sn.Mel(40)))
    >>> profile.band.mean.shape, bool(profile.overall.min <= profile.overall.mean <= profile.overall.max)
    ((40,), True)
    """

    measurement: Measurement
    grid: Grid
    pooled: bool = False
    without_floor: int | None = None

    def __repr__(self) -> str:
        return shortened(f"Statistics({', '.join(f'{name} {value}' for name, value in self._facts())})")

    def _repr_html_(self) -> str:
        table = html_table("Statistics", self._facts())
        return table if self.pooled else table + band_svg(self.mean, self.std, "")

    def _facts(self) -> list[tuple[str, str]]:
        """The figures as short words: numbers, or their range over bands."""
        facts = [("clips", str(self.measurement.clips))] if self.pooled else [("bands", str(self.measurement.bands))]
        for name in ("mean", "std", "min", "max", "floor_share"):
            values = np.atleast_1d(getattr(self, name))
            low, high = (f"{value:.4g}" for value in (values.min(), values.max()))
            facts.append((name, low if self.pooled else f"{low} … {high}"))
        return facts

    @cached_property
    def _cells(self) -> Cells:
        return Cells.of(self.measurement, self.without_floor, self.grid.cell_bits)

    @cached_property
    def mean(self) -> Any:
        """Mean level."""
        rows = zip(self._cells.total, self._cells.count, strict=True)
        return self._figures([t / (n * self.grid.steps) for t, n in rows])

    @cached_property
    def std(self) -> Any:
        """Standard deviation of the level with ddof = 0, `sqrt(n Σq² - (Σq)²) / n`."""
        rows = zip(self._cells.total, self._cells.squares, self._cells.count, strict=True)
        return self._figures([math.sqrt(n * q - s * s) / (n * self.grid.steps) for s, q, n in rows])

    @cached_property
    def min(self) -> Any:
        """Lowest level."""
        return self._figures(self._cells.lowest / self.grid.steps)

    @cached_property
    def max(self) -> Any:
        """Highest level."""
        return self._figures(self.measurement.highest / self.grid.steps)

    @cached_property
    def floor_share(self) -> Any:
        """Share of cells on the floor – digital silence and values below `amin`."""
        return self._figures(self.measurement.on_floor / self.measurement.count)

    @cached_property
    def mean_se(self) -> Any:
        """Standard error of the mean, with the clip as the unit of sampling; infinite for a single clip.

        The frames of a clip are correlated: standard errors that treat frames as independent are 100 times too small.
        The mean is the ratio ΣS/Σn over clips, with `Var = C/(C-1) Σ(S - mean·n)² / (Σn)²` (Cochran 1977, Sampling
        Techniques, section 6.4).
        """
        return self._figures([_mean_se(sums) / self._unit for sums in self._cells.clip_sums])

    @cached_property
    def std_se(self) -> Any:
        """Standard error of the std, clustered by clip, by linearization; infinite for a single clip."""
        return self._figures([_std_se(sums) / self._unit for sums in self._cells.clip_sums])

    def quantile(self, q: ArrayLike) -> Any:
        """Level below which a share `q` of the cells lies: `(band,)`, or `(len(q), band)` for several shares.

        Computed from the histogram, linearly within a cell, so the error is at most one cell width (1/16 dB); cells on
        the floor count as exactly the floor, and the shares 0 and 1 give the exact extremes.

        Raises:
            ArgumentError: if a share is not in 0 … 1.
        """
        shares = np.asarray(q, dtype=np.float64)
        if not ((shares >= 0) & (shares <= 1)).all():
            raise ArgumentError(f"quantile {shares} must lie in 0 … 1")
        values = np.array([self._quantile(float(share)) for share in shares.ravel()])
        values = values.reshape(*shares.shape, self.measurement.bands)
        return values[..., 0] if self.pooled else values

    def _quantile(self, share: float) -> Floats:
        m, cells = self.measurement, self._cells
        floor = np.where(m.highest > cells.lowest, cells.on_floor, 0)
        counts = cells.histogram.astype(np.float64)
        rows = np.arange(m.bands)
        floor_cell = np.clip((m.lowest >> self.grid.cell_bits) - m.first_cell, 0, counts.shape[1] - 1)
        # Cells on the floor are one spike at the lower end of their cell, not spread over it.
        floor = np.minimum(floor, counts[rows, floor_cell])
        counts[rows, floor_cell] -= floor
        rank = share * np.asarray(cells.count, dtype=np.float64) - floor
        reached = np.cumsum(counts, axis=1)
        cell = np.minimum(np.sum(reached < np.maximum(rank, 0)[:, None], axis=1), counts.shape[1] - 1)
        inside = counts[rows, cell]
        part = np.where(inside > 0, (rank - (reached[rows, cell] - inside)) / np.maximum(inside, 1), 0.0)
        level = (m.first_cell + cell + part) * self.grid.cell_width
        low, high = cells.lowest / self.grid.steps, m.highest / self.grid.steps
        level = np.where(rank <= 0, low, np.clip(level, low, high))
        return np.where(share == 0, low, np.where(share == 1, high, level))

    @property
    def _unit(self) -> float:
        """Size of one step of the rounded clip sums, in the level's unit."""
        return float(self.grid.steps) / (1 << S_SHIFT)

    def _figures(self, values: ArrayLike) -> Any:
        array = np.asarray(values, dtype=np.float64)
        if self.pooled:
            return float(array[0])
        array.setflags(write=False)
        return array


def _mean_se(sums: ClipSums) -> float:
    """Standard error in the unit of S; `u = S - mean·n` for each clip."""
    if sums.clips < 2:
        return math.inf
    mean = Fraction(sums.s) / sums.n
    between = sums.ss - 2 * mean * sums.sn + mean * mean * sums.nn
    return math.sqrt(max(0.0, float(between * sums.clips / (sums.clips - 1)))) / sums.n


def _std_se(sums: ClipSums) -> float:
    """Standard error in the unit of S; `v = Q - 2·mean·S + (mean² - var)·n` for each clip; dstd = dvar / (2 std)."""
    if sums.clips < 2:
        return math.inf
    to_square = 1 << (Q_SHIFT - 2 * S_SHIFT)  # Q is stored in coarser steps than S².
    q, sq, qq, qn = sums.q * to_square, sums.sq * to_square, sums.qq * to_square**2, sums.qn * to_square
    mean = Fraction(sums.s) / sums.n
    variance = Fraction(q) / sums.n - mean * mean
    if variance <= 0:
        return 0.0
    rest = mean * mean - variance
    of_mean = 4 * mean * mean * sums.ss - 4 * mean * sq - 4 * mean * rest * sums.sn
    between = qq + of_mean + rest * rest * sums.nn + 2 * rest * qn
    clustered = float(between * sums.clips / (sums.clips - 1))
    return math.sqrt(max(0.0, clustered)) / sums.n / (2 * math.sqrt(float(variance)))
