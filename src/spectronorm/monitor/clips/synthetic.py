"""Synthetic clips drawn from a profile's spread between clips in each band and its histograms of clip levels."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spectronorm.arrays import Floats
from spectronorm.monitor.clips.features import LOUDEST, QUIETEST, columns_of, made_up_rows, range_weights
from spectronorm.profile import Profile, Statistics
from spectronorm.profile.counting.clip_histograms import CELLS_PER_DB, dbfs_edges

_FEWEST, _MOST = 40, 400
"""Smallest and largest number of synthetic clips for a group."""
_DEALT = 5
"""Number of parts that a profile of one group is divided into."""


def synthetic_features(
    profile: Profile, generator: np.random.Generator
) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Draw features `(clip, feature)` of synthetic clips, with their groups and the columns that are known.

    The band means of a clip are normal, with the group's mean, the measured spread between clips, and a correlation
    between bands that decays with distance and reproduces the measured spread of the pooled mean. RMS and peak are
    drawn from the group's histograms, both at one quantile. What lies within clips is unknown.

    A profile of one group is divided into parts that differ as other training sets of equal size would: in the mean by
    its standard error, in the spread by its own, and in the histograms by clips drawn with replacement.

    Args:
        profile: Profile of the training clips.
        generator: Source of the random draws.

    Returns:
        Features `(clip, feature)`, the group of each clip, and the indices of the known features.
    """
    n_bands = profile.front_end.n_bands
    weights = range_weights(n_bands)
    between = np.sqrt(_mean_of_groups(profile, lambda s: s.mean_se**2 * s.measurement.clips))
    pooled = _mean_of_groups(profile, lambda s: _pooled_se(s) ** 2 * s.measurement.clips)
    factor = weights @ _correlated(np.where(np.isfinite(between), between, 0.0), float(pooled))
    parts = list(profile.groups.values())
    alone = len(parts) == 1
    parts = parts * _DEALT if alone else parts
    rows, groups = [], []
    for number, part in enumerate(parts):
        clips = min(max(part.clips // (_DEALT if alone else 1), _FEWEST), _MOST)
        mean = weights @ np.asarray(Statistics(part, profile.front_end.grid).mean)
        shift, spread = _sampling_error(part.clips, factor.shape[1], generator) if alone else (0.0, 1.0)
        level = mean + (shift + spread * generator.standard_normal((clips, factor.shape[1]))) @ factor.T
        quantile = generator.random(clips)
        rms, peak = (_drawn_again(some, generator) if alone else some for some in (part.rms, part.peak))
        rows.append(made_up_rows(level, _drawn(rms, quantile), _drawn(peak, quantile)))
        groups += [number] * clips
    known = np.flatnonzero(np.isfinite(rows[0]).all(axis=0))
    # Both levels are drawn at one quantile, which fixes their difference.
    columns = np.setdiff1d(known, columns_of(n_bands, "crest"))
    return np.concatenate(rows), np.array(groups, dtype=np.int64), columns


def _sampling_error(clips: int, size: int, generator: np.random.Generator) -> tuple[Floats, float]:
    """Draw by how much another training set of this size would differ: the shift of each mean, and the spread's factor.

    The shift is in standard deviations between clips.
    """
    if clips < 2:
        return np.zeros(size), 1.0
    return generator.standard_normal(size) / math.sqrt(clips), math.sqrt((clips - 1) / generator.chisquare(clips - 1))


def _drawn_again(histogram: NDArray[np.int64], generator: np.random.Generator) -> NDArray[np.int64]:
    """Draw the clips of a histogram again, with replacement."""
    clips = int(histogram.sum())
    return np.asarray(generator.multinomial(clips, histogram / clips)) if clips else histogram


def _mean_of_groups(profile: Profile, figure: Callable[[Statistics], ArrayLike]) -> Floats:
    """Mean of a figure over the groups with at least two clips, weighted by clips; over all clips if there are none."""
    grid = profile.front_end.grid
    parts = [part for part in profile.groups.values() if part.clips > 1] or [profile.total]
    values = [np.asarray(figure(Statistics(part, grid))) for part in parts]
    return np.average(np.stack(values), axis=0, weights=[part.clips for part in parts])


def _pooled_se(statistics: Statistics) -> float:
    return float(Statistics(statistics.measurement.pooled(), statistics.grid, pooled=True).mean_se)


def _correlated(deviation: Floats, pooled_variance: float) -> Floats:
    """Factor of `deviation_i · deviation_j · exp(-|i - j| / reach)`, with the reach that gives the pooled variance."""
    distance = np.abs(np.subtract.outer(np.arange(len(deviation)), np.arange(len(deviation))))
    product = np.outer(deviation, deviation)
    near, far = 0.05, 1e5
    for _ in range(60):
        reach = math.sqrt(near * far)
        near, far = (reach, far) if (product * np.exp(-distance / reach)).mean() < pooled_variance else (near, reach)
    covariance = product * np.exp(-distance / near)
    jitter = 1e-9 * max(float(covariance.diagonal().max()), 1e-12)
    return np.asarray(np.linalg.cholesky(covariance + jitter * np.eye(len(deviation))))


def _drawn(histogram: NDArray[np.int64], quantile: Floats) -> Floats:
    """Look up levels in dBFS at these quantiles of a histogram of clips."""
    reached = np.cumsum(histogram)
    cell = np.searchsorted(reached, quantile * reached[-1], "right")
    return np.asarray(np.clip(dbfs_edges()[cell] + 0.5 / CELLS_PER_DB, QUIETEST, LOUDEST))
