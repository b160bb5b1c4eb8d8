"""Built-in image ranges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override

from spectronorm.errors import ArgumentError
from spectronorm.front_end import FrontEnd
from spectronorm.image_files.image_range import IMAGE_RANGES, ImageRange
from spectronorm.image_files.level_range import LevelRange
from spectronorm.profile import Profile


@IMAGE_RANGES.register("extremes")
@dataclass(frozen=True)
class Extremes(ImageRange):
    """Exact extremes of the training set; see `LevelRange.extremes`."""

    per: str = "global"

    @override
    def level_range(self, front_end: FrontEnd, profile: Profile | None) -> LevelRange:
        return LevelRange.extremes(_known(profile), self.per)


@IMAGE_RANGES.register("quantiles")
@dataclass(frozen=True)
class Quantiles(ImageRange):
    """Two quantiles of the training set's levels; see `LevelRange.quantiles`."""

    low: float = 0.001
    high: float = 0.999
    per: str = "global"

    @override
    def level_range(self, front_end: FrontEnd, profile: Profile | None) -> LevelRange:
        return LevelRange.quantiles(_known(profile), self.low, self.high, self.per)


@IMAGE_RANGES.register("sigma")
@dataclass(frozen=True)
class Sigma(ImageRange):
    """Mean ± `k` standard deviations; see `LevelRange.sigmas`."""

    k: float = 3.0
    per: str = "band"

    @override
    def level_range(self, front_end: FrontEnd, profile: Profile | None) -> LevelRange:
        return LevelRange.sigmas(_known(profile), self.k, self.per)


@IMAGE_RANGES.register("fixed")
@dataclass(frozen=True)
class FixedDb(ImageRange):
    """Fixed range in dB; see `LevelRange.fixed_db`."""

    needs_profile: ClassVar[bool] = False

    low: float
    high: float

    @override
    def level_range(self, front_end: FrontEnd, profile: Profile | None) -> LevelRange:
        return LevelRange.fixed_db(front_end, self.low, self.high)


def _known(profile: Profile | None) -> Profile:
    if profile is None:
        raise ArgumentError("this range needs a profile; only fixed=LOW,HIGH (dB) needs none")
    return profile
