"""Sums of frames in the order in which NumPy adds a row, so that a frame's mean has NumPy's bits.

NumPy adds up to 128 numbers in eight running sums, and halves longer rows ("pairwise summation").
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.kernels.fft.lanes import fill, load, store
from spectronorm.kernels.jit import njit

_RUN, _SUMS = 128, 8
_Floats = NDArray[np.floating[Any]]
RowRuns = NDArray[np.int64]
"""Start and length of each run of samples, and the number of additions of two finished sums that follow it."""


@lru_cache(maxsize=64)
def runs_of(size: int) -> RowRuns:
    """Return the runs `(run, 3)` of a frame of `size` samples, in the order of the additions."""
    runs: list[list[int]] = []

    def add(start: int, length: int) -> None:
        if length <= _RUN:
            runs.append([start, length, 0])
            return
        half = length // 2 // _SUMS * _SUMS
        add(start, half)
        add(start + half, length - half)
        runs[-1][2] += 1

    add(0, size)
    return np.array(runs, dtype=np.int64)


@njit(nogil=True)
def sum_of_frames(signals: _Floats, runs: RowRuns, stack: _Floats, width: int) -> None:
    """Add up frames in lanes, `(sample, lane)` flat; the sums are left at the start of `stack`.

    `stack` has room for eight running sums, and for the sums that wait to be added up behind them.
    """
    top = _SUMS
    for i in range(runs.shape[0]):
        start, length = runs[i, 0] * width, runs[i, 1]
        whole = length // _SUMS * _SUMS * width
        for k in range(0, _SUMS * width, width):
            store(stack, k, load(signals, start + k) if whole else fill(stack, 0.0))
        for k in range(_SUMS * width, whole, _SUMS * width):
            for j in range(0, _SUMS * width, width):
                store(stack, j, load(stack, j) + load(signals, start + k + j))
        # As a tree: neighbours first.
        step = width
        while step < _SUMS * width:
            for j in range(0, _SUMS * width, 2 * step):
                store(stack, j, load(stack, j) + load(stack, j + step))
            step *= 2
        total = load(stack, 0)
        for k in range(start + whole, start + length * width, width):
            total = total + load(signals, k)
        store(stack, top * width, total)
        top += 1
        for _ in range(runs[i, 2]):
            top -= 1
            store(stack, (top - 1) * width, load(stack, (top - 1) * width) + load(stack, top * width))
    store(stack, 0, load(stack, _SUMS * width))
