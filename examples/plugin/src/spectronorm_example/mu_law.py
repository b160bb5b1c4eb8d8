"""The mu law as a compression of band values."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

from spectronorm.arrays import namespace
from spectronorm.errors import ArgumentError
from spectronorm.front_end.compress import Compression, Grid


@dataclass(frozen=True)
class MuLaw(Compression):
    """`ln(1 + mu · x) / ln(1 + mu)` (ITU-T G.711 with mu = 255, here of band values instead of samples)."""

    unit: ClassVar[str] = "mu-law"

    mu: float = field(default=255.0, metadata={"help": "strength of the compression"})

    def __post_init__(self) -> None:
        if not 1.0 <= self.mu <= 1e9:
            raise ArgumentError(f"mu={self.mu} must lie in 1 … 1e9, such as 255")

    def __call__(self, values: Any, power: float) -> Any:
        """The level: 0 for silence, 1 for the value 1."""
        return namespace(values).log1p(self.mu * values) / math.log1p(self.mu)

    def inverse(self, level: Any, power: float) -> Any:
        """The values again."""
        xp = namespace(level)
        return xp.clip(xp.expm1(level * math.log1p(self.mu)) / self.mu, 0.0, None)

    def grid(self, power: float) -> Grid:
        """From zero to the level of 1e12, which audio in [-1, 1] stays below."""
        return Grid.up_to(math.log1p(self.mu * 1e12) / math.log1p(self.mu))
