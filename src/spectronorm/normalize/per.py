"""Scopes of statistics: everything pooled, each band, each channel, or each band of all channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spectronorm.arrays import require_choice
from spectronorm.profile import Profile, Statistics, require_profile

CLIP_SCOPES = ("global", "band")
SCOPES = (*CLIP_SCOPES, "channel", "shared-band")


def check_scope(per: str, scopes: tuple[str, ...] = SCOPES) -> None:
    """Raise `ArgumentError` unless `per` is a known scope."""
    require_choice(per, "per", scopes)


@dataclass(frozen=True)
class Scoped:
    """Statistics of one scope, in a shape that broadcasts against the bands (and channels) of a level."""

    statistics: Statistics
    shape: tuple[int, ...]

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean level."""
        return self._shaped(self.statistics.mean)

    @property
    def std(self) -> NDArray[np.float64]:
        """Standard deviation (ddof = 0)."""
        return self._shaped(self.statistics.std)

    @property
    def min(self) -> NDArray[np.float64]:
        """Lowest level."""
        return self._shaped(self.statistics.min)

    @property
    def max(self) -> NDArray[np.float64]:
        """Highest level."""
        return self._shaped(self.statistics.max)

    def quantile(self, q: ArrayLike) -> NDArray[np.float64]:
        """Quantiles, one after the other."""
        values = np.asarray(self.statistics.quantile(q), dtype=np.float64)
        return values.reshape(*np.shape(q), *self.shape)

    def _shaped(self, values: ArrayLike) -> NDArray[np.float64]:
        return np.asarray(values, dtype=np.float64).reshape(self.shape)


def scoped(profile: Profile, per: str) -> Scoped:
    """The profile's statistics pooled over all bands, of each band, of each channel, or over the channels.

    `band` is each band of each channel; `channel` pools the bands of each channel; `shared-band` pools the channels,
    which keeps the differences in level between them.
    """
    shape = require_profile(profile).front_end.level_shape
    if per == "global":
        return Scoped(profile.overall, ())
    rows = np.arange(profile.front_end.n_bands).reshape(shape if len(shape) > 1 else (1, *shape))
    if per == "band" or (per == "shared-band" and len(rows) == 1):
        return Scoped(profile.band, shape)
    together = rows if per == "channel" else rows.T
    pooled = profile.pooled_rows([tuple(row) for row in together.tolist()])
    return Scoped(pooled, (len(rows), 1)[: len(shape)] if per == "channel" else (1, shape[-1]))
