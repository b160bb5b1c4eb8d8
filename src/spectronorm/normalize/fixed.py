"""Two numbers that a published system fixed once and for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from typing_extensions import override

from spectronorm.arrays import set_real_numbers
from spectronorm.front_end import FrontEnd
from spectronorm.normalize.normalizer import NORMALIZERS, FittedNormalizer, FittedOn, Normalizer
from spectronorm.profile import Profile


@NORMALIZERS.register("fixed")
@dataclass(frozen=True)
class Fixed(Normalizer):
    """`(level - shift) / scale` with given numbers: nothing is measured, so it fits only what they were made for.

    A model that was trained with such numbers needs the same ones, whatever the mean of your own data is.

    Raises:
        ArgumentError: when `shift` is not in ±1e12 or `scale` not in 1e-12 … 1e12.
    """

    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    needs_data: ClassVar[bool] = False

    shift: float = field(default=0.0, metadata={"help": "the level that becomes 0"})
    scale: float = field(default=1.0, metadata={"help": "the number of units of the level that become 1"})

    def __post_init__(self) -> None:
        set_real_numbers(self, ("shift",), -1e12, 1e12)
        set_real_numbers(self, ("scale",), 1e-12, 1e12)

    @property
    @override
    def one_map(self) -> bool:
        return True

    @override
    def fit(self, profile: Profile) -> FittedNormalizer:
        """The map for the profile's front end; its numbers are not looked at."""
        return FittedNormalizer.of(self, profile, self.shift, self.scale)

    def for_front_end(self, front_end: FrontEnd) -> FittedNormalizer:
        """The map without any profile."""
        return FittedNormalizer.with_map(self, front_end, FittedOn(0, 0, ()), self.shift, self.scale)
