"""Two numbers that a published system fixed once and for all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from typing_extensions import override

from spectronorm.errors import ArgumentError
from spectronorm.front_end import FrontEnd
from spectronorm.normalize.normalizer import NORMALIZERS, PADDINGS, FittedNormalizer, FittedOn, Normalizer
from spectronorm.profile import Profile


@NORMALIZERS.register("fixed")
@dataclass(frozen=True)
class Fixed(Normalizer):
    """`(level - shift) / scale` with given numbers: nothing is measured, so it fits only what they were made for.

    A model that was trained with such numbers needs the same ones, whatever the mean of your own data is.

    `padding` is what the published system puts behind the end of a clip, one of `PADDINGS`.

    Raises:
        ArgumentError: when `padding` is none of these, `shift` is not finite or `scale` not finite and positive.
    """

    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    needs_data: ClassVar[bool] = False

    shift: float = field(default=0.0, metadata={"help": "the level that becomes 0"})
    scale: float = field(default=1.0, metadata={"help": "the number of units of the level that become 1"})
    padding: str = field(  # type: ignore[misc]
        default="silence", repr=False, metadata={"help": "what stands in padding: zero, silence or zero-level"}
    )

    def __post_init__(self) -> None:
        if self.padding not in PADDINGS:
            raise ArgumentError(f"padding={self.padding!r} must be {', '.join(PADDINGS)}")
        if not (math.isfinite(self.shift) and 0 < self.scale < math.inf):
            raise ArgumentError(f"shift={self.shift} must be finite, and scale={self.scale} finite and positive")

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
