"""A normalizer that centres the training set's extremes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spectronorm.normalize import FittedNormalizer, Normalizer
from spectronorm.profile import Profile


@dataclass(frozen=True)
class Midrange(Normalizer):
    """Maps each band's lowest and highest level of the training set to -1 and 1."""

    def fit(self, profile: Profile) -> FittedNormalizer:
        """Take the extremes from the profile; a band that never varies keeps its scale."""
        low, high = np.asarray(profile.band.min), np.asarray(profile.band.max)
        scale = np.where(high > low, (high - low) / 2.0, 1.0)
        return FittedNormalizer.of(self, profile, shift=(low + high) / 2.0, scale=scale)
