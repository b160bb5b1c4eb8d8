"""Bit depth that is really used: the spacing of the values that occur, on the grid of 16 bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BITS = 16
_HALF = 1 << (BITS - 1)
_VISITS = 16
"""Mean number of samples for each value from which gaps between values are no accident."""
_SHARE = 0.05
_FEWEST_NEAR, _PILE = 3, 10


class ValueCounts:
    """Number of samples at each value of 16 bits, as blocks come."""

    def __init__(self) -> None:
        self._counts: NDArray[np.int64] = np.zeros(2 * _HALF, np.int64)

    def add(self, samples: NDArray[np.float32]) -> None:
        """More samples, of any shape."""
        values = np.rint(samples.ravel() * np.float32(_HALF)).astype(np.int32)
        np.clip(values, -_HALF, _HALF - 1, out=values)
        self._counts += np.bincount(values + _HALF, minlength=2 * _HALF)

    @property
    def bits(self) -> int:
        """Bits of the coarsest even grid that holds the values, 16 at most; 16 for fewer than three values.

        Values that a gain has moved off their grid still lie apart: then the gaps between frequent values decide.
        """
        values = np.flatnonzero(self._counts)
        if len(values) < 3:
            return BITS
        gaps = np.diff(values)
        step = int(np.gcd.reduce(gaps))
        counts = self._counts[values]
        if counts.sum() >= _VISITS * len(values):
            step = max(step, _usual(gaps, np.minimum(counts[1:], counts[:-1])))
        return BITS - int(np.log2(step))

    @property
    def piled_up(self) -> bool:
        """True if an extreme value is far more frequent than values near it, as in a clipped recording."""
        values = np.flatnonzero(self._counts)
        counts, signed = self._counts[values], values - _HALF
        return _piles_up(signed[::-1], counts[::-1]) or _piles_up(-signed, counts)


def _piles_up(values: NDArray[np.int64], counts: NDArray[np.int64]) -> bool:
    """Tell it of the first of the falling `values`: those near it are at least three, and all within a tenth of it."""
    near = counts[1 : max(_FEWEST_NEAR, int((values > 0.9 * values[0]).sum())) + 1]
    return bool(values[0] > 0 and counts[0] >= _PILE and len(near) and counts[0] >= _PILE * near.mean())


def _usual(gaps: NDArray[np.int64], weights: NDArray[np.int64]) -> int:
    """A gap that hardly any is smaller than, weighted by the samples beside it."""
    order = np.argsort(gaps, kind="stable")
    total = np.cumsum(weights[order])
    return int(gaps[order][np.searchsorted(total, _SHARE * total[-1])])
