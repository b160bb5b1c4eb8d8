"""Mean and standard deviation of many windows of a signal, from cumulative sums."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays.namespace import Array, is_torch_array, namespace
from spectronorm.arrays.operations import take_along_last
from spectronorm.arrays.rounding import CONSTANT_VARIANCE
from spectronorm.kernels.jit import kernel


def window_moments(x: Array, start: Array, stop: Array) -> tuple[Array, Array]:
    """Mean and standard deviation (ddof = 0) of `x[..., start[t] : stop[t]]` for each position `t` of the last axis.

    The bounds are int64 in the library of `x`, one for each position or (torch only) for each value.

    Differences of cumulative sums take two additions for each position, whatever the windows. The first value is
    subtracted before and added after, so that a constant signal leaves no rounding. A deviation below a millionth of
    the mean (or of 1) is rounding; such a window is constant, and its deviation is returned as 1. `x` must be float64.
    """
    if not is_torch_array(x):
        weight = 1.0 / (stop - start)
        rows = np.ascontiguousarray(x).reshape(-1, x.shape[-1])
        mean, std = np.empty_like(rows), np.empty_like(rows)
        _window_moments(rows, start, stop, weight, mean, std)
        mean.setflags(write=False)
        std.setflags(write=False)
        return mean.reshape(x.shape), std.reshape(x.shape)
    xp = namespace(x)
    first, low, high = x[..., :1], start.expand(x.shape), stop.expand(x.shape)

    def window_mean(values: Array) -> Array:
        total = xp.concat([xp.zeros_like(first), values.cumsum(-1)], axis=-1)
        return (take_along_last(total, high) - take_along_last(total, low)) / (high - low)

    centred = window_mean(x - first)
    variance = window_mean((x - first) ** 2) - centred * centred
    mean = centred + first
    flat = variance <= CONSTANT_VARIANCE * (1.0 + mean * mean)
    return mean, xp.sqrt(xp.where(flat, xp.ones_like(variance), variance))


def _window_moments_by_numpy(
    rows: NDArray[np.float64],
    start: NDArray[np.int64],
    stop: NDArray[np.int64],
    weight: NDArray[np.float64],
    mean: NDArray[np.float64],
    std: NDArray[np.float64],
) -> None:
    total = np.zeros(rows.shape[1] + 1)
    squares = np.zeros_like(total)
    for row in range(len(rows)):
        value = rows[row] - rows[row, 0]
        np.cumsum(value, out=total[1:])
        np.cumsum(value * value, out=squares[1:])
        centred = (total[stop] - total[start]) * weight
        variance = (squares[stop] - squares[start]) * weight - centred * centred
        average = centred + rows[row, 0]
        flat = variance <= CONSTANT_VARIANCE * (1.0 + average * average)
        mean[row] = average
        std[row] = np.sqrt(np.where(flat, 1.0, variance))


@kernel(_window_moments_by_numpy, cache=True, nogil=True)
def _window_moments(
    rows: NDArray[np.float64],
    start: NDArray[np.int64],
    stop: NDArray[np.int64],
    weight: NDArray[np.float64],
    mean: NDArray[np.float64],
    std: NDArray[np.float64],
) -> None:
    positions = rows.shape[1]
    total, squares = np.zeros(positions + 1), np.zeros(positions + 1)
    for row in range(rows.shape[0]):
        first = rows[row, 0]
        for t in range(positions):
            value = rows[row, t] - first
            total[t + 1] = total[t] + value
            squares[t + 1] = squares[t] + value * value
        for t in range(positions):
            centred = (total[stop[t]] - total[start[t]]) * weight[t]
            variance = (squares[stop[t]] - squares[start[t]]) * weight[t] - centred * centred
            average = centred + first
            mean[row, t] = average
            std[row, t] = 1.0 if variance <= CONSTANT_VARIANCE * (1.0 + average * average) else np.sqrt(variance)
