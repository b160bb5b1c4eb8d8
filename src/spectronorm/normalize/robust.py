"""Normalization by the median and a quantile range, which a few loud clips cannot move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spectronorm.errors import ArgumentError
from spectronorm.normalize.normalizer import FittedNormalizer
from spectronorm.normalize.per import check_scope, scoped
from spectronorm.normalize.safe_scale import check_min_scale, safe_scale
from spectronorm.profile import Profile


@dataclass(frozen=True)
class Robust:
    """Map `(level - median) / (upper - lower quantile)`, from the training set's histograms.

    The counterpart of scikit-learn's RobustScaler.

    Raises:
        ArgumentError: if `quantiles` are not `0 <= lower < upper <= 1`, or if `per` or `min_scale` is invalid.
    """

    per: str = "band"
    quantiles: tuple[float, float] = (0.25, 0.75)
    min_scale: float = 0.25

    def __post_init__(self) -> None:
        check_scope(self.per)
        check_min_scale(self.min_scale)
        object.__setattr__(self, "quantiles", tuple(self.quantiles))  # JSON gives a list
        if len(self.quantiles) != 2 or not 0 <= self.quantiles[0] < self.quantiles[1] <= 1:
            raise ArgumentError(f"quantiles={self.quantiles} must be two shares, 0 <= lower < upper <= 1")

    def fit(self, profile: Profile) -> FittedNormalizer:
        """Take the quantiles from the profile."""
        lower, median, upper = scoped(profile, self.per).quantile([self.quantiles[0], 0.5, self.quantiles[1]])
        return FittedNormalizer.of(self, profile, median, safe_scale(np.asarray(upper - lower), self.min_scale))
