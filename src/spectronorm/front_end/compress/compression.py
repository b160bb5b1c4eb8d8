"""The contract of a compression: band values to levels, in the unit that the statistics are kept in."""

from __future__ import annotations

from typing import Protocol

from spectronorm.arrays import Array
from spectronorm.front_end.compress.grid import Grid


class Compression(Protocol):
    """Maps band values (magnitude to some power, never negative) to levels, and back."""

    @property
    def unit(self) -> str:
        """The level's unit, for tables and axes."""
        ...

    @property
    def framewise(self) -> bool:
        """Whether each frame's level depends on that frame alone."""
        ...

    def __call__(self, values: Array, power: float) -> Array:
        """The level of values that are magnitudes to this power."""
        ...

    def inverse(self, level: Array, power: float) -> Array:
        """The values that have this level."""
        ...

    def floor(self, power: float) -> float:
        """The lowest level there is: that of digital silence."""
        ...

    def clip_floor(self, highest: float, power: float) -> float:
        """The floor of one clip, given its highest level."""
        ...

    def grid(self, power: float) -> Grid:
        """The integers that levels are counted on."""
        ...
