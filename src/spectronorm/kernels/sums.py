"""Means over the samples of a clip whose order of addition is written down, so that every processor rounds alike.

Left to the compiler, the number of partial sums would be what the processor's registers hold, and the last bits of a
mean would differ between machines: enough to move a level by a step of the grid where two large numbers nearly cancel.
Here there are always 32 partial sums, which compile to vector instructions of any width, then four, then one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.kernels.jit import njit

_LANES, _FEW, _ROWS = 32, 4, 16
"""Number of partial sums, number of those for the remainder, and rows of samples that are added at a time."""


@njit(cache=True, nogil=True)
def mean_of(samples: NDArray[Any]) -> float:
    """The mean of contiguous samples `(sample,)` of any floating type, in float64."""
    return _total(samples, 0.0, False) / samples.size


@njit(cache=True, nogil=True)
def mean_square_of(samples: NDArray[Any], centre: float) -> float:
    """The mean of `(sample - centre)²` over contiguous samples `(sample,)` of any floating type, in float64."""
    return _total(samples, centre, True) / samples.size


@njit(cache=True, nogil=True)
def _total(samples: NDArray[Any], centre: float, squares: bool) -> float:
    """The sum of `sample - centre`, or of its squares."""
    lanes = np.zeros(_LANES)
    in_blocks = samples.size // (_ROWS * _LANES) * _ROWS * _LANES
    blocks = samples[:in_blocks].reshape(-1, _ROWS, _LANES)
    for block in range(blocks.shape[0]):
        for lane in range(_LANES):
            total = lanes[lane]
            for row in range(_ROWS):
                total += _term(blocks[block, row, lane], centre, squares)
            lanes[lane] = total
    in_rows = samples.size // _LANES * _LANES
    for i in range(in_blocks, in_rows):
        lanes[i % _LANES] += _term(samples[i], centre, squares)
    few = _few_of(lanes)
    in_fours = samples.size // _FEW * _FEW
    for i in range(in_rows, in_fours):
        few[i % _FEW] += _term(samples[i], centre, squares)
    total = _sum_of(few)
    for i in range(in_fours, samples.size):
        total += _term(samples[i], centre, squares)
    return total


@njit(cache=True, nogil=True)
def _term(sample: float, centre: float, squares: bool) -> float:
    apart = np.float64(sample) - centre
    return apart * apart if squares else apart


@njit(cache=True, nogil=True)
def _few_of(lanes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Partial sums for the remainder; the first begins with the sum of `lanes`."""
    eight = np.zeros(8)
    for lane in range(8):
        eight[lane] = lanes[lane] + lanes[8 + lane] + lanes[16 + lane] + lanes[24 + lane]
    few = np.zeros(_FEW)
    few[0] = _sum_of(eight[:4] + eight[4:])
    return few


@njit(cache=True, nogil=True)
def _sum_of(few: NDArray[np.float64]) -> float:
    return (few[0] + few[2]) + (few[1] + few[3])


def plain_mean(samples: NDArray[Any]) -> float:
    """`mean_of` in NumPy, with the same bits."""
    return _plain_sum(samples.astype(np.float64)) / samples.size


def plain_mean_square(samples: NDArray[Any], centre: float) -> float:
    """`mean_square_of` in NumPy, with the same bits."""
    apart = samples.astype(np.float64) - centre
    return _plain_sum(apart * apart) / samples.size


def _plain_sum(x: NDArray[np.float64]) -> float:
    """NumPy adds the rows of a matrix one after the other."""
    in_rows, in_fours = x.size // _LANES * _LANES, x.size // _FEW * _FEW
    eights = np.add.reduce(np.add.reduce(x[:in_rows].reshape(-1, _LANES), axis=0).reshape(4, 8), axis=0)
    start = np.zeros((1, _FEW))
    start[0, 0] = _halved(eights[:4] + eights[4:])
    few = np.add.reduce(np.concatenate([start, x[in_rows:in_fours].reshape(-1, _FEW)]), axis=0)
    total = _halved(few)
    for value in x[in_fours:].tolist():  # `sum` compensates for rounding from Python 3.12 on
        total += float(value)
    return total


def _halved(few: NDArray[np.float64]) -> float:
    return float((few[0] + few[2]) + (few[1] + few[3]))
