"""Sums of a signal's samples in one fixed order, so that they have the same bits on every machine.

Thirty-two running sums take every thirty-second sample each, are added up in a tree, and what is left over is added
four samples at a time. A compiler that may choose the order chooses it by the width of the machine's vectors, and the
last bit of a clip's standard deviation moves integers of a profile.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.kernels.jit import kernel_of_module

_SUMS, _WIDTH, _REST = 32, 8, 4
_Samples = NDArray[np.floating[Any]]


def _in_order(values: NDArray[np.float64]) -> float:
    whole = len(values) // _SUMS * _SUMS
    # Rows are added one after the other, and one more makes sure that there is one.
    sums = np.add.reduce(np.concatenate([np.zeros(_SUMS), values[:whole]]).reshape(-1, _SUMS), axis=0)
    eight = sums[:_WIDTH]
    for k in range(_WIDTH, _SUMS, _WIDTH):
        eight = sums[k : k + _WIDTH] + eight
    while len(eight) > 1:
        eight = eight[: len(eight) // 2] + eight[len(eight) // 2 :]
    fours = whole + (len(values) - whole) // _REST * _REST
    rest = np.array([eight[0], 0.0, 0.0, 0.0])
    for row in values[whole:fours].reshape(-1, _REST):
        rest += row
    total = (rest[0] + rest[2]) + (rest[1] + rest[3])
    for value in values[fours:]:
        total += value
    return float(total)


def _sum_by_numpy(samples: _Samples, mean: float, sums: NDArray[np.float64]) -> float:
    del sums
    return _in_order(samples.astype(np.float64) - mean)


def _squares_by_numpy(samples: _Samples, mean: float, sums: NDArray[np.float64]) -> float:
    del sums
    centred = samples.astype(np.float64) - mean
    return _in_order(centred * centred)


_sum = kernel_of_module("spectronorm.kernels.sums_in_lanes", "sum_in_lanes", _sum_by_numpy)
_squares = kernel_of_module("spectronorm.kernels.sums_in_lanes", "squares_in_lanes", _squares_by_numpy)


def mean_of(samples: _Samples) -> float:
    """The mean of samples `(sample,)`, in float64."""
    return _sum(samples, 0.0, np.empty(_WIDTH)) / len(samples)


def mean_square(samples: _Samples, mean: float) -> float:
    """The mean of `(sample - mean)²`, in float64."""
    return _squares(samples, mean, np.empty(_WIDTH)) / len(samples)
