"""Compression by the natural logarithm."""

from __future__ import annotations

import math
from dataclasses import dataclass

from spectronorm.arrays import Array, at_least, namespace, plus
from spectronorm.errors import ArgumentError
from spectronorm.front_end.compress.grid import Grid


@dataclass(frozen=True)
class Ln:
    """Level `ln(max(x, amin) + offset)`, natural logarithm.

    SpecGAN adds an offset (Donahue, McAuley, Puckette 2019, section 3.2), as most systems do; Kaldi clamps with `amin`.

    Raises:
        ArgumentError: if either is negative, or if their sum is not between 1e-30 and 1.
    """

    offset: float = 1e-9
    amin: float = 0.0

    def __post_init__(self) -> None:
        if not (self.offset >= 0 and self.amin >= 0 and 1e-30 <= self.offset + self.amin <= 1):
            raise ArgumentError(
                f"offset={self.offset} and amin={self.amin} must not be negative, and their sum must lie in "
                "1e-30 … 1: it keeps the logarithm of silence finite"
            )

    @property
    def unit(self) -> str:
        """The unit: natural logarithm, nepers if `power` is 1."""
        return "ln"

    @property
    def framewise(self) -> bool:
        """Return true."""
        return True

    def __call__(self, values: Array, power: float) -> Array:
        """Return the natural logarithm of the values."""
        del power
        clamped = at_least(values, self.amin) if self.amin else values
        return namespace(values).log(plus(clamped, self.offset) if self.offset else clamped)

    def inverse(self, level: Array, power: float) -> Array:
        """Return the values, `exp(level) - offset`, never below 0; clamped ones come back as `amin`."""
        del power
        return at_least(namespace(level).exp(level) - self.offset, 0.0)

    def floor(self, power: float) -> float:
        """`ln(amin + offset)`."""
        del power
        return math.log(self.amin + self.offset)

    def clip_floor(self, highest: float, power: float) -> float:
        """The same for every clip."""
        del highest
        return self.floor(power)

    def grid(self, power: float) -> Grid:
        """Return a grid with 262144 steps and 64 histogram cells in each unit, from the floor to at least 60."""
        low = math.floor(self.floor(power))
        return Grid(steps=1 << 18, cell_bits=12, low=low, high=max(low + 100.0, 60.0))
