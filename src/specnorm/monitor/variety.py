"""Whether clips are as mixed as those of training: statistics taken from two kinds of sound ruin a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specnorm.errors import ArgumentError
from specnorm.monitor.baseline import Baseline
from specnorm.monitor.features import Floats

_DIRECTIONS = 10
_DRAWS = 400
_SHARE = 0.05


@dataclass(frozen=True)
class Variety:
    """How mixed clips are, beside what as many training clips show: `limit` in one of twenty draws is above."""

    value: float
    limit: float

    @property
    def enough(self) -> bool:
        """Whether the clips are as mixed as training clips."""
        return self.value >= self.limit


def variety(baseline: Baseline, features: Floats, *, seed: int = 0) -> Variety:
    """Compare the clips' generalized variance with that of random draws of as many training clips.

    The features are turned into the training set's ten main directions, each of variance 1 there; the figure is the
    logarithm of the determinant of the clips' covariance, over the number of directions. A shift of all clips, such as
    a filter, does not change it.

    Raises:
        ArgumentError: when there are fewer than three clips.
    """
    if len(features) < 3:
        raise ArgumentError(f"the variety of {len(features)} clips cannot be told; at least 3 are needed")
    training = baseline.rows[:, baseline.columns]
    mean, deviation = training.mean(axis=0), np.maximum(training.std(axis=0), 1e-9)
    _, sizes, directions = np.linalg.svd((training - mean) / deviation, full_matrices=False)
    used = directions[: min(_DIRECTIONS, len(directions))]
    scale = np.maximum(sizes[: len(used)] / np.sqrt(len(training)), 1e-9)

    def whitened(rows: Floats) -> Floats:
        return np.clip(((rows - mean) / deviation) @ used.T / scale, -5.0, 5.0)

    generator = np.random.default_rng(seed)
    known, count = whitened(training), len(features)
    draws = [known[generator.integers(len(known), size=count)] for _ in range(_DRAWS)]
    if count <= len(known) // 2:
        draws = [known[generator.permutation(len(known))[:count]] for _ in range(_DRAWS)]
    centred = features[:, baseline.columns] - features[:, baseline.columns].mean(axis=0) + mean
    limit = float(np.quantile([_size(draw) for draw in draws], _SHARE))
    return Variety(_size(whitened(centred)), limit)


def _size(rows: Floats) -> float:
    covariance = np.atleast_2d(np.cov(rows.T))
    return float(np.linalg.slogdet(covariance + 0.01 * np.eye(len(covariance)))[1]) / len(covariance)
