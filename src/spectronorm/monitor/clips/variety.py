"""Whether clips are as mixed as those of training: statistics taken from two kinds of sound ruin a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spectronorm.arrays import Floats
from spectronorm.errors import ArgumentError
from spectronorm.monitor.clips.baseline import Baseline
from spectronorm.monitor.clips.features import shape_columns

_DIRECTIONS = 10
_DRAWS = 400
_SHARE = 0.05


@dataclass(frozen=True)
class Variety:
    """How mixed clips are, beside as many training clips of one group: 19 in 20 random draws of those reach `limit`."""

    value: float
    limit: float

    @property
    def enough(self) -> bool:
        """Whether the clips are as mixed as training clips."""
        return self.value >= self.limit


def variety(baseline: Baseline, features: Floats, *, seed: int = 0) -> Variety:
    """Compare how far the clips differ with how far random draws of as many clips of a training group do.

    With measured training clips, the features are turned into the training set's ten main directions, each of variance
    1 there, and the figure is the logarithm of the determinant of the clips' covariance, over the number of
    directions. With a baseline made up from a profile, which does not know how bands go together, it is the mean
    logarithm of the variances of levels. A shift of all clips, such as a filter, changes neither.

    Raises:
        ArgumentError: when there are fewer than three clips.
    """
    count = len(features)
    if count < 3:
        raise ArgumentError(f"the variety of {count} clips cannot be told; at least 3 are needed")
    columns = baseline.columns
    if not baseline.measured:
        columns = np.setdiff1d(columns, shape_columns(baseline.front_end.n_bands))
    training = baseline.rows[:, columns]
    size = (_in_directions if baseline.measured else _in_columns)(training)
    generator = np.random.default_rng(seed)
    parts = [training[baseline.folds == fold] for fold in np.unique(baseline.folds)]
    sizes = []
    for number in range(_DRAWS):
        part = parts[number % len(parts)]
        # Without putting back, as long as that leaves the draws free.
        sizes.append(size(part[generator.choice(len(part), count, replace=count > len(part) // 2)]))
    return Variety(size(features[:, columns]), float(np.quantile(sizes, _SHARE)))


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
