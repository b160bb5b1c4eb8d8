"""Normalization by two fixed numbers that a published system chose."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from typing_extensions import override

from spectronorm.errors import ArgumentError
from spectronorm.front_end import FrontEnd
from spectronorm.normalize.normalizer import NORMALIZERS, FittedNormalizer, FittedOn, Normalizer
from spectronorm.profile import Profile


@NORMALIZERS.register("fixed")
@dataclass(frozen=True)
class Fixed(Normalizer):
    """Map `(level - shift) / scale` with given numbers: nothing is measured, so it only suits their own system.

    A model trained with such numbers needs exactly these numbers, whatever the mean of your own data is.

    Raises:
        ArgumentError: if `shift` is not finite, or `scale` is not finite and positive.
    """

    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    needs_data: ClassVar[bool] = False

    shift: float = field(default=0.0, metadata={"help": "level that maps to 0"})
    scale: float = field(default=1.0, metadata={"help": "number of units of the level that map to 1"})

    def __post_init__(self) -> None:
        if not (math.isfinite(self.shift) and 0 < self.scale < math.inf):
            raise ArgumentError(f"shift={self.shift} must be finite, and scale={self.scale} finite and positive")

    @property
    @override
    def one_map(self) -> bool:
        return True

    @override
    def fit(self, profile: Profile) -> FittedNormalizer:
        """Return the map for the profile's front end; the profile's numbers are not used."""
        return FittedNormalizer.of(self, profile, self.shift, self.scale)

    def for_front_end(self, front_end: FrontEnd) -> FittedNormalizer:
        """Return the map without a profile."""
        return FittedNormalizer.with_map(self, front_end, FittedOn(0, 0, ()), self.shift, self.scale)
