"""Measurement: the integers of one group of clips, and their addition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Integers
from spectronorm.errors import ArgumentError
from spectronorm.profile.counting import int128
from spectronorm.profile.counting.format_counts import FormatCounts
from spectronorm.profile.counting.histogram import Histogram
from spectronorm.profile.counting.layout import PRODUCTS
from spectronorm.short_repr import with_short_repr
from spectronorm.suggestion import known_settings

DIGEST_BYTES = 16


@known_settings
@with_short_repr
@dataclass(frozen=True, eq=False)
class Measurement:
    """Everything counted in a group of clips; the sum of two is exact and does not depend on the order.

    Attributes:
        clips: Number of clips counted.
        population: Number of clips that they represent: equal to `clips`, unless a random sample was measured.
        samples: Total length of all clips, in samples at the front end's rate.
        flat: Number of silent or constant clips.
        count: Number of cells (frames) in each band.
        total: Σq of each band.
        lowest: The smallest q of each band.
        highest: The largest q of each band.
        on_floor: Number of cells on the floor in each band.
        lowest_above: The smallest q above the floor in each band, `NONE_ABOVE` if there is none.
        squares: Σq² of each band, as wide integers.
        products: Clip products for standard errors, `(band + 1, 10, limb)`, with the pooled row last.
        first_cell: Number of the histogram's first cell.
        histogram: Counts `(band, cell)`, trimmed to the occupied cells.
        rms: Number of clips in each cell of RMS level (see `clip_histograms`).
        peak: Number of clips in each cell of peak level.
        length: Number of clips in each cell of length.
        flat_count: Number of cells of silent and constant clips in each band, included in `count`.
        flat_total: Σq of these cells in each band.
        flat_squares: Σq² of these cells in each band, as wide integers.
        digests: XXH3-128 of each clip's samples, sorted, `(clip, 16)` bytes.
        formats: Number of clips by the format of their recordings; it identifies nothing, so equal ones may differ.

    >>> import numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(3)]
    >>> total = sn.fit(waves, sn.FrontEnd(bands=sn.Mel(40))).total
    >>> total.clips, total.frames
    (3, 243)
    """

    clips: int
    population: int
    samples: int
    flat: int
    count: Integers
    total: Integers
    lowest: Integers
    highest: Integers
    on_floor: Integers
    lowest_above: Integers
    squares: Integers
    products: Integers
    first_cell: int
    histogram: NDArray[np.integer[Any]]
    rms: Integers
    peak: Integers
    length: Integers
    flat_count: Integers
    flat_total: Integers
    flat_squares: Integers
    digests: NDArray[np.uint8]
    formats: FormatCounts = field(default=FormatCounts(), compare=False)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Measurement):
            return NotImplemented
        return all(np.array_equal(getattr(self, f.name), getattr(other, f.name)) for f in fields(self) if f.compare)

    __hash__ = None  # type: ignore[assignment]

    @property
    def bands(self) -> int:
        """Number of bands."""
        return len(self.count)

    @property
    def frames(self) -> int:
        """Number of frames counted."""
        return int(self.count.max())

    def pooled(self) -> Measurement:
        """All bands counted as one; Σq over them is a Python integer, since 64 bits may not hold it."""
        return Measurement(
            **{name: getattr(self, name) for name in _PER_CLIP},
            count=self.count.sum(keepdims=True),
            total=self.total.astype(object).sum(keepdims=True),
            lowest=self.lowest.min(keepdims=True),
            highest=self.highest.max(keepdims=True),
            on_floor=self.on_floor.sum(keepdims=True),
            lowest_above=self.lowest_above.min(keepdims=True),
            flat_count=self.flat_count.sum(keepdims=True),
            flat_total=self.flat_total.astype(object).sum(keepdims=True),
            flat_squares=int128.normalized(self.flat_squares.sum(axis=0, keepdims=True)),
            squares=int128.normalized(self.squares.sum(axis=0, keepdims=True)),
            products=self.products[[-1, -1]],
            first_cell=self.first_cell,
            histogram=self.histogram.sum(axis=0, keepdims=True, dtype=np.int64),
        )

    def pooled_rows(self, rows: Sequence[Sequence[int]]) -> Measurement:
        """Each of these sets of bands counted as one: its figures are exact, but its standard errors are not known.

        The clip products of such a set were not kept; it counts as one clip, of which no error can be told.
        """
        parts = [self._of(np.asarray(some)).pooled() for some in rows]
        one = {"clips": 1, "population": 1}
        per_clip = {name: one.get(name, getattr(self, name)) for name in _PER_CLIP}
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in (f.name for f in fields(self))
            if name not in (*_PER_CLIP, "products", "first_cell")
        }
        return Measurement(
            **per_clip, **joined, products=int128.zeros(len(parts) + 1, PRODUCTS), first_cell=self.first_cell
        )

    def _of(self, bands: Integers) -> Measurement:
        """These bands alone, their clip products still those of all bands."""
        kept = {name: getattr(self, name) for name in (*_PER_CLIP, "products", "first_cell")}
        return Measurement(**kept, **{f.name: getattr(self, f.name)[bands] for f in fields(self) if f.name not in kept})

    @classmethod
    def sum(cls, measurements: Iterable[Measurement]) -> Measurement:
        """Add measurements; at least one is needed."""
        running = RunningSum()
        for measurement in measurements:
            running.add(measurement)
        return running.total()


_PER_CLIP = ("clips", "population", "samples", "flat", "rms", "peak", "length", "digests", "formats")
_COUNTS = ("clips", "population", "samples", "flat")
_ADDED = ("count", "total", "on_floor", "rms", "peak", "length", "flat_count", "flat_total")
_LEAST = ("lowest", "lowest_above")
_WIDE = ("squares", "flat_squares", "products")


class RunningSum:
    """Adds measurements in place, one by one: a pass adds hundreds, and most of each is its histogram."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(_COUNTS, 0)
        self._arrays: dict[str, Integers] = {}
        self._histogram: Histogram | None = None
        self._frames = 0
        self._digests: list[NDArray[np.uint8]] = []
        self._formats: list[FormatCounts] = []

    def add(self, part: Measurement) -> None:
        """Add one measurement."""
        self._digests.append(part.digests)
        self._formats.append(part.formats)
        for name in _COUNTS:
            self._counts[name] += getattr(part, name)
        self._frames += part.frames
        self._add_histogram(part)
        mine = self._arrays
        if not mine:
            for name in (*_ADDED, *_LEAST, "highest", *_WIDE):
                mine[name] = getattr(part, name).copy()
            return
        for name in _ADDED:
            mine[name] = _added(mine[name], getattr(part, name))
        for name in _LEAST:
            np.minimum(mine[name], getattr(part, name), out=mine[name])
        np.maximum(mine["highest"], part.highest, out=mine["highest"])
        for name in _WIDE:
            mine[name] = int128.normalized(mine[name] + getattr(part, name))

    def _add_histogram(self, part: Measurement) -> None:
        mine = self._histogram = self._histogram or Histogram(part.bands)
        mine.hold(self._frames)
        stop = part.first_cell + part.histogram.shape[1]
        mine.cover(part.first_cell, stop)
        place = mine.counts[:, part.first_cell - mine.first_cell : stop - mine.first_cell]
        np.add(place, part.histogram, out=place, casting="unsafe")  # No count exceeds the number of frames.

    def total(self) -> Measurement:
        """Return the total. Call it once: the arrays are handed over. Needs at least one measurement."""
        counted: dict[str, Any] = self._counts | self._arrays
        if self._histogram is None:
            raise ArgumentError("there is no measurement to add up; add at least one")
        first, histogram = self._histogram.covered()
        return Measurement(
            **counted,
            first_cell=first,
            histogram=histogram,
            digests=sorted_digests(np.concatenate(self._digests)),
            formats=FormatCounts.sum(self._formats),
        )


def _added(a: Integers, b: Integers) -> Integers:
    """The sum, unless 64 bits do not hold it."""
    total: Integers = a + b
    if (((a ^ total) & (b ^ total)) < 0).any():
        raise ArgumentError("sums of so many frames do not fit into 64 bits; measure the data in two profiles")
    return total


def sorted_digests(digests: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return digests in their canonical order."""
    return digests[np.lexsort(digests.T[::-1])]
