"""Sums of clips' features and of their squares, as integers, so that they add up in any order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from spectronorm.arrays import Floats, Integers

UNIT, LARGEST = 1 << 16, 1e4
"""Features are held within the largest number, and counted in this fraction of 1."""


@dataclass(frozen=True, eq=False)
class FeatureMoments:
    """Number of clips, and the sums `(2, feature)` of their features and of the squares, in 1 / 65536."""

    clips: int
    sums: Integers

    @classmethod
    def of(cls, features: Floats) -> FeatureMoments:
        """Sum the features `(clip, feature)`, or one clip's `(feature,)`."""
        rows = np.clip(np.atleast_2d(features), -LARGEST, LARGEST)
        parts = [
            np.rint(rows * UNIT).astype(np.int64).sum(axis=0),
            np.rint(rows**2 * UNIT).astype(np.int64).sum(axis=0),
        ]
        return cls(len(rows), np.stack(parts))

    @classmethod
    def sum(cls, several: Iterable[FeatureMoments]) -> FeatureMoments:
        """Add up."""
        parts = list(several)
        return cls(sum(part.clips for part in parts), np.sum([part.sums for part in parts], axis=0))

    @property
    def mean(self) -> Floats:
        """Mean of each feature."""
        return np.asarray(self.sums[0] / (UNIT * max(self.clips, 1)))

    @property
    def deviation(self) -> Floats:
        """Standard deviation of each feature over clips."""
        return np.asarray(np.sqrt(np.maximum(self.sums[1] / (UNIT * max(self.clips, 1)) - self.mean**2, 0.0)))
