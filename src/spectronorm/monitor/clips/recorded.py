"""Samples of a clip as recorded, summarized in one reading: peak, RMS, flat tops and digest."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from spectronorm.kernels.jit import kernel_of_module
from spectronorm.profile.counting.counter import Recorded, digest

BLOCK_SAMPLES = 1024
"""Number of samples whose squares are summed in single precision, before the sums are added in double precision."""
TOP_STRIDE = 4
NEAR_PEAK = 0.9999
_Samples = NDArray[np.float32]


def as_recorded(samples: _Samples) -> Recorded:
    """Summarize a clip's samples: faster than `Recorded.of`, with the RMS in single precision; NaN gives a peak of NaN.

    >>> found = as_recorded(np.array([0.5, -1.0, 1.0, 0.0], np.float32))
    >>> found.peak, found.rms, found.tops
    (1.0, 0.75, 0.0)
    """
    samples = np.ascontiguousarray(samples)
    peak, square, near, flat = _heard(samples, np.empty(-(-samples.size // BLOCK_SAMPLES), dtype=np.int32))
    if not square < math.inf and peak < math.inf:  # The square of a sample leaves the range of single precision.
        square = float(np.square(samples, dtype=np.float64).sum())
    rms = math.sqrt(square / samples.size)
    looked_at = -(-samples.size // TOP_STRIDE)
    return Recorded(samples.size, peak, rms, flat, digest(samples), near / looked_at)


def _heard_by_numpy(samples: _Samples, highest: NDArray[np.int32]) -> tuple[float, float, int, bool]:
    del highest
    peak = float(np.abs(samples).max())
    flat = bool(samples.min() == samples.max())
    near = np.abs(samples[::TOP_STRIDE]) >= np.float32(NEAR_PEAK * peak)
    starts = np.arange(0, samples.size, BLOCK_SAMPLES)
    with np.errstate(over="ignore", invalid="ignore"):
        square = float(np.add.reduceat(np.square(samples), starts).astype(np.float64).sum())
    counts = math.isfinite(peak) and not flat
    return peak, square, int(np.count_nonzero(near)) if counts else 0, flat


_heard = kernel_of_module("spectronorm.monitor.clips.heard_in_lanes", "heard_in_lanes", _heard_by_numpy)
"""Peak, sum of squares, number of looked-at samples near the peak, and if all samples are equal.

`highest` has room for one number a block.
"""
