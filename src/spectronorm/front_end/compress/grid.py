"""Grid of integers that levels are rounded to, so that everything summed over a data set is exact."""

from __future__ import annotations

import math
from dataclasses import dataclass

from spectronorm.errors import ArgumentError
from spectronorm.suggestion import known_settings


@known_settings
@dataclass(frozen=True)
class Grid:
    """Map of levels to integers: `q = rint(level · steps)`; a histogram cell holds `2^cell_bits` neighbours.

    `low` and `high` (in the level's unit) bound the levels that can be counted. Both must keep `|q|` below 2^25: then
    the square of any level fits into 50 bits, which the counting kernel relies on.

    Raises:
        ArgumentError: if the bounds are beyond that, as with a floor under -512 dB.

    >>> Grid(steps=65536, cell_bits=12, low=-100.0, high=200.0).cells
    4801
    """

    steps: int
    cell_bits: int
    low: float
    high: float

    def __post_init__(self) -> None:
        limit = 2**25 / self.steps
        if not -limit < self.low < self.high < limit:
            raise ArgumentError(
                f"levels would range over {self.low:g} … {self.high:g}, beyond ±{limit:g}; "
                "choose a larger amin or offset, or a ref nearer to 1"
            )

    @property
    def first_cell(self) -> int:
        """Number of the histogram's first cell."""
        return math.floor(self.low * self.steps) >> self.cell_bits

    @property
    def cells(self) -> int:
        """Number of cells in the histogram."""
        return (math.floor(self.high * self.steps) >> self.cell_bits) - self.first_cell + 1

    @property
    def cell_width(self) -> float:
        """Width of a histogram cell, in the level's unit."""
        return float(2**self.cell_bits) / self.steps

    def integer(self, level: float) -> int:
        """The grid's integer nearest to `level`."""
        return round(level * self.steps)

    @classmethod
    def up_to(cls, high: float) -> Grid:
        """Return a grid from zero to `high`, with the largest possible number of steps and about 8192 cells.

        The number of steps in a unit is at most 2^18.
        """
        bits = min(18, math.floor(math.log2((2**25 - 1) / high)))
        if bits < 0:
            raise ArgumentError(f"levels would reach {high:g}, more than can be counted; compress them further")
        return cls(steps=1 << bits, cell_bits=max(0, math.ceil(math.log2(high * 2**bits / 8192))), low=0.0, high=high)
