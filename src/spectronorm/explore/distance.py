"""The distance of a clip from a data set: how far its band means lie from the usual, in deviations of clip means."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.normalize.safe_scale import safe_scale
from spectronorm.profile import Profile

_MIN_SPREAD = 0.25
"""No band's spread counts as less than this share of the median band's: silent bands would decide everything."""


@dataclass(frozen=True)
class Oddness:
    """Distance of a clip, and the band that contributes most to it.

    Attributes:
        distance: Root mean square over the bands of the distance, in standard deviations of clip means.
        band: The band farthest from the usual.
        deviation: The signed distance of that band: above 0 where it is louder than usual.
    """

    distance: float
    band: int
    deviation: float


@dataclass(frozen=True, eq=False)
class Usual:
    """Usual mean of a clip in each band, and how much clips differ: arrays `(band,)` in the level's unit."""

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def of_profile(cls, profile: Profile) -> Usual:
        """Take both from a profile: the standard error of a mean is the spread of clips by the root of their number."""
        band = profile.band
        spread = band.mean_se * math.sqrt(profile.clips) if profile.clips > 1 else band.std
        return cls(band.mean, safe_scale(spread, _MIN_SPREAD))

    @classmethod
    def of_clips(cls, means: NDArray[np.floating]) -> Usual:
        """Take both from the means `(clip, band)` of all clips; rows of NaN are clips that could not be read."""
        read = means[~np.isnan(means[:, 0])].astype(np.float64)
        return cls(read.mean(axis=0), safe_scale(read.std(axis=0), _MIN_SPREAD))

    def oddness(self, means: NDArray[np.floating]) -> Oddness:
        """Return the distance of a clip with these band means `(band,)`."""
        z = (means - self.mean) / self.spread
        band = int(np.argmax(np.abs(z)))
        return Oddness(float(np.sqrt(np.mean(z * z))), band, float(z[band]))
