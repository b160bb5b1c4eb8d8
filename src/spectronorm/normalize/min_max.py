"""Normalization of the training set's extremes to a fixed range."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spectronorm.errors import ArgumentError
from spectronorm.normalize.normalizer import FittedNormalizer
from spectronorm.normalize.per import check_scope, scoped
from spectronorm.normalize.safe_scale import check_min_scale, safe_scale
from spectronorm.profile import Profile


@dataclass(frozen=True)
class MinMax:
    """Maps the lowest level of the training set to `low` and the highest to `high`; other audio may fall outside.

    With `per="band"`, no band's range counts as less than `min_scale` times the median band's, so a nearly constant
    band fills only part of the target range; a range of zero counts as 1.

    Raises:
        ArgumentError: if `low < high` does not hold, or if `per` or `min_scale` is invalid.
    """

    per: str = "global"
    low: float = 0.0
    high: float = 1.0
    min_scale: float = 0.25

    def __post_init__(self) -> None:
        check_scope(self.per)
        check_min_scale(self.min_scale)
        if not -np.inf < self.low < self.high < np.inf:
            raise ArgumentError(f"low={self.low}, high={self.high} must be finite numbers with low < high")

    def fit(self, profile: Profile) -> FittedNormalizer:
        """Take the extremes from the profile."""
        statistics = scoped(profile, self.per)
        lowest = np.asarray(statistics.min)
        scale = safe_scale(np.asarray(statistics.max) - lowest, self.min_scale) / (self.high - self.low)
        return FittedNormalizer.of(self, profile, lowest - self.low * scale, scale)
