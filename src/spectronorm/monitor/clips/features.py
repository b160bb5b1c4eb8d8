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
from spectronorm.monitor.clips.look import MAX_RANGES, look
from spectronorm.monitor.clips.recorded import as_recorded
from spectronorm.profile.counting.counter import Recorded

QUIETEST, LOUDEST = -100.0, 200.0
"""Limits in dBFS: below the first all silent clips are equally silent, and integers of 32 bits that are read as floats,
which reach 187 dBFS, stay below the second.
"""
OF_RANGES = ("level", "shape", "spread", "quiet", "loud", "flux", "steadiest")
"""Features that each range has: its mean, that less the mean of all ranges, the spread within it, quantiles of its
frames, the mean step from frame to frame, and that of the band in it that moves least (small for a tone).
"""
OF_CLIPS = ("RMS", "peak", "crest", "flat tops", "onset")
"""Features of the whole clip: levels in dBFS, their difference, the samples near the peak (logarithm of their share),
and by how much rises are faster than falls, in decibels.
"""
_MEANINGS = {
    "level": "mean level",
    "shape": "mean level, less the mean of all ranges",
    "spread": "spread of the levels",
    "quiet": "level of quiet moments",
    "loud": "level of loud moments",
    "flux": "mean step from frame to frame",
    "steadiest": "mean step from frame to frame of the band that moves least",
    "RMS": "RMS before waveform normalization",
    "peak": "highest sample before waveform normalization",
    "crest": "peak less RMS",
    "flat tops": "share of samples near the peak",
    "onset": "how much faster sounds rise than fall",
}
_FEWEST_TOPS = 1e-4


@lru_cache(maxsize=64)
def band_ranges(n_bands: int, at_most: int = MAX_RANGES) -> tuple[slice, ...]:
    """Divide the bands into at most `at_most` ranges of neighbours, of sizes that differ by at most one.

    >>> band_ranges(5, 2)
    (slice(0, 3, None), slice(3, 5, None))
    """
    ranges = min(at_most, n_bands)
    bounds = [-(-n_bands * i // ranges) for i in range(ranges + 1)]
    return tuple(slice(a, b) for a, b in pairwise(bounds))


@lru_cache(maxsize=64)
def range_weights(n_bands: int, at_most: int = MAX_RANGES) -> Floats:
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


def meaning_of(feature: str) -> str:
    """Return what a feature of this name measures, in a few words; "" for an unknown name.

    >>> meaning_of("flux 0-640 Hz"), meaning_of("RMS"), meaning_of("")
    ('mean step from frame to frame', 'RMS before waveform normalization', '')
    """
    return _MEANINGS.get(feature, _MEANINGS.get(feature.partition(" ")[0], ""))


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
    rows, no_frames = as_rows(level), np.empty((level.shape[0], 0), dtype=np.int32)
    recorded = Recorded(level.shape[1], 0.0, 0.0, False, b"") if samples is None else as_recorded(samples)
    no_sums = np.empty(level.shape[0], dtype=np.int64)
    return clip_features_on_grid(rows, recorded, 0.0, no_frames, no_sums)[0]


def as_rows(level: NDArray[Any]) -> NDArray[np.floating[Any]]:
    """Return a level as contiguous float32, if it is that, or float64."""
    return np.ascontiguousarray(level, np.float32 if level.dtype == np.float32 else np.float64)


def clip_features_on_grid(
    level: NDArray[np.floating[Any]],
    recorded: Recorded,
    steps: float,
    gridded: NDArray[np.int32],
    sums: NDArray[np.int64],
) -> tuple[Floats, int, int, bool]:
    """Compute a clip's features, and in one pass its level on the grid, with the lowest and highest grid value.

    `gridded` `(band, frame)` is filled with evenly spaced frames, and `sums` `(band,)` with the sum of each band's; an
    array without frames leaves the extremes undefined. At last it is told if all features are finite. The level is
    contiguous, of float64 or float32.
    """
    bounds = _range_bounds(level.shape[0])
    features = np.empty(len(OF_RANGES) * (len(bounds) - 1) + len(OF_CLIPS))
    lowest, highest, finite = look(level, bounds, steps, gridded, sums, features)
    rms, peak = dbfs(recorded.rms), dbfs(recorded.peak)
    features[-5], features[-4], features[-3] = rms, peak, peak - rms
    features[-2] = math.log10(recorded.tops + _FEWEST_TOPS)
    return features, lowest, highest, finite


@lru_cache(maxsize=64)
def _range_bounds(n_bands: int) -> NDArray[np.int64]:
    """First band of each range, followed by the number of bands."""
    return np.array([bands.start for bands in band_ranges(n_bands)] + [n_bands])


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
