"""Clipping: samples that stay at the highest or lowest value of a recording."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RUN = 3
"""Length of a flat top: equal samples in a row at an extreme."""


class FlatTops:
    """Number of samples in flat tops at the highest and the lowest value so far, as blocks come."""

    def __init__(self) -> None:
        self._high, self._low = _Top(), _Top()

    def add(self, samples: NDArray[np.float32]) -> None:
        """More samples of one channel `(sample,)`."""
        self._high.add(samples)
        self._low.add(-samples)

    @property
    def count(self) -> int:
        """Number of samples in flat tops."""
        return self._high.in_runs + self._low.in_runs


class _Top:
    """Flat tops at the highest value."""

    def __init__(self) -> None:
        self.value, self.in_runs = -np.inf, 0

    def add(self, samples: NDArray[np.float32]) -> None:
        value = float(samples.max())
        if value < self.value:
            return
        if value > self.value:
            self.value, self.in_runs = value, 0
        at = np.flatnonzero(samples == np.float32(value))
        bounds = np.flatnonzero(np.diff(at, prepend=-2, append=samples.size + 2) > 1)
        lengths = np.diff(bounds)
        self.in_runs += int(lengths[lengths >= RUN].sum())
