"""Compression to decibels."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import ClassVar

from typing_extensions import override

from spectronorm.arrays import Array, at_least, namespace, set_real_numbers
from spectronorm.front_end.compress.compression import COMPRESSIONS, Compression, Logarithm
from spectronorm.front_end.compress.grid import Grid

_AMIN = 1e-10


@COMPRESSIONS.register("decibel")
@dataclass(frozen=True)
class Decibel(Compression):
    """`10 log10(max(x, amin) / ref)` for power, `20 log10` for magnitudes, as librosa and torchaudio have it.

    `amin` and `ref` are in the unit of the values (power or magnitude). `floor_db` is a fixed lower bound in dB.
    `top_db` bounds each clip below its own highest level; it makes the result depend on what else is in the clip,
    so it is off unless asked for.

    Raises:
        ArgumentError: if `amin` or `ref` is not positive, `top_db` is negative, or a number is beyond all reason.

    >>> import numpy as np
    >>> Decibel(floor_db=-80.0)(np.array([1.0, 0.01, 0.0]), 2.0).tolist()
    [0.0, -20.0, -80.0]
    """

    unit: ClassVar[str] = "dB"

    amin: float = field(default=_AMIN, metadata={"help": "smallest value"})
    ref: float = field(default=1.0, metadata={"help": "the value of 0 dB"})
    floor_db: float | None = field(default=None, metadata={"help": "a fixed floor"})
    top_db: float | None = field(default=None, metadata={"help": "a floor below each clip's own peak"})

    def __post_init__(self) -> None:
        set_real_numbers(self, ("amin", "ref"), 1e-60, 1e60)
        if self.floor_db is not None:
            set_real_numbers(self, ("floor_db",), -1000, 1000, of="dB")
        if self.top_db is not None:
            set_real_numbers(self, ("top_db",), 0, 10_000, of="dB")

    @property
    @override
    def framewise(self) -> bool:
        return self.top_db is None

    @property
    @override
    def floor_follows_highest(self) -> bool:
        return self.top_db is not None

    @override
    def without_clip_floor(self) -> Decibel:
        return replace(self, top_db=None)

    @override
    def __call__(self, values: Array, power: float) -> Array:
        xp = namespace(values)
        level = xp.log10(at_least(values, self.smallest(power))) * (20.0 / power)
        if self.ref != 1.0:
            level = level - self.ref_db(power)
        if self.floor_db is not None:
            level = at_least(level, self.floor_db)
        if self.top_db is not None:
            level = xp.maximum(level, xp.max(level, axis=(-2, -1), keepdims=True) - self.top_db)
        return level

    @override
    def inverse(self, level: Array, power: float) -> Array:
        """Return the values; clipped ones come back as the floor."""
        return 10.0 ** ((level + self.ref_db(power)) * (power / 20.0))

    def smallest(self, power: float) -> float:
        """The value below which nothing counts: `amin`, or what its default stands for at this power."""
        return self.amin if self.amin != _AMIN or power == 2.0 else 10.0 ** (-5.0 * power)

    @override
    def floor(self, power: float) -> float:
        floor = math.log10(self.smallest(power)) * (20.0 / power) - self.ref_db(power)
        return floor if self.floor_db is None else max(floor, self.floor_db)

    @override
    def clip_floor(self, highest: float, power: float) -> float:
        """Return the floor in dB: `top_db` below the clip's highest level, if `top_db` is set."""
        floor = self.floor(power)
        return floor if self.top_db is None else max(floor, highest - self.top_db)

    @override
    def grid(self, power: float) -> Grid:
        """Return a grid with 65536 steps and 16 histogram cells in each dB, from the floor to at least 200 dB."""
        low = math.floor(self.floor(power))
        return Grid(steps=1 << 16, cell_bits=12, low=low, high=max(low + 300.0, 200.0))

    @override
    def db_per_unit(self, power: float) -> float:
        return 1.0

    @override
    def logarithm(self, power: float) -> Logarithm | None:
        if self.top_db is not None:
            return None
        least = -math.inf if self.floor_db is None else self.floor_db
        return Logarithm(self.smallest(power), 0.0, 20.0 / power, self.ref_db(power), least, common=True)

    def ref_db(self, power: float) -> float:
        """`ref` in dB."""
        return (20.0 / power) * math.log10(self.ref)
