"""The check that every number is finite and within a limit, in one pass over memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.kernels.jit import kernel


def all_within(values: NDArray[np.floating[Any]], limit: float) -> bool:
    """Return True if no number of contiguous float32 or float64 values is NaN or beyond ±limit.

    >>> all_within(np.array([0.5, -8.0]), 8.0), all_within(np.array([np.nan]), 8.0)
    (True, False)
    """
    kind = values.dtype.type
    wholes = np.int64 if kind is np.float64 else np.int32
    return bool(_largest(values.reshape(-1).view(wholes), wholes(np.iinfo(wholes).max)) <= kind(limit).view(wholes))


def _largest_by_numpy(bits: NDArray[Any], magnitude: Any) -> Any:
    return (bits & magnitude).max(initial=0)


@kernel(_largest_by_numpy, cache=True, nogil=True)
def _largest(bits: NDArray[Any], magnitude: Any) -> Any:
    """Return the largest magnitude, as bits: their order is the one of positive numbers, with NaN at the end."""
    largest = magnitude & 0
    for i in range(bits.size):
        one = bits[i] & magnitude
        largest = one if one > largest else largest
    return largest
