"""Compression by the logarithm of one plus the value: linear for small values, logarithmic for large ones."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from spectronorm.arrays import Array, at_least, namespace, set_real_numbers
from spectronorm.front_end.compress.compression import COMPRESSIONS, Compression
from spectronorm.front_end.compress.grid import Grid
from spectronorm.kernels.elementary import log1p_of


@COMPRESSIONS.register("log1p")
@dataclass(frozen=True)
class Log1p(Compression):
    """Level `ln(1 + gain · x)`: zero for silence, without a floor to choose; `gain` sets the change from linear to log.

    Raises:
        ArgumentError: if `gain` is not in 1e-6 … 1e12.

    >>> import numpy as np
    >>> Log1p(gain=99.0)(np.array([0.0, 1.0]), 2.0).round(3)
    array([0.   , 4.605])
    """

    unit: ClassVar[str] = "ln"

    gain: float = field(default=1.0, metadata={"help": "strength of the compression"})

    def __post_init__(self) -> None:
        set_real_numbers(self, ("gain",), 1e-6, 1e12)

    @override
    def __call__(self, values: Array, power: float) -> Array:
        return namespace(values).log1p(self.gain * values)

    @override
    def of_block(self, values: NDArray[np.float64], power: float) -> NDArray[np.float64]:
        log1p_of(values.reshape(-1), float(self.gain))
        return values

    @override
    def inverse(self, level: Array, power: float) -> Array:
        return at_least(namespace(level).expm1(level) / self.gain, 0.0)

    @override
    def grid(self, power: float) -> Grid:
        """Return a grid with 262144 steps in each unit, from zero to the level of 1e20."""
        return Grid.up_to(math.log1p(self.gain * 1e20))
