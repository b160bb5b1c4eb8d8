"""Contract of a compression: band values to levels, in the unit of the statistics."""

from __future__ import annotations

from typing import Protocol

from spectronorm.arrays import Array
from spectronorm.front_end.compress.grid import Grid


class Compression(Protocol):
    """Maps band values (magnitude to some power, never negative) to levels, and back.

    A subclass is a frozen dataclass with `__call__`, `inverse` and `grid`, and its own `unit`; everything else has a
    default, which suits a compression that works frame by frame and maps 0 to 0.
    """

    @property
    def unit(self) -> str:
        """The level's unit, for tables and axes."""
        ...

    @property
    def framewise(self) -> bool:
        """True if each frame's level depends only on that frame."""
        ...

    def __call__(self, values: Array, power: float) -> Array:
        """Return the level of values that are magnitudes to this power."""
        ...

    def inverse(self, level: Array, power: float) -> Array:
        """Return the values that have this level, never negative."""
        ...

    def floor(self, power: float) -> float:
        """Return the lowest possible level: the level of digital silence."""
        ...

    def clip_floor(self, highest: float, power: float) -> float:
        """Return the floor of one clip, given its highest level."""
        ...

    def grid(self, power: float) -> Grid:
        """Return the grid of integers that levels are counted on."""
        ...
