"""Range of levels spanned by an image's grey scale, and its derivation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spectronorm.arrays import to_host
from spectronorm.errors import ArgumentError
from spectronorm.front_end import FrontEnd, db_per_unit
from spectronorm.profile import Profile, Statistics
from spectronorm.short_repr import with_short_repr
from spectronorm.suggestion import known_settings


@known_settings
@with_short_repr
@dataclass(frozen=True, eq=False)
class LevelRange:
    """Bounds `low` and `high` of the grey scale, in the level's unit: one number each, or one for each band `(band,)`.

    `scheme` names the derivation. Levels outside are clipped.

    Raises:
        ArgumentError: if the numbers are not finite with `low < high`, or not of equal length.

    >>> import spectronorm as sn
    >>> front_end = sn.FrontEnd(bands=sn.Mel(40))
    >>> LevelRange.fixed_db(front_end, -80.0, 20.0).low.tolist()
    [-80.0]
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    scheme: str

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            value = np.array(getattr(self, name), dtype=np.float64).reshape(-1)
            value.setflags(write=False)
            object.__setattr__(self, name, value)
        sound = np.isfinite(self.low).all() and np.isfinite(self.high).all()
        if self.low.shape != self.high.shape or not self.low.size or not sound or not (self.low < self.high).all():
            raise ArgumentError(
                f"low={_few(self.low)}, high={_few(self.high)} must be finite numbers of equal length, with low < high"
            )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LevelRange):
            return NotImplemented
        return (
            np.array_equal(self.low, other.low)
            and np.array_equal(self.high, other.high)
            and self.scheme == other.scheme
        )

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def extremes(cls, profile: Profile, per: str = "global") -> LevelRange:
        """Range from the lowest to the highest level of the training set; none of its levels is clipped."""
        statistics = _scoped(profile, per)
        return _widened(statistics.min, statistics.max, profile, f"extremes per {per}")

    @classmethod
    def quantiles(cls, profile: Profile, lower: float = 0.001, upper: float = 0.999, per: str = "global") -> LevelRange:
        """Range between two quantiles of the training set's levels; levels outside are clipped, peaks included."""
        if not 0 <= lower < upper <= 1:
            raise ArgumentError(f"quantiles={lower:g},{upper:g} must be two shares, 0 <= lower < upper <= 1")
        low, high = _scoped(profile, per).quantile([lower, upper])
        return _widened(low, high, profile, f"quantiles {lower:g} {upper:g} per {per}")

    @classmethod
    def sigmas(cls, profile: Profile, k: float = 3.0, per: str = "band") -> LevelRange:
        """Range of the mean ± `k` standard deviations, by band as in SpecGAN (Donahue et al. 2019, section 3.2)."""
        if not 0 < k <= 100:
            raise ArgumentError(f"sigma={k:g} must be above 0 and at most 100")
        statistics = _scoped(profile, per)
        mean, half = np.asarray(statistics.mean), k * np.asarray(statistics.std)
        return _widened(mean - half, mean + half, profile, f"mean ± {k:g} sigma per {per}")

    @classmethod
    def fixed_db(cls, front_end: FrontEnd, low_db: float, high_db: float) -> LevelRange:
        """Range in dB that needs no measurement; the front end's level must be logarithmic."""
        unit = db_per_unit(front_end)
        return cls(np.array(low_db / unit), np.array(high_db / unit), f"fixed {low_db:g} {high_db:g} dB")

    @classmethod
    def of_level(cls, level: Any) -> LevelRange:
        """Range of the extremes of one clip's level."""
        host = to_host(level).astype(np.float64)
        low, high = host.min(), host.max()
        return cls(low, np.where(high > low, high, low + 1.0), "extremes of the clip")


def _scoped(profile: Profile, per: str) -> Statistics:
    if per not in ("global", "band"):
        raise ArgumentError(f"per={per!r} must be global or band")
    return profile.overall if per == "global" else profile.band


def _widened(low: ArrayLike, high: ArrayLike, profile: Profile, scheme: str) -> LevelRange:
    """Widen the range by half a step of the profile's grid at both ends, so that rounding to the grid clips nothing."""
    half = 0.5 / profile.front_end.grid.steps
    lowest, highest = np.asarray(low) - half, np.asarray(high) + half
    flat = np.asarray(high) <= np.asarray(low)
    return LevelRange(lowest, np.where(flat, lowest + 1.0, highest), scheme)


def _few(values: NDArray[np.float64]) -> str:
    return ", ".join(f"{value:g}" for value in values[:4]) + (", …" if values.size > 4 else "")
