"""Contract of a compression: band values to levels, in the unit of the statistics."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Array
from spectronorm.front_end.compress.grid import Grid
from spectronorm.registry import Registry
from spectronorm.suggestion import known_settings


@known_settings
@dataclass(frozen=True)
class Logarithm:
    """Level `max(log(max(x, amin) + offset) · factor - shift, least)`, to base 10 or e.

    The compiled kernel computes it in one pass over memory.

    >>> import spectronorm as sn
    >>> sn.Ln().logarithm(2.0)
    Logarithm(amin=0.0, offset=1e-09, factor=1.0, shift=0.0, least=-inf, common=False)
    """

    amin: float = 0.0
    offset: float = 0.0
    factor: float = 1.0
    shift: float = 0.0
    least: float = -math.inf
    common: bool = False


class Compression(ABC):
    """Maps band values (magnitude to some power, never negative) to levels, and back.

    A subclass is a frozen dataclass with `__call__`, `inverse` and `grid`, and its own `unit`; everything else has a
    default, which suits a compression that works frame by frame and maps 0 to 0.

    >>> import numpy as np, spectronorm as sn
    >>> values = np.array([[1e-4, 1.0, 100.0]])
    >>> [compress(values, 2.0).round(1).tolist() for compress in (sn.Decibel(), sn.Ln(), sn.compress.Root(0.5))]
    [[[-40.0, 0.0, 20.0]], [[-9.2, 0.0, 4.6]], [[0.0, 1.0, 10.0]]]
    """

    unit: ClassVar[str] = "level"
    """Unit of the level, for tables and axes."""

    @abstractmethod
    def __call__(self, values: Array, power: float) -> Array:
        """Return the level of values that are magnitudes to this power."""

    @abstractmethod
    def inverse(self, level: Array, power: float) -> Array:
        """Return the values that have this level, never negative."""

    @abstractmethod
    def grid(self, power: float) -> Grid:
        """Return the grid of integers that levels are counted on."""

    @property
    def framewise(self) -> bool:
        """True if each frame's level depends only on that frame."""
        return True

    @property
    def causal(self) -> bool:
        """True if a frame's level depends on no later frame, so that `stream` gives a clip's level in pieces."""
        return self.framewise

    def stream(self, values: Array, power: float, state: Array | None = None) -> tuple[Array, Array | None]:
        """Return the level of the next piece of a clip, and the state for the piece after it; only if `causal`.

        Args:
            values: Band values `(..., band, frame)`, at least one frame.
            power: Exponent of the magnitudes in the values.
            state: The state that the piece before gave; None at the start.
        """
        return self(values, power), state

    def of_block(self, values: NDArray[np.float64], power: float) -> NDArray[np.float64]:
        """Return the level of contiguous values, which may be overwritten; a kernel saves passes over memory."""
        return np.ascontiguousarray(self(values, power))

    def of_next_block(
        self, values: NDArray[np.float64], power: float, state: Array | None
    ) -> tuple[NDArray[np.float64], Array | None]:
        """Return what `stream` does for contiguous values `(band, frame)`, which may be overwritten."""
        level, state = self.stream(values, power, state)
        return np.ascontiguousarray(level), state

    def without_clip_floor(self) -> Compression | None:
        """Return the compression, frame by frame, above whose levels `clip_floor` is the floor of each clip.

        None if there is no such compression.
        """
        return None

    @property
    def floor_follows_highest(self) -> bool:
        """True if a clip's floor depends on its highest level, and its frames are otherwise independent."""
        return False

    def floor(self, power: float) -> float:
        """Return the lowest possible level: the level of digital silence."""
        return 0.0

    def clip_floor(self, highest: float, power: float) -> float:
        """Return the floor of one clip, given its highest level."""
        return self.floor(power)

    def db_per_unit(self, power: float) -> float | None:
        """Number of dB in one unit of the level; None if equal steps of the level are not equal steps in dB."""
        return None

    def logarithm(self, power: float) -> Logarithm | None:
        """Return the level as a logarithm for the compiled kernel; None to call the compression instead."""
        return None


COMPRESSIONS: Registry[Compression] = Registry("compressions", "compression", Compression)
"""Every compression by the name that JSON and `--compress` use."""
