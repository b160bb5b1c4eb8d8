"""Two numbers that a published system fixed once and for all."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from spectronorm.errors import ArgumentError
from spectronorm.front_end import FrontEnd
from spectronorm.normalize.normalizer import PADDINGS, FittedNormalizer, FittedOn
from spectronorm.profile import Profile


@dataclass(frozen=True)
class Fixed:
    """`(level - shift) / scale` with given numbers: nothing is measured, so it fits only what they were made for.

    A model that was trained with such numbers needs the same ones, whatever the mean of your own data is.

    `padding` is what the published system puts behind the end of a clip, one of `PADDINGS`.

    Raises:
        ArgumentError: when `padding` is none of these, `shift` is not finite or `scale` not finite and positive.
    """

    shift: float = 0.0
    scale: float = 1.0
    padding: str = field(default="silence", repr=False)

    def __post_init__(self) -> None:
        if self.padding not in PADDINGS:
            raise ArgumentError(f"padding={self.padding!r} must be {', '.join(PADDINGS)}")
        if not (math.isfinite(self.shift) and 0 < self.scale < math.inf):
            raise ArgumentError(f"shift={self.shift} must be finite, and scale={self.scale} finite and positive")

    def fit(self, profile: Profile) -> FittedNormalizer:
        """The map for the profile's front end; its numbers are not looked at."""
        return FittedNormalizer.of(self, profile, self.shift, self.scale)

    def for_front_end(self, front_end: FrontEnd) -> FittedNormalizer:
        """The map without any profile."""
        return FittedNormalizer.with_map(self, front_end, FittedOn(0, 0, ()), self.shift, self.scale)
