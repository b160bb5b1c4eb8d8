"""Sums in the fixed order of `sums`, compiled: thirty-two running sums are four values of eight lanes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.kernels.fft.lanes import fill, load_doubles, store
from spectronorm.kernels.jit import njit

_Samples = NDArray[np.floating[Any]]


@njit(cache=True, nogil=True)
def sum_in_lanes(samples: _Samples, mean: float, sums: NDArray[np.float64]) -> float:
    """The sum of `samples - mean`; `sums` has room for eight numbers."""
    a, b, c, d = fill(sums, 0.0), fill(sums, 0.0), fill(sums, 0.0), fill(sums, 0.0)
    m = fill(sums, mean)
    whole = samples.size // 32 * 32
    for i in range(0, whole, 32):
        a = a + (load_doubles(samples, i) - m)
        b = b + (load_doubles(samples, i + 8) - m)
        c = c + (load_doubles(samples, i + 16) - m)
        d = d + (load_doubles(samples, i + 24) - m)
    store(sums, 0, a + b + c + d)
    rest = _folded(sums)
    fours = whole + (samples.size - whole) // 4 * 4
    for i in range(whole, fours):
        rest[(i - whole) % 4] += samples[i] - mean
    total = (rest[0] + rest[2]) + (rest[1] + rest[3])
    for i in range(fours, samples.size):
        total += samples[i] - mean
    return float(total)


@njit(cache=True, nogil=True)
def squares_in_lanes(samples: _Samples, mean: float, sums: NDArray[np.float64]) -> float:
    """The sum of `(samples - mean)²`; `sums` has room for eight numbers."""
    a, b, c, d = fill(sums, 0.0), fill(sums, 0.0), fill(sums, 0.0), fill(sums, 0.0)
    m = fill(sums, mean)
    whole = samples.size // 32 * 32
    for i in range(0, whole, 32):
        p, q = load_doubles(samples, i) - m, load_doubles(samples, i + 8) - m
        r, s = load_doubles(samples, i + 16) - m, load_doubles(samples, i + 24) - m
        a, b, c, d = a + p * p, b + q * q, c + r * r, d + s * s
    store(sums, 0, a + b + c + d)
    rest = _folded(sums)
    fours = whole + (samples.size - whole) // 4 * 4
    for i in range(whole, fours):
        rest[(i - whole) % 4] += (samples[i] - mean) * (samples[i] - mean)
    total = (rest[0] + rest[2]) + (rest[1] + rest[3])
    for i in range(fours, samples.size):
        total += (samples[i] - mean) * (samples[i] - mean)
    return float(total)


@njit(cache=True, nogil=True)
def _folded(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Eight sums in a tree, as the first of four."""
    first, second = (sums[0] + sums[4]) + (sums[2] + sums[6]), (sums[1] + sums[5]) + (sums[3] + sums[7])
    sums[:] = 0.0
    sums[0] = first + second
    return sums[:4]
