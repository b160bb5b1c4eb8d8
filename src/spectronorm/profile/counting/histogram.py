"""Histogram of each band, over a range of cells that grows as levels arrive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Memory = Callable[[tuple[int, ...], Any], NDArray[Any]]
_STEP = 512
"""Number of cells by which the range grows: exact widths would fragment the heap."""


class Histogram:
    """Counts `(band, cell)` of the cells from `first_cell` on; the array may be wider than the covered range.

    The type of the counts is as narrow as the number of frames given to `hold` allows: half the width keeps twice the
    number of counts in the cache, and each of many groups has a histogram in memory. `memory` returns an array of a
    shape and a type, which need not be cleared and is valid until the next call.
    """

    def __init__(self, bands: int, memory: Memory = np.empty) -> None:
        self._memory = memory
        self.counts: NDArray[np.integer[Any]] = np.zeros((bands, 0), dtype=np.uint16)
        self._most = (1 << 16) - 1
        self.first_cell = 0
        self._covered: tuple[int, int] | None = None

    def cover(self, first: int, stop: int) -> None:
        """Make room for the cells from `first` to before `stop`."""
        if self._covered is not None:
            if self._covered[0] <= first and stop <= self._covered[1]:
                return
            first, stop = min(first, self._covered[0]), max(stop, self._covered[1])
        self._covered = first, stop
        start, end = first // _STEP * _STEP, -(-stop // _STEP) * _STEP
        width = self.counts.shape[1]
        if end - start == width:
            return
        before = self.counts.copy() if width else self.counts
        wider = self._memory((len(self.counts), end - start), self.counts.dtype)
        wider[...] = 0
        if width:
            wider[:, self.first_cell - start : self.first_cell - start + width] = before
        self.counts, self.first_cell = wider, start

    def hold(self, frames: int) -> None:
        """Let every count reach this number of frames."""
        if frames <= self._most:
            return
        wider = self._memory(self.counts.shape, np.int32 if frames < 1 << 31 else np.int64)
        wider[...] = self.counts
        self._most = int(np.iinfo(wider.dtype).max)
        self.counts = wider

    def covered(self) -> tuple[int, NDArray[np.integer[Any]]]:
        """Return the first covered cell, and the counts from there to the last covered cell, as a view."""
        first, stop = self._covered or (0, 0)
        return first, self.counts[:, first - self.first_cell : stop - self.first_cell]
