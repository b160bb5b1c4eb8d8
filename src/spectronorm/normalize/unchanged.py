"""No normalization: the baseline that the others are compared with."""

from __future__ import annotations

from dataclasses import dataclass

from spectronorm.normalize.normalizer import FittedNormalizer
from spectronorm.normalize.scikit_learn import Parameters
from spectronorm.profile import Profile


@dataclass(frozen=True)
class Unchanged(Parameters):
    """Leaves levels as they are."""

    def fit(self, profile: Profile) -> FittedNormalizer:
        """The identity."""
        return FittedNormalizer.of(self, profile, 0.0, 1.0)
