"""A clip in a few numbers: what is compared, clip by clip, with the clips of the training set.

The frames of a clip resemble each other, so the clip is the unit of every test of significance; a clip is one row of
features, whatever its length.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from specnorm.front_end import FrontEnd
from specnorm.profile.counter import Recorded, digest

Floats = NDArray[np.float64]
MAX_BANDS = 12
"""Neighbouring bands say nearly the same of a clip: they are averaged in this many ranges."""
QUIETEST, LOUDEST = -100.0, 30.0
"""dBFS beyond which one silent clip is as silent as any other."""


@lru_cache(maxsize=64)
def band_ranges(n_bands: int, at_most: int = MAX_BANDS) -> tuple[slice, ...]:
    """Bands in at most `at_most` ranges of neighbours, as even as they come.

    >>> band_ranges(5, 2)
    (slice(0, 3, None), slice(3, 5, None))
    """
    ranges = min(at_most, n_bands)
    bounds = [-(-n_bands * i // ranges) for i in range(ranges + 1)]
    return tuple(slice(a, b) for a, b in pairwise(bounds))


@lru_cache(maxsize=64)
def range_weights(n_bands: int, at_most: int = MAX_BANDS) -> Floats:
    """The matrix `(range, band)` that averages bands in their ranges."""
    weights = np.zeros((len(band_ranges(n_bands, at_most)), n_bands))
    for row, bands in zip(weights, band_ranges(n_bands, at_most), strict=True):
        row[bands] = 1.0 / (bands.stop - bands.start)
    return weights


def feature_names(front_end: FrontEnd) -> list[str]:
    """What each feature is: the level of each range, its shape (level less the clip's own mean), spread, RMS, peak."""
    hz = front_end.band_hz()
    ranges = [f"{hz[bands][0]:.0f}-{hz[bands][-1]:.0f} Hz" for bands in band_ranges(front_end.n_bands)]
    return [f"{kind} {name}" for kind in ("level", "shape", "spread") for name in ranges] + ["RMS", "peak"]


def spread_columns(n_bands: int) -> slice:
    """Where the spreads stand among the features."""
    ranges = len(band_ranges(n_bands))
    return slice(2 * ranges, 3 * ranges)


def shape_columns(n_bands: int) -> NDArray[np.int64]:
    """Where the shapes stand among the features."""
    ranges = len(band_ranges(n_bands))
    return np.arange(ranges, 2 * ranges)


def clip_features(level: NDArray[Any], samples: NDArray[np.float32] | Recorded) -> Floats:
    """The features of one clip, from its level `(band, frame)` and its samples as recorded, or what is known of them.

    Levels and spreads are in the level's unit, RMS and peak in dBFS before waveform normalization.
    """
    weights = range_weights(level.shape[0])
    mean, variance = np.empty(level.shape[0]), np.empty(level.shape[0])
    _band_moments(np.asarray(level, dtype=np.float64), mean, variance)
    recorded = samples if isinstance(samples, Recorded) else as_recorded(samples)
    clip = np.array((dbfs(recorded.rms), dbfs(recorded.peak)))
    return with_shape(weights @ mean, np.sqrt(weights @ variance), clip)


def as_recorded(samples: NDArray[np.float32]) -> Recorded:
    """What is known of a clip's finite samples: faster than `Recorded.of`, and its RMS is single precision's."""
    low, high = float(samples.min()), float(samples.max())
    with np.errstate(over="ignore"):  # infinitely loud is as loud as `LOUDEST`
        rms = math.sqrt(float(np.dot(samples, samples)) / len(samples))
    return Recorded(len(samples), max(-low, high), rms, low == high, digest(samples))


@numba.njit(cache=True, nogil=True, fastmath={"reassoc"})
def _band_moments(level: NDArray[np.float64], mean: Floats, variance: Floats) -> None:
    """Mean and variance over the frames of each band."""
    bands, frames = level.shape
    for band in range(bands):
        total = 0.0
        square = 0.0
        for t in range(frames):
            x = level[band, t]
            total += x
            square += x * x
        mean[band] = total / frames
        variance[band] = max(square / frames - mean[band] * mean[band], 0.0)


def with_shape(level: Floats, spread: Floats, clip: Floats) -> Floats:
    """Rows of features `(..., feature)` from the levels and spreads of ranges `(..., range)` and RMS and peak."""
    shape = level - level.mean(axis=-1, keepdims=True)
    return np.concatenate([level, shape, spread, clip], axis=-1)


def dbfs(amplitude: float) -> float:
    """An amplitude (full scale is 1) in dBFS, within `QUIETEST … LOUDEST`."""
    if amplitude <= 0:
        return QUIETEST
    return min(max(20.0 * math.log10(amplitude), QUIETEST), LOUDEST)
