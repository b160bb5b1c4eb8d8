"""Statistics of a data set under a higher floor, from the histogram of its profile: nothing is measured again."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spectronorm.profile import Profile

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RaisedFloor:
    """Figures by band `(band,)`, in the level's unit, or of all bands pooled `(1,)`."""

    mean: Floats
    std: Floats
    floor_share: Floats
    min: Floats
    max: Floats


@dataclass(frozen=True, eq=False)
class LevelCounts:
    """The cells of a profile as the page needs them; the page computes the same figures by the same steps.

    Attributes:
        floor: The profile's own floor.
        first_cell: Number of the histogram's first cell; a cell begins at its number times `cell_width`.
        cell_width: Width of a cell, in the level's unit.
        count: Number of values in each band.
        mean: Exact mean of each band.
        std: Exact standard deviation of each band.
        min: Lowest level of each band.
        max: Highest level of each band.
        on_floor: Number of values of each band that lie on the profile's floor.
        histogram: Counts `(band, cell)` of the values above the floor.
    """

    floor: float
    first_cell: int
    cell_width: float
    count: Floats
    mean: Floats
    std: Floats
    min: Floats
    max: Floats
    on_floor: Floats
    histogram: Floats

    @classmethod
    def of(cls, profile: Profile, *, pooled: bool = False) -> LevelCounts:
        """Take the counts of all cells, even if the profile leaves the floor out of its figures."""
        whole = replace(profile, exclude_floor=False)
        statistics = whole.overall if pooled else whole.band
        m, grid = statistics.measurement, profile.front_end.grid
        figures = (np.atleast_1d(np.asarray(getattr(statistics, name))) for name in ("mean", "std", "min", "max"))
        mean, std, low, high = figures
        histogram = m.histogram.astype(np.float64)
        cell = (grid.integer(profile.front_end.floor) >> grid.cell_bits) - m.first_cell
        if 0 <= cell < histogram.shape[1]:
            histogram[:, cell] = np.maximum(histogram[:, cell] - m.on_floor, 0)
        return cls(
            profile.front_end.floor,
            m.first_cell,
            grid.cell_width,
            m.count.astype(np.float64),
            mean,
            std,
            low,
            high,
            m.on_floor.astype(np.float64),
            histogram,
        )

    def raised(self, floor: float, *, exclude_floor: bool = False) -> RaisedFloor:
        """Return the figures of `max(level, floor)`; a floor below the profile's own changes nothing.

        The counts are exact, and values count as evenly spread within a cell of the histogram. Of the cells below and
        above the floor, the fewer are summed so; the exact sums of the profile give the others: the error is far below
        the width of a cell. With `exclude_floor` the figures are of the cells above the floor, and a band without any
        keeps its own.
        """
        floor = max(floor, self.floor)
        start = (self.first_cell + np.arange(self.histogram.shape[1], dtype=np.float64)) * self.cell_width
        end = start + self.cell_width
        left: Floats = np.minimum(np.maximum(start, self.floor), end)  # no value lies below the profile's own floor
        cut: Floats = np.clip(floor, left, end)
        spike, target = self.floor - self.mean, floor - self.mean
        n, first, second = self._sums(left, cut, left, end) + self.on_floor * np.stack([spike**0, spike, spike**2])
        above = self._sums(cut, end, left, end)
        by_above = n > self.count / 2
        first = np.where(by_above, above[1], -first)
        second = np.where(by_above, above[2], self.count * self.std**2 - second)
        added = np.where(exclude_floor & (n < self.count), 0.0, n)
        count = self.count - n + added
        moved = (added * target + first) / count
        square = (second + added * target**2) / count
        kept = (self.on_floor == n) & (added == n)  # no other cell is on the floor: the profile's own figures
        return RaisedFloor(
            np.where(kept, self.mean, self.mean + moved),
            np.where(kept, self.std, np.sqrt(np.maximum(square - moved**2, 0.0))),
            n / self.count,
            np.maximum(self.min, floor),
            np.maximum(self.max, floor),
        )

    def _sums(self, start: Floats, stop: Floats, left: Floats, end: Floats) -> NDArray[np.float64]:
        """Return number, sum and sum of squares of the values from `start` to `stop`, about each band's mean."""
        share = (stop - start) / np.where(end > left, end - left, 1.0)
        counts = self.histogram * share
        a, b = start[None] - self.mean[:, None], stop[None] - self.mean[:, None]
        parts = (counts, counts * (a + b) / 2, counts * (a * a + a * b + b * b) / 3)
        return np.stack([part.sum(axis=1) for part in parts])
