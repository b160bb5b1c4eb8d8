"""Logarithms, exponentials and roots of contiguous float64 arrays, in one pass over memory each.

`log x = e log 2 + 2 atanh(s)` and `exp x = 2^k exp(r)`, with short series for `s = (m - 1) / (m + 1)` and `r`. Results
are within a few units in the last place. Compilers turn such loops into vector instructions, which calls of a
mathematical library prevent. No product and sum are fused, so the plain functions have the same bits on every machine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.kernels.jit import kernel, njit

SERIES = (
    0.666666666666667,
    0.39999999999899444,
    0.2857142862600327,
    0.22222211130259878,
    0.18182889455674947,
    0.15331710618210773,
    0.14616585424888623,
)
"""Polynomial of degree 6 in `s²`, found by interpolation at Chebyshev nodes (relative error 5e-18)."""
_ROOT_HALF_BITS = 0x3FE6A09E667F3BCD
_LN2, _LN2_REST = 0.693147180559663, 2.8235290563031577e-13
"""ln 2 in two parts, the first short enough to be multiplied exactly."""
_ROUNDING = 6755399441055744.0
"""1.5 · 2^52: a number added to it is rounded to a whole number, which the last bits hold."""
_LARGEST_EXPONENT = 700.0
_SMALLEST = 2.2250738585072014e-308
"""The smallest normal number."""
_FACTORS = tuple(1.0 / float(np.prod(np.arange(1, k + 1))) for k in range(14))
Doubles = NDArray[np.float64]


@njit(nogil=True, error_model="numpy", inline="always")
def _log(x: Any) -> Any:
    """The natural logarithm of a positive normal number."""
    a, b, c, d, e, f, g = SERIES
    bits = np.float64(x).view(np.int64)
    exponent = np.int32((bits - _ROOT_HALF_BITS) >> 52)
    m = np.int64(bits - (np.int64(exponent) << 52)).view(np.float64)
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    series = a + z * (b + z * (c + z * (d + z * (e + z * (f + z * g)))))
    return exponent * _LN2 + (exponent * _LN2_REST + (2.0 * s + s * (z * series)))


@njit(nogil=True, error_model="numpy", inline="always")
def _exp(x: Any) -> Any:
    """The exponential of a number, clamped to ±700."""
    a, b, c, d, e, f, g, h, i, j, k, m, n, o = _FACTORS
    y = min(max(x, -_LARGEST_EXPONENT), _LARGEST_EXPONENT)
    shifted = y * 1.4426950408889634 + _ROUNDING
    whole = shifted - _ROUNDING
    r = (y - whole * _LN2) - whole * _LN2_REST
    high = h + r * (i + r * (j + r * (k + r * (m + r * (n + r * o)))))
    series = a + r * (b + r * (c + r * (d + r * (e + r * (f + r * (g + r * high))))))
    bits = np.float64(series).view(np.int64) + (np.float64(shifted).view(np.int64) << 52)
    return np.int64(bits).view(np.float64)


def _log_by_numpy(x: Doubles) -> Doubles:
    bits = x.view(np.int64)
    exponent = (bits - _ROOT_HALF_BITS) >> 52
    m = (bits - (exponent << 52)).view(np.float64)
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    series = np.full_like(z, SERIES[-1])
    for term in SERIES[-2::-1]:
        series = term + z * series
    return np.asarray(exponent * _LN2 + (exponent * _LN2_REST + (2.0 * s + s * (z * series))))


def _exp_by_numpy(x: Doubles) -> Doubles:
    y = np.clip(x, -_LARGEST_EXPONENT, _LARGEST_EXPONENT)
    shifted = y * 1.4426950408889634 + _ROUNDING
    whole = shifted - _ROUNDING
    r = (y - whole * _LN2) - whole * _LN2_REST
    series = np.full_like(r, _FACTORS[-1])
    for term in _FACTORS[-2::-1]:
        series = term + r * series
    return (series.view(np.int64) + (shifted.view(np.int64) << 52)).view(np.float64)


def _log1p_by_numpy(values: Doubles, gain: float) -> None:
    x = gain * values
    one_more = 1.0 + x
    values[:] = _log_by_numpy(one_more) + (x - (one_more - 1.0)) / one_more


@kernel(_log1p_by_numpy, cache=True, nogil=True, error_model="numpy")
def log1p_of(values: Doubles, gain: float) -> None:
    """Replace values, never negative, by `ln(1 + gain · value)`."""
    for i in range(values.size):
        x = gain * values[i]
        one_more = 1.0 + x
        # The sum's rounding error is made good for.
        values[i] = _log(one_more) + (x - (one_more - 1.0)) / one_more


def _root_by_numpy(values: Doubles, exponent: float) -> None:
    some = values >= _SMALLEST
    values[:] = np.where(some, _exp_by_numpy(exponent * _log_by_numpy(np.maximum(values, _SMALLEST))), 0.0)


@kernel(_root_by_numpy, cache=True, nogil=True, error_model="numpy")
def root_of(values: Doubles, exponent: float) -> None:
    """Replace values, never negative, by `value^exponent`, with 0 for what is below the smallest normal number."""
    for i in range(values.size):
        x = max(values[i], _SMALLEST)
        values[i] = _exp(exponent * _log(x)) if values[i] >= _SMALLEST else 0.0


def _pcen_by_numpy(
    values: Doubles, state: Doubles, smoothing: tuple[float, float], gain: float, shape: tuple[float, float, float]
) -> None:
    (b, eps), (scale, bias, exponent) = smoothing, shape
    for t in range(values.shape[1]):
        energy = values[:, t] * scale
        smoothed = b * energy + (1.0 - b) * state
        state[:] = smoothed
        quotient = energy * _exp_by_numpy(-gain * _log_by_numpy(eps + smoothed))
        root = _exp_by_numpy(exponent * _log_by_numpy(1.0 + quotient * (1.0 / bias)))
        values[:, t] = bias**exponent * (root - 1.0)


@kernel(_pcen_by_numpy, cache=True, nogil=True, error_model="numpy")
def pcen_of(
    values: Doubles, state: Doubles, smoothing: tuple[float, float], gain: float, shape: tuple[float, float, float]
) -> None:
    """Replace band values `(band, frame)` by their PCEN, and the smoothed energy `(band,)` before them by the last one.

    `smoothing` is the coefficient and what is added to the smoothed energy; `shape` is the scale of the values, what is
    added before the root, and the exponent.
    """
    (b, eps), (scale, bias, exponent) = smoothing, shape
    rest, level, one_over = 1.0 - b, bias**exponent, 1.0 / bias
    smoothed = np.empty(values.shape[1])
    for band in range(values.shape[0]):
        _smooth(values[band], scale, b, rest, state, band, smoothed)
        row = values[band]
        for t in range(row.size):
            quotient = row[t] * scale * _exp(-gain * _log(eps + smoothed[t]))
            row[t] = level * (_exp(exponent * _log(1.0 + quotient * one_over)) - 1.0)


@njit(nogil=True)
def _smooth(row: Doubles, scale: float, b: float, rest: float, state: Doubles, band: int, smoothed: Doubles) -> None:
    """The recursive filter, without fused operations: its result has one value on every machine."""
    last = state[band]
    for t in range(row.size):
        last = b * (row[t] * scale) + rest * last
        smoothed[t] = last
    state[band] = last
