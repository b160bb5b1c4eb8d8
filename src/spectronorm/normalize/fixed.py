"""Normalization by two fixed numbers that a published system chose."""

from __future__ import annotations

import math
from dataclasses import dataclass

from spectronorm.errors import ArgumentError
from spectronorm.front_end import FrontEnd
from spectronorm.normalize.normalizer import FittedNormalizer, FittedOn
from spectronorm.profile import Profile


@dataclass(frozen=True)
class Fixed:
    """Map `(level - shift) / scale` with given numbers: nothing is measured, so it only suits their own system.

    A model trained with such numbers needs exactly these numbers, whatever the mean of your own data is.

    Raises:
        ArgumentError: if `shift` is not finite, or `scale` is not finite and positive.
    """

    shift: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.shift) and 0 < self.scale < math.inf):
            raise ArgumentError(f"shift={self.shift} must be finite, and scale={self.scale} finite and positive")

    def fit(self, profile: Profile) -> FittedNormalizer:
        """Return the map for the profile's front end; the profile's numbers are not used."""
        return FittedNormalizer.of(self, profile, self.shift, self.scale)

    def for_front_end(self, front_end: FrontEnd) -> FittedNormalizer:
        """Return the map without a profile."""
        return FittedNormalizer.with_map(self, front_end, FittedOn(0, 0, ()), self.shift, self.scale)
