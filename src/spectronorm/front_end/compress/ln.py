"""Compression by the natural logarithm."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

from typing_extensions import override

from spectronorm.arrays import Array, at_least, namespace
from spectronorm.front_end.compress.compression import COMPRESSIONS, Compression, Logarithm
from spectronorm.front_end.compress.grid import Grid
from spectronorm.front_end.compress.offset import check_offset, clamped_and_offset


@COMPRESSIONS.register("ln")
@dataclass(frozen=True)
class Ln(Compression):
    """Level `ln(max(x, amin) + offset)`, natural logarithm.

    SpecGAN adds an offset (Donahue, McAuley, Puckette 2019, section 3.2), as most systems do; Kaldi clamps with `amin`.

    Raises:
        ArgumentError: if either is negative, or if their sum is not between 1e-30 and 1.

    >>> import numpy as np
    >>> Ln(offset=1.0)(np.array([0.0, np.e - 1.0]), 2.0).tolist()
    [0.0, 1.0]
    """

    unit: ClassVar[str] = "ln"

    offset: float = field(default=1e-9, metadata={"help": "added before the logarithm"})
    amin: float = field(default=0.0, metadata={"help": "smallest value"})

    def __post_init__(self) -> None:
        check_offset(self)

    @override
    def __call__(self, values: Array, power: float) -> Array:
        return namespace(values).log(clamped_and_offset(values, self))

    @override
    def inverse(self, level: Array, power: float) -> Array:
        """Return the values, `exp(level) - offset`, never below 0; clamped ones come back as `amin`."""
        return at_least(namespace(level).exp(level) - self.offset, 0.0)

    @override
    def floor(self, power: float) -> float:
        return math.log(self.amin + self.offset)

    @override
    def grid(self, power: float) -> Grid:
        """Return a grid with 262144 steps and 64 histogram cells in each unit, from the floor to at least 60."""
        low = math.floor(self.floor(power))
        return Grid(steps=1 << 18, cell_bits=12, low=low, high=max(low + 100.0, 60.0))

    @override
    def db_per_unit(self, power: float) -> float:
        return 20.0 / power / math.log(10.0)

    @override
    def logarithm(self, power: float) -> Logarithm:
        return Logarithm(self.amin, self.offset)
