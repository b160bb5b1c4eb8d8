"""Root compression: a power law between magnitudes and logarithms."""

from __future__ import annotations

from dataclasses import dataclass

from spectronorm.arrays import Array, namespace
from spectronorm.errors import ArgumentError
from spectronorm.front_end.compress.compression import Compression
from spectronorm.front_end.compress.grid import Grid

_LARGEST = 1e8  # the largest value that the grid has room for


@dataclass(frozen=True)
class Root(Compression):
    """Level `x^exponent`: 1/2 of power is magnitude, 1/3 is close to loudness (Hermansky 1990).

    Hermansky 1990, Perceptual linear predictive (PLP) analysis of speech. The gradient at zero, which would be
    infinite, is taken as zero.

    Raises:
        ArgumentError: if `exponent` is not in 0.05 … 1.
    """

    exponent: float = 1.0 / 3.0

    def __post_init__(self) -> None:
        if not 0.05 <= self.exponent <= 1:
            raise ArgumentError(f"exponent={self.exponent} must lie in 0.05 … 1; use a logarithm for less")

    @property
    def unit(self) -> str:
        """The unit: a root of the value."""
        return "root"

    @property
    def framewise(self) -> bool:
        """Return true."""
        return True

    def __call__(self, values: Array, power: float) -> Array:
        """The root."""
        del power
        xp = namespace(values)
        some = values > 0
        return xp.where(some, xp.where(some, values, xp.ones_like(values)) ** self.exponent, xp.zeros_like(values))

    def inverse(self, level: Array, power: float) -> Array:
        """Return the values; a level below zero counts as zero."""
        del power
        xp = namespace(level)
        some = level > 0
        values = xp.where(some, level, xp.ones_like(level)) ** (1.0 / self.exponent)
        return xp.where(some, values, xp.zeros_like(level))

    def floor(self, power: float) -> float:
        """Return zero."""
        del power
        return 0.0

    def clip_floor(self, highest: float, power: float) -> float:
        """Zero for every clip."""
        del highest, power
        return 0.0

    def grid(self, power: float) -> Grid:
        """Return a grid from zero to the root of 1e8, which audio in [-1, 1] and standardized audio stay below."""
        del power
        return Grid.up_to(_LARGEST**self.exponent)
