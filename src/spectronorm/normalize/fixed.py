"""Two numbers that a published system fixed once and for all."""

from __future__ import annotations

from dataclasses import dataclass

from spectronorm.arrays import set_real_numbers
from spectronorm.front_end import FrontEnd
from spectronorm.normalize.normalizer import FittedNormalizer, FittedOn
from spectronorm.profile import Profile


@dataclass(frozen=True)
class Fixed:
    """`(level - shift) / scale` with given numbers: nothing is measured, so it fits only what they were made for.

    A model that was trained with such numbers needs the same ones, whatever the mean of your own data is.

    Raises:
        ArgumentError: when `shift` is not in ±1e12 or `scale` not in 1e-12 … 1e12.
    """

    shift: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        set_real_numbers(self, ("shift",), -1e12, 1e12)
        set_real_numbers(self, ("scale",), 1e-12, 1e12)

    def fit(self, profile: Profile) -> FittedNormalizer:
        """The map for the profile's front end; its numbers are not looked at."""
        return FittedNormalizer.of(self, profile, self.shift, self.scale)

    def for_front_end(self, front_end: FrontEnd) -> FittedNormalizer:
        """The map without any profile."""
        return FittedNormalizer.with_map(self, front_end, FittedOn(0, 0, ()), self.shift, self.scale)
