"""Moments of windows that end at each position of a signal in pieces, with the bits of the whole signal's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays.affine import Affine
from spectronorm.arrays.rounding import CONSTANT_VARIANCE
from spectronorm.arrays.sliding import SlidingWindow
from spectronorm.errors import ArgumentError

_Rows = NDArray[np.float64]


class SlidingStream:
    """`sliding_affine` of a signal `(row, position)` that comes in pieces, in constant memory.

    The cumulative sums continue from piece to piece, so they are those of the whole signal.

    Args:
        window: A window that is not centred.
        rows: Number of rows.
        scale: The scale is the window's standard deviation; otherwise it is 1.

    Raises:
        ArgumentError: if the window is centred.
    """

    def __init__(self, window: SlidingWindow, rows: int, *, scale: bool = True) -> None:
        if window.center:
            raise ArgumentError(
                f"a window of length={window.length} around each position waits for half of it, which a stream has "
                "only later; set center=False"
            )
        self._window, self._scale = window, scale
        self._first: _Rows | None = None
        # Sums before each position from `_start` on, two for each row: of values and of their squares.
        self._sums = np.zeros((2, rows, 1))
        self._start = self._given = 0
        self._waiting = np.empty((rows, 0))

    def add(self, x: _Rows) -> tuple[_Rows, Affine]:
        """Return the positions whose windows are complete, and their map."""
        self._take(x)
        return self._ready(self._count if self._count >= self._window.min_length else self._given)

    def flush(self) -> tuple[_Rows, Affine]:
        """Return the positions that still wait, and their map."""
        return self._ready(self._count)

    @property
    def _count(self) -> int:
        return self._start + self._sums.shape[-1] - 1

    def _take(self, x: _Rows) -> None:
        if x.shape[-1] == 0:
            return
        if self._first is None:
            self._first = x[:, :1].copy()
        value = x - self._first
        added = np.stack([value, value * value])
        # One addition after the other, from the last sum on.
        sums = np.cumsum(np.concatenate([self._sums[..., -1:], added], axis=-1), axis=-1)
        self._sums = np.concatenate([self._sums, sums[..., 1:]], axis=-1)
        self._waiting = np.concatenate([self._waiting, x], axis=-1)

    def _ready(self, until: int) -> tuple[_Rows, Affine]:
        here = np.arange(self._given, until)
        start, stop = self._window.bounds(here, np.int64(self._count))
        weight = 1.0 / (stop - start)
        low, high = self._sums[..., start - self._start], self._sums[..., stop - self._start]
        first = np.zeros((self._sums.shape[1], 1)) if self._first is None else self._first
        centred, squares = (high - low) * weight
        variance = squares - centred * centred
        mean = centred + first
        flat = variance <= CONSTANT_VARIANCE * (1.0 + mean * mean)
        std = np.sqrt(np.where(flat, 1.0, variance))
        x, self._waiting = self._waiting[:, : until - self._given], self._waiting[:, until - self._given :]
        self._given = until
        # The windows of positions to come begin at most a length before them.
        dropped = max(0, self._given - self._window.length - self._start)
        self._sums, self._start = self._sums[..., dropped:].copy(), self._start + dropped
        return x, Affine(mean, std if self._scale else np.ones_like(mean))
