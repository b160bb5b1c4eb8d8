"""Diversity check: statistics estimated from one or two kinds of sound ruin a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spectronorm.arrays import Floats
from spectronorm.counted import counted
from spectronorm.errors import ArgumentError
from spectronorm.monitor.clips.baseline import Baseline
from spectronorm.monitor.clips.features import columns_of

_DIRECTIONS = 10
_DRAWS = 400
_SHARE = 0.05
_LOWER_QUARTILE = 0.25


@dataclass(frozen=True)
class Variety:
    """Diversity of the clips, with the smallest value expected of training clips.

    `limit` is the 5th percentile of the measure over random draws of equally many clips from one training group, and
    `quartile` the 25th.
    """

    value: float
    limit: float
    quartile: float

    @property
    def enough(self) -> bool:
        """True if the clips are as diverse as training clips."""
        return self.value >= self.limit


def variety(baseline: Baseline, features: Floats, *, seed: int = 0) -> Variety:
    """Compare the clips' diversity with that of random draws of equally many clips from one training group.

    With measured training clips, the features are projected on the training set's first ten principal components, each
    scaled to unit variance, and the measure is the logarithm of the determinant of the clips' covariance, divided by
    the number of components. With a baseline drawn from a profile, which does not know the correlations, it is the mean
    logarithm of the variances of the levels. A common shift of all clips, such as a filter, changes neither.

    Args:
        baseline: Features of the training clips.
        features: Features `(clip, feature)` of the new clips.
        seed: Seed of the random draws.

    Raises:
        ArgumentError: if there are fewer than three clips.
    """
    count = len(features)
    if count < 3:
        raise ArgumentError(
            f"the diversity of {counted(count, 'clip')} cannot be measured; at least 3 clips are needed"
        )
    columns = baseline.columns
    if not baseline.measured:
        columns = np.setdiff1d(columns, columns_of(baseline.front_end.n_bands, "shape"))
    training = baseline.rows[:, columns]
    size = (_in_directions if baseline.measured else _in_columns)(training)
    generator = np.random.default_rng(seed)
    parts = [training[baseline.folds == fold] for fold in np.unique(baseline.folds)]
    sizes = []
    for number in range(_DRAWS):
        part = parts[number % len(parts)]
        # Draw without replacement if the group is at least twice the size of the draw.
        sizes.append(size(part[generator.choice(len(part), count, replace=count > len(part) // 2)]))
    limit, quartile = np.quantile(sizes, [_SHARE, _LOWER_QUARTILE])
    return Variety(size(features[:, columns]), float(limit), float(quartile))


def _in_directions(training: Floats) -> Callable[[Floats], float]:
    mean, deviation = training.mean(axis=0), np.maximum(training.std(axis=0), 1e-9)
    _, sizes, directions = np.linalg.svd((training - mean) / deviation, full_matrices=False)
    used = directions[: min(_DIRECTIONS, len(directions))]
    scale = np.maximum(sizes[: len(used)] / np.sqrt(len(training)), 1e-9)

    def size(rows: Floats) -> float:
        whitened = np.clip((rows - rows.mean(axis=0)) / deviation @ used.T / scale, -5.0, 5.0)
        covariance = np.atleast_2d(np.cov(whitened.T))
        return float(np.linalg.slogdet(covariance + 0.01 * np.eye(len(covariance)))[1]) / len(covariance)

    return size


def _in_columns(training: Floats) -> Callable[[Floats], float]:
    variance = np.maximum(training.var(axis=0), 1e-18)
    return lambda rows: float(np.log(rows.var(axis=0, ddof=1) / variance + 0.01).mean())
