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
OF_RANGES = ("level", "shape", "spread", "quiet", "loud", "flux", "steadiest")
"""Features that each range has: its mean, that less the mean of all ranges, the spread within it, quantiles of its
frames, the mean step from frame to frame, and that of the band in it that moves least (small for a tone).
"""
OF_CLIPS = ("RMS", "peak", "crest", "flat tops", "onset")
"""Features of the whole clip: levels in dBFS, their difference, the samples near the peak (logarithm of their share),
and by how much rises are faster than falls, in decibels.
"""
QUIET, LOUD = 0.1, 0.9
_MOST_SORTED = 64
_ONSET_FRAMES = 4
_FEWEST_TOPS = 1e-4
_NEAR_PEAK = 0.9999
_TOP_STRIDE = 4


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
    """Name of each feature: those of `OF_RANGES` range by range, then those of `OF_CLIPS`."""
    hz = front_end.band_hz()
    ranges = [
        f"bands {bands.start}-{bands.stop - 1}"
        if np.isnan(hz[bands]).any()
        else f"{hz[bands][0]:.0f}-{hz[bands][-1]:.0f} Hz"
        for bands in band_ranges(front_end.n_bands)
    ]
    return [f"{kind} {name}" for kind in OF_RANGES for name in ranges] + list(OF_CLIPS)


