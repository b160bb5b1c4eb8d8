"""Root compression: a power law between magnitudes and logarithms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from spectronorm.arrays import Array, namespace, set_real_numbers
from spectronorm.front_end.compress.compression import COMPRESSIONS, Compression
from spectronorm.front_end.compress.grid import Grid
from spectronorm.kernels.elementary import root_of

_LARGEST = 1e8  # the largest value that the grid has room for


@COMPRESSIONS.register("root")
@dataclass(frozen=True)
class Root(Compression):
    """Level `x^exponent`: 1/2 of power is magnitude, 1/3 is close to loudness (Hermansky 1990).

    Hermansky 1990, Perceptual linear predictive (PLP) analysis of speech. The gradient at zero, which would be
    infinite, is taken as zero.

    Raises:
        ArgumentError: if `exponent` is not in 0.05 … 1.

    >>> import numpy as np
    >>> Root(0.5)(np.array([0.0, 4.0, 9.0]), 2.0)
    array([0., 2., 3.])
    """

    unit: ClassVar[str] = "root"

    exponent: float = field(default=1.0 / 3.0, metadata={"help": "exponent of the compression"})

    def __post_init__(self) -> None:
        set_real_numbers(self, ("exponent",), 0.05, 1)

    @override
    def __call__(self, values: Array, power: float) -> Array:
        xp = namespace(values)
        some = values > 0
        return xp.where(some, xp.where(some, values, xp.ones_like(values)) ** self.exponent, xp.zeros_like(values))

    @override
    def of_block(self, values: NDArray[np.float64], power: float) -> NDArray[np.float64]:
        if self.exponent == 0.5:
            return np.sqrt(values, out=values)
        root_of(values.reshape(-1), float(self.exponent))
        return values

    @override
    def inverse(self, level: Array, power: float) -> Array:
        """Return the values; a level below zero counts as zero."""
        xp = namespace(level)
        some = level > 0
        values = xp.where(some, level, xp.ones_like(level)) ** (1.0 / self.exponent)
        return xp.where(some, values, xp.zeros_like(level))

    @override
    def grid(self, power: float) -> Grid:
        """Return a grid from zero to the root of 1e8, which audio in [-1, 1] and standardized audio stay below."""
        return Grid.up_to(_LARGEST**self.exponent)
