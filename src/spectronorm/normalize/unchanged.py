"""No normalization: the baseline that the others are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from spectronorm.normalize.normalizer import FittedNormalizer
from spectronorm.profile import Profile


@dataclass(frozen=True)
class Unchanged:
    """Leaves levels as they are; padding is silence, because a level of zero may be loud."""

    padding: ClassVar[str] = "silence"

    def fit(self, profile: Profile) -> FittedNormalizer:
        """The identity."""
        return FittedNormalizer.of(self, profile, 0.0, 1.0)
