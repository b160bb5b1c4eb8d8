"""Compression by the logarithm of one plus the value: linear for small values, logarithmic for large ones."""

from __future__ import annotations

import math
from dataclasses import dataclass

from spectronorm.arrays import Array, at_least, namespace
from spectronorm.errors import ArgumentError
from spectronorm.front_end.compress.compression import Compression
from spectronorm.front_end.compress.grid import Grid


@dataclass(frozen=True)
class Log1p(Compression):
    """Level `ln(1 + gain · x)`: zero for silence, without a floor to choose; `gain` sets the change from linear to log.

    Raises:
        ArgumentError: if `gain` is not in 1e-6 … 1e12.
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        if not 1e-6 <= self.gain <= 1e12:
            raise ArgumentError(f"gain={self.gain} must lie in 1e-6 … 1e12")

    @property
    def unit(self) -> str:
        """The unit: natural logarithm."""
        return "ln"

    @property
    def framewise(self) -> bool:
        """Return true."""
        return True

    def __call__(self, values: Array, power: float) -> Array:
        """The level."""
        del power
        return namespace(values).log1p(self.gain * values)

    def inverse(self, level: Array, power: float) -> Array:
        """The values again, never below 0."""
        del power
        return at_least(namespace(level).expm1(level) / self.gain, 0.0)

    def floor(self, power: float) -> float:
        """Return zero."""
        del power
        return 0.0

    def clip_floor(self, highest: float, power: float) -> float:
        """Zero for every clip."""
        del highest, power
        return 0.0

    def grid(self, power: float) -> Grid:
        """Return a grid with 262144 steps in each unit, from zero to the level of 1e20."""
        del power
        return Grid.up_to(math.log1p(self.gain * 1e20))
