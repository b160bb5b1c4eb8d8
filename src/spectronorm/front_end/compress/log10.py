"""Compression by the logarithm to base 10."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

from typing_extensions import override

from spectronorm.arrays import Array, at_least, namespace
from spectronorm.front_end.compress.compression import COMPRESSIONS, Compression, Logarithm
from spectronorm.front_end.compress.grid import Grid
from spectronorm.front_end.compress.offset import check_offset, clamped_and_offset


@COMPRESSIONS.register("log10")
@dataclass(frozen=True)
class Log10(Compression):
    """Level `log10(max(x, amin) + offset)`, as SpeechT5 and ParallelWaveGAN have it: bels, a tenth of dB of power.

    Raises:
        ArgumentError: if either is negative, or if their sum is not between 1e-30 and 1.

    >>> import numpy as np
    >>> Log10()(np.array([0.0, 1.0, 1000.0]), 2.0)
    array([-10.,   0.,   3.])
    """

    unit: ClassVar[str] = "log10"

    offset: float = field(default=0.0, metadata={"help": "added before the logarithm"})
    amin: float = field(default=1e-10, metadata={"help": "smallest value"})

    def __post_init__(self) -> None:
        check_offset(self)

    @override
    def __call__(self, values: Array, power: float) -> Array:
        return namespace(values).log10(clamped_and_offset(values, self))

    @override
    def inverse(self, level: Array, power: float) -> Array:
        """Return the values, `10^level - offset`, never below 0; clamped ones come back as `amin`."""
        return at_least(namespace(level).exp(level * math.log(10.0)) - self.offset, 0.0)

    @override
    def floor(self, power: float) -> float:
        return math.log10(self.amin + self.offset)

    @override
    def grid(self, power: float) -> Grid:
        """Return a grid with 524288 steps and 128 histogram cells in each unit, from the floor to at least 30."""
        low = math.floor(self.floor(power))
        return Grid(steps=1 << 19, cell_bits=12, low=low, high=max(low + 50.0, 30.0))

    @override
    def db_per_unit(self, power: float) -> float:
        return 20.0 / power

    @override
    def logarithm(self, power: float) -> Logarithm:
        return Logarithm(self.amin, self.offset, common=True)
