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

        The counts are exact, and within the one cell that the floor cuts, values count as evenly spread: the error is
        far below the width of a cell. With `exclude_floor` the figures are of the cells above the floor, and a band
        without any keeps its own.
        """
        floor = max(floor, self.floor)
        left = (self.first_cell + np.arange(self.histogram.shape[1])) * self.cell_width
        end = left + self.cell_width
        left = np.minimum(np.maximum(left, self.floor), end)  # no value lies below the profile's own floor
        right = np.clip(floor, left, end)  # the part of the cell below the floor ends here
        below = self.histogram * ((right - left) / np.where(end > left, end - left, 1.0))
        centre = self.mean[:, None]
        a, b = left[None] - centre, right[None] - centre
        spike = self.floor - self.mean
        n = self.on_floor + below.sum(axis=1)
        first = self.on_floor * spike + (below * (a + b) / 2).sum(axis=1)
        second = self.on_floor * spike**2 + (below * (a * a + a * b + b * b) / 3).sum(axis=1)
        target = floor - self.mean
        added = np.where(exclude_floor & (n < self.count), 0.0, n)
        count = self.count - n + added
        moved = (added * target - first) / count
        square = (self.count * self.std**2 - second + added * target**2) / count
        some = self.on_floor == n
        kept = some & (added == n)  # no cell is below the floor: the profile's own figures, to the last bit
        return RaisedFloor(
            np.where(kept, self.mean, self.mean + moved),
            np.where(kept, self.std, np.sqrt(np.maximum(square - moved**2, 0.0))),
            n / self.count,
            np.maximum(self.min, floor),
            np.maximum(self.max, floor),
        )
