"""One pass over a clip's level: the features of its ranges of bands, and its frames on the grid.

The compiled pass (`look_in_lanes`) adds up neighbouring bands, eight frames at a time, and sorts the frames of all
ranges side by side.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Floats
from spectronorm.kernels.jit import kernel_of_module

MAX_RANGES = 12
"""Largest number of ranges; neighbouring bands carry nearly equal information and are averaged."""
QUIET, LOUD = 0.1, 0.9
N_KINDS = 7
"""Number of features that each range has."""
MOST_SORTED = 64
ONSET_FRAMES = 4


def _look_by_numpy(
    level: NDArray[np.floating[Any]],
    bounds: NDArray[np.int64],
    steps: float,
    gridded: NDArray[np.int32],
    sums: NDArray[np.int64],
    features: Floats,
) -> tuple[int, int, bool]:
    level, ranges, frames = level.astype(np.float64, copy=False), len(bounds) - 1, level.shape[1]
    count = np.diff(bounds)
    mean = level.mean(axis=1)
    variance = np.maximum(np.square(level).mean(axis=1) - mean * mean, 0.0)
    steps_of_bands = np.abs(np.diff(level, axis=1)).sum(axis=1) / max(frames - 1, 1)
    course = np.add.reduceat(level, bounds[:-1], axis=0) / count[:, None]
    ordered = np.sort(course[:, :: -(-frames // MOST_SORTED)], axis=1)
    parts = features[: N_KINDS * ranges].reshape(N_KINDS, ranges)
    parts[0] = np.add.reduceat(mean, bounds[:-1]) / count
    parts[1] = parts[0] - parts[0].mean()
    parts[2] = np.sqrt(np.add.reduceat(variance, bounds[:-1]) / count)
    for part, share in ((parts[3], QUIET), (parts[4], LOUD)):
        at = share * (ordered.shape[1] - 1)
        low = int(at)
        high = min(low + 1, ordered.shape[1] - 1)
        part[:] = ordered[:, low] + (at - low) * (ordered[:, high] - ordered[:, low])
    parts[5] = np.abs(np.diff(course, axis=1)).sum(axis=1) / max(frames - 1, 1)
    parts[6] = np.minimum.reduceat(steps_of_bands, bounds[:-1])
    moved = course[:, ONSET_FRAMES:] - course[:, :-ONSET_FRAMES]
    rise, fall = (1.0 + np.square(np.maximum(sign * moved, 0.0)).sum() for sign in (1.0, -1.0))
    features[-1] = 10.0 * math.log10(rise / fall)
    finite = math.isfinite(float(parts.sum() + features[-1]))
    sums[:] = 0
    if gridded.shape[1] == 0:
        return 1 << 30, -(1 << 30), finite
    stride = -(-frames // gridded.shape[1])
    picked = level[:, : stride * gridded.shape[1] : stride]
    gridded[:] = np.rint(np.clip(picked * steps, -1073741824.0, 1073741824.0))
    sums[:] = gridded.sum(axis=1, dtype=np.int64)
    return int(gridded.min()), int(gridded.max()), finite


look = kernel_of_module("spectronorm.monitor.clips.look_in_lanes", "look_in_lanes", _look_by_numpy)
"""Fill in the features of ranges and the onset, put frames on the grid, and return their extremes, and if all of these
features are finite.
"""
