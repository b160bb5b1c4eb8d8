"""Features of a clip: a few numbers that are compared, clip by clip, with the clips of the training set.

Neighbouring frames of a clip are correlated, so the clip is the unit of every significance test, and a clip is one row
of features, whatever its length.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Floats
from spectronorm.front_end import AnyFrontEnd
from spectronorm.kernels.jit import kernel
from spectronorm.profile.counting.counter import Recorded, digest

_MAX_BANDS = 12
"""Largest number of ranges; neighbouring bands carry nearly equal information and are averaged."""
QUIETEST, LOUDEST = -100.0, 30.0
"""Limits in dBFS; beyond them, all silent clips are equally silent."""
_LARGE = 1e10


@lru_cache(maxsize=64)
def band_ranges(n_bands: int, at_most: int = _MAX_BANDS) -> tuple[slice, ...]:
    """Divide the bands into at most `at_most` ranges of neighbours, of sizes that differ by at most one.

    >>> band_ranges(5, 2)
    (slice(0, 3, None), slice(3, 5, None))
    """
    ranges = min(at_most, n_bands)
    bounds = [-(-n_bands * i // ranges) for i in range(ranges + 1)]
    return tuple(slice(a, b) for a, b in pairwise(bounds))


@lru_cache(maxsize=64)
def range_weights(n_bands: int, at_most: int = _MAX_BANDS) -> Floats:
    """Matrix `(range, band)` that averages the bands of each range."""
    weights = np.zeros((len(band_ranges(n_bands, at_most)), n_bands))
    for row, bands in zip(weights, band_ranges(n_bands, at_most), strict=True):
        row[bands] = 1.0 / (bands.stop - bands.start)
    return weights


def feature_names(front_end: AnyFrontEnd) -> list[str]:
    """Name of each feature: level of each range, shape (level minus the clip's mean), spread, RMS, peak."""
    hz = front_end.band_hz()
    ranges = [
        f"bands {bands.start}-{bands.stop - 1}"
        if np.isnan(hz[bands]).any()
        else f"{hz[bands][0]:.0f}-{hz[bands][-1]:.0f} Hz"
        for bands in band_ranges(front_end.n_bands)
    ]
    return [f"{kind} {name}" for kind in ("level", "shape", "spread") for name in ranges] + ["RMS", "peak"]


def spread_columns(n_bands: int) -> slice:
    """Columns of the spreads among the features."""
    ranges = len(band_ranges(n_bands))
    return slice(2 * ranges, 3 * ranges)


def shape_columns(n_bands: int) -> NDArray[np.int64]:
    """Columns of the shapes among the features."""
    ranges = len(band_ranges(n_bands))
    return np.arange(ranges, 2 * ranges)


def clip_features(level: NDArray[Any], samples: NDArray[np.float32] | None) -> Floats:
    """The features of one clip, from its level `(band, frame)` and its samples as recorded, if there are any.

    Levels and spreads are in the level's unit, RMS and peak in dBFS before waveform normalization.
    """
    no_frames = np.empty((level.shape[0], 0), dtype=np.int32)
    recorded = Recorded(level.shape[1], 0.0, 0.0, False, b"") if samples is None else as_recorded(samples)
    return clip_features_on_grid(np.asarray(level, dtype=np.float64), recorded, 0.0, no_frames)[0]


def clip_features_on_grid(
    level: NDArray[np.float64], recorded: Recorded, steps: float, gridded: NDArray[np.int32]
) -> tuple[Floats, int, int]:
    """Compute a clip's features, and in one pass its level on the grid, with the lowest and highest grid value.

    `gridded` `(band, frame)` is filled with evenly spaced frames; an array without frames leaves the extremes
    undefined.
    """
    features = np.empty(3 * len(_range_bounds(level.shape[0])) - 1)
    lowest, highest = _look(level, _range_bounds(level.shape[0]), steps, gridded, features)
    features[-2], features[-1] = dbfs(recorded.rms), dbfs(recorded.peak)
    return features, lowest, highest


@lru_cache(maxsize=64)
def _range_bounds(n_bands: int) -> NDArray[np.int64]:
    """First band of each range, followed by the number of bands."""
    return np.array([bands.start for bands in band_ranges(n_bands)] + [n_bands])


def _look_by_numpy(
    level: NDArray[np.float64],
    bounds: NDArray[np.int64],
    steps: float,
    gridded: NDArray[np.int32],
    features: Floats,
) -> tuple[int, int]:
    ranges, frames = len(bounds) - 1, level.shape[1]
    mean = level.mean(axis=1)
    variance = np.maximum(np.square(level).mean(axis=1) - mean * mean, 0.0)
    count = np.diff(bounds)
    features[:ranges] = np.add.reduceat(mean, bounds[:-1]) / count
    features[ranges : 2 * ranges] = features[:ranges] - features[:ranges].mean()
    features[2 * ranges : 3 * ranges] = np.sqrt(np.add.reduceat(variance, bounds[:-1]) / count)
    if gridded.shape[1] == 0:
        return 1 << 30, -(1 << 30)
    stride = -(-frames // gridded.shape[1])
    picked = level[:, : stride * gridded.shape[1] : stride]
    gridded[:] = np.rint(np.clip(picked * steps, -1073741824.0, 1073741824.0))
    return int(gridded.min()), int(gridded.max())


@kernel(_look_by_numpy, cache=True, nogil=True, fastmath={"reassoc"})
def _look(
    level: NDArray[np.float64],
    bounds: NDArray[np.int64],
    steps: float,
    gridded: NDArray[np.int32],
    features: Floats,
) -> tuple[int, int]:
    ranges, frames = bounds.size - 1, level.shape[1]
    stride = -(-frames // max(gridded.shape[1], 1))
    lowest: Any = 1 << 30
    highest: Any = -(1 << 30)
    for r in range(ranges):
        mean, variance = 0.0, 0.0
        for band in range(bounds[r], bounds[r + 1]):
            total, square = 0.0, 0.0
            for t in range(frames):
                x = level[band, t]
                total += x
                square += x * x
            mean += total / frames
            variance += max(square / frames - (total / frames) * (total / frames), 0.0)
            for i in range(gridded.shape[1]):
                q = np.int32(np.rint(min(max(level[band, i * stride] * steps, -1073741824.0), 1073741824.0)))
                gridded[band, i] = q
                lowest, highest = min(lowest, q), max(highest, q)
        bands = bounds[r + 1] - bounds[r]
        features[r] = mean / bands
        features[2 * ranges + r] = math.sqrt(variance / bands)
    centre = features[:ranges].mean()
    for r in range(ranges):
        features[ranges + r] = features[r] - centre
    return lowest, highest


def as_recorded(samples: NDArray[np.float32]) -> Recorded:
    """Summarize a clip's finite samples: faster than `Recorded.of`, with the RMS in single precision."""
    low, high = float(np.minimum.reduce(samples)), float(np.maximum.reduce(samples))
    if max(-low, high) < _LARGE:
        square = float(np.dot(samples, samples))
    else:  # The square of the sample leaves the range of single precision.
        square = float(np.square(samples, dtype=np.float64).sum())
    rms = math.sqrt(square / len(samples))
    return Recorded(len(samples), max(-low, high), rms, low == high, digest(samples))


def with_shape(level: Floats, spread: Floats, clip: Floats) -> Floats:
    """Rows of features `(..., feature)` from the levels and spreads of ranges `(..., range)`, RMS and peak."""
    shape = level - level.mean(axis=-1, keepdims=True)
    return np.concatenate([level, shape, spread, clip], axis=-1)


def dbfs(amplitude: float) -> float:
    """Convert an amplitude (full scale is 1) to dBFS, clipped to `QUIETEST … LOUDEST`."""
    if amplitude <= 0:
        return QUIETEST
    return min(max(20.0 * math.log10(amplitude), QUIETEST), LOUDEST)
