"""Samples of a clip as recorded, summarized in one reading: peak, RMS, flat tops and digest."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from spectronorm.kernels.jit import kernel, njit
from spectronorm.profile.counting.counter import Recorded, digest

_LARGE = 1e10
_BLOCK = 1024
"""Number of samples whose squares are summed in single precision, before the sums are added in double precision."""
_TOP_STRIDE = 4
_NEAR_PEAK = 0.9999
_MAGNITUDE = np.int32(0x7FFFFFFF)
_Samples = NDArray[np.float32]


def as_recorded(samples: _Samples) -> Recorded:
    """Summarize a clip's samples: faster than `Recorded.of`, with the RMS in single precision; NaN gives a peak of NaN.

    >>> found = as_recorded(np.array([0.5, -1.0, 1.0, 0.0], np.float32))
    >>> found.peak, found.rms, found.tops
    (1.0, 0.75, 0.0)
    """
    peak, square, near, flat = _heard(samples, np.empty(-(-samples.size // _BLOCK), dtype=np.int32))
    if not square < math.inf and peak < math.inf:  # The square of a sample leaves the range of single precision.
        square = float(np.square(samples, dtype=np.float64).sum())
    rms = math.sqrt(square / samples.size)
    looked_at = -(-samples.size // _TOP_STRIDE)
    return Recorded(samples.size, peak, rms, flat, digest(samples), near / looked_at)


def _heard_by_numpy(samples: _Samples, highest: NDArray[np.int32]) -> tuple[float, float, int, bool]:
    del highest
    peak = float(np.abs(samples).max())
    flat = bool(samples.min() == samples.max())
    near = np.abs(samples[::_TOP_STRIDE]) >= np.float32(_NEAR_PEAK * peak)
    starts = np.arange(0, samples.size, _BLOCK)
    with np.errstate(over="ignore", invalid="ignore"):
        square = float(np.add.reduceat(np.square(samples), starts).astype(np.float64).sum())
    counts = math.isfinite(peak) and not flat
    return peak, square, int(np.count_nonzero(near)) if counts else 0, flat


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _sum_of_squares(samples: _Samples) -> float:
    """Sum in single precision."""
    total = np.float32(0.0)
    for i in range(samples.size):
        total += samples[i] * samples[i]
    return float(total)


@njit(cache=True, nogil=True)
def _highest_and_differing(bits: NDArray[np.int32], first: np.int32) -> tuple[int, int]:
    """Highest magnitude, as the bits of a number, and the bits in which samples differ from the first.

    Without sign bits, floats have the order of their bits as integers, with NaN above all others.
    """
    highest, differing = np.int32(0), np.int32(0)
    for i in range(bits.size):
        magnitude = np.int32(bits[i] & _MAGNITUDE)
        highest = magnitude if magnitude > highest else highest
        differing = np.int32(differing | np.int32(bits[i] ^ first))
    return int(highest), int(differing)


@kernel(_heard_by_numpy, cache=True, nogil=True)
def _heard(samples: _Samples, highest: NDArray[np.int32]) -> tuple[float, float, int, bool]:
    """Peak, sum of squares, number of looked-at samples near the peak, and if all samples are equal.

    `highest` has room for one number a block; only blocks that come near the peak are read again.
    """
    bits = samples.view(np.int32)
    square, differing, top = 0.0, 0, 0
    for block in range(highest.size):
        begin, end = block * _BLOCK, min((block + 1) * _BLOCK, samples.size)
        highest[block], bits_that_differ = _highest_and_differing(bits[begin:end], bits[0])
        differing |= bits_that_differ
        top = max(top, highest[block])
        square += _sum_of_squares(samples[begin:end])
    peak = float(np.int32(top).view(np.float32))
    flat = top == 0 or (differing == 0 and not math.isnan(peak))  # A zero may have either sign; NaN equals nothing.
    near = 0
    if not flat and peak < math.inf:
        enough = np.float32(_NEAR_PEAK * peak)
        for block in range(highest.size):
            if np.int32(highest[block]).view(np.float32) >= enough:
                for i in range(block * _BLOCK, min((block + 1) * _BLOCK, samples.size), _TOP_STRIDE):
                    near += abs(samples[i]) >= enough
    return peak, square, near, flat
