"""Normalization to mean 0 and standard deviation 1 over the training set."""

from __future__ import annotations

from dataclasses import dataclass

from spectronorm.normalize.normalizer import FittedNormalizer
from spectronorm.normalize.per import check_scope, scoped
from spectronorm.normalize.safe_scale import check_min_scale, safe_scale
from spectronorm.profile import Profile


@dataclass(frozen=True)
class Standardize:
    """Map `(level - mean) / std` with the training set's mean and std (ddof = 0): global MVN, or per-band CMVN.

    With `per="band"`, no band's std counts as less than `min_scale` times the median band's; a std of zero counts as 1.

    Raises:
        ArgumentError: if `per` is neither global nor band, or if `min_scale` is not in 0 … 1.
    """

    per: str = "band"
    min_scale: float = 0.25

    def __post_init__(self) -> None:
        check_scope(self.per)
        check_min_scale(self.min_scale)

    def fit(self, profile: Profile) -> FittedNormalizer:
        """Take mean and std from the profile."""
        statistics = scoped(profile, self.per)
        return FittedNormalizer.of(self, profile, statistics.mean, safe_scale(statistics.std, self.min_scale))