def columns_of(n_bands: int, *names: str) -> NDArray[np.int64]:
    """Columns of these features, by their names in `OF_RANGES` and `OF_CLIPS`."""
    ranges = len(band_ranges(n_bands))
    found = [
        np.arange(ranges) + OF_RANGES.index(name) * ranges
        if name in OF_RANGES
        else np.array([len(OF_RANGES) * ranges + OF_CLIPS.index(name)])
        for name in names
    ]
    return np.concatenate(found)


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
    bounds = _range_bounds(level.shape[0])
    features = np.empty(len(OF_RANGES) * (len(bounds) - 1) + len(OF_CLIPS))
    lowest, highest = _look(level, bounds, steps, gridded, features)
    rms, peak = dbfs(recorded.rms), dbfs(recorded.peak)
    features[-5:-1] = rms, peak, peak - rms, math.log10(recorded.tops + _FEWEST_TOPS)
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
    count = np.diff(bounds)
    mean = level.mean(axis=1)
    variance = np.maximum(np.square(level).mean(axis=1) - mean * mean, 0.0)
    steps_of_bands = np.abs(np.diff(level, axis=1)).sum(axis=1) / max(frames - 1, 1)
    course = np.add.reduceat(level, bounds[:-1], axis=0) / count[:, None]
    ordered = np.sort(course[:, :: -(-frames // _MOST_SORTED)], axis=1)
    parts = features[: len(OF_RANGES) * ranges].reshape(len(OF_RANGES), ranges)
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
    moved = course[:, _ONSET_FRAMES:] - course[:, :-_ONSET_FRAMES]
    rise, fall = (1.0 + np.square(np.maximum(sign * moved, 0.0)).sum() for sign in (1.0, -1.0))
    features[-1] = 10.0 * math.log10(rise / fall)
    if gridded.shape[1] == 0:
        return 1 << 30, -(1 << 30)
    stride = -(-frames // gridded.shape[1])
    picked = level[:, : stride * gridded.shape[1] : stride]
    gridded[:] = np.rint(np.clip(picked * steps, -1073741824.0, 1073741824.0))
    return int(gridded.min()), int(gridded.max())


@kernel(_look_by_numpy, cache=True, nogil=True, fastmath={"reassoc"})
def _look(  # noqa: C901  (one pass over the clip)
    level: NDArray[np.float64],
    bounds: NDArray[np.int64],
    steps: float,
    gridded: NDArray[np.int32],
    features: Floats,
) -> tuple[int, int]:
    ranges, frames = bounds.size - 1, level.shape[1]
    stride = -(-frames // max(gridded.shape[1], 1))
    lowest: Any = np.int32(1 << 30)
    highest: Any = np.int32(-(1 << 30))
    # Unsigned numbers are no places that count from an array's end, whose check keeps a compiler from using lanes.
    one = np.uintp(1)
    course, picked = np.empty(frames), np.empty(gridded.shape[1])
    every = -(-frames // _MOST_SORTED)
    ordered = np.empty(-(-frames // every))
    rise, fall = 1.0, 1.0
    for r in range(ranges):
        mean, variance, steadiest = 0.0, 0.0, np.inf
        course[:] = 0.0
        for band in range(bounds[r], bounds[r + 1]):
            row = level[band]
            total, square, moved = row[0], row[0] * row[0], 0.0
            course[0] += row[0]
            for t in range(one, np.uintp(frames)):
                x = row[t]
                total += x
                square += x * x
                course[t] += x
                moved += abs(x - row[t - one])
            mean += total / frames
            variance += max(square / frames - (total / frames) * (total / frames), 0.0)
            steadiest = min(steadiest, moved)
            on_grid = gridded[band]
            for i in range(picked.size):
                picked[i] = row[i * stride]
            for i in range(picked.size):
                q = np.int32(np.rint(min(max(picked[i] * steps, -1073741824.0), 1073741824.0)))
                on_grid[i] = q
                lowest, highest = min(lowest, q), max(highest, q)
        bands = bounds[r + 1] - bounds[r]
        flux = 0.0
        for t in range(frames):
            course[t] /= bands
        for t in range(one, np.uintp(frames)):
            flux += abs(course[t] - course[t - one])
        for t in range(np.uintp(_ONSET_FRAMES), np.uintp(frames)):
            change = course[t] - course[t - np.uintp(_ONSET_FRAMES)]
            rise += max(change, 0.0) * max(change, 0.0)
            fall += max(-change, 0.0) * max(-change, 0.0)
        for i in range(ordered.size):
            ordered[i] = course[i * every]
        ordered.sort()
        features[r] = mean / bands
        features[2 * ranges + r] = math.sqrt(variance / bands)
        for row, share in ((3, QUIET), (4, LOUD)):
            at = share * (ordered.size - 1)
            low = int(at)
            high = min(low + 1, ordered.size - 1)
            features[row * ranges + r] = ordered[low] + (at - low) * (ordered[high] - ordered[low])
        features[5 * ranges + r] = flux / max(frames - 1, 1)
        features[6 * ranges + r] = steadiest / max(frames - 1, 1)
    features[features.size - 1] = 10.0 * math.log10(rise / fall)
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
    peak = max(-low, high)
    near = np.abs(samples[::_TOP_STRIDE]) >= _NEAR_PEAK * peak if 0 < peak < math.inf and low < high else np.zeros(1)
    return Recorded(len(samples), peak, rms, low == high, digest(samples), float(np.count_nonzero(near) / len(near)))


def made_up_rows(level: Floats, rms: Floats, peak: Floats) -> Floats:
    """Rows of features `(clip, feature)` from levels of ranges `(clip, range)`, RMS and peak; the others are NaN."""
    shape = level - level.mean(axis=-1, keepdims=True)
    unknown = np.full((len(level), (len(OF_RANGES) - 2) * level.shape[1]), np.nan)
    clip = np.full((len(level), len(OF_CLIPS)), np.nan)
    clip[:, 0], clip[:, 1], clip[:, 2] = rms, peak, peak - rms
    return np.concatenate([level, shape, unknown, clip], axis=-1)


def moved_by(ranges: Floats, rms: float, peak: float) -> Floats:
    """The change `(feature,)` of all features behind a device that moves ranges and clip levels by these amounts."""
    still, shape = np.zeros_like(ranges), ranges - ranges.mean()
    return np.concatenate([ranges, shape, still, ranges, ranges, still, still, [rms, peak, peak - rms, 0.0, 0.0]])


def dbfs(amplitude: float) -> float:
    """Convert an amplitude (full scale is 1) to dBFS, clipped to `QUIETEST … LOUDEST`."""
    if amplitude <= 0:
        return QUIETEST
    return min(max(20.0 * math.log10(amplitude), QUIETEST), LOUDEST)
