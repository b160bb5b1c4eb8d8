"""Sums of clips' features and of their squares, as integers, so that they add up in any order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from spectronorm.arrays import Floats, Integers
from spectronorm.kernels.jit import kernel

_UNIT = 1 << 16
_LARGEST = 1e4


def _add_clip_by_numpy(row: Floats, sums: Integers) -> None:
    held = np.clip(row, -_LARGEST, _LARGEST)
    sums[0] += np.rint(held * _UNIT).astype(np.int64)
    sums[1] += np.rint(held * held * _UNIT).astype(np.int64)


@kernel(_add_clip_by_numpy, cache=True, nogil=True)
def add_clip(row: Floats, sums: Integers) -> None:
    """Add one clip's features to the sums `(2, feature)` of `FeatureMoments`."""
    for f in range(row.size):
        held = min(max(row[f], -_LARGEST), _LARGEST)
        sums[0, f] += np.int64(np.rint(held * _UNIT))
        sums[1, f] += np.int64(np.rint(held * held * _UNIT))


@dataclass(frozen=True, eq=False)
class FeatureMoments:
    """Number of clips, and the sums `(2, feature)` of their features and of the squares, in 1 / 65536."""

    clips: int
    sums: Integers

    @classmethod
    def of(cls, features: Floats) -> FeatureMoments:
        """Sum the features `(clip, feature)`, or one clip's `(feature,)`."""
        rows = np.clip(np.atleast_2d(features), -_LARGEST, _LARGEST)
        parts = [
            np.rint(rows * _UNIT).astype(np.int64).sum(axis=0),
            np.rint(rows**2 * _UNIT).astype(np.int64).sum(axis=0),
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
        return np.asarray(self.sums[0] / (_UNIT * max(self.clips, 1)))

    @property
    def deviation(self) -> Floats:
        """Standard deviation of each feature over clips."""
        return np.asarray(np.sqrt(np.maximum(self.sums[1] / (_UNIT * max(self.clips, 1)) - self.mean**2, 0.0)))
