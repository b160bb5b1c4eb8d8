"""Conversion of levels to dB, whatever their unit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.errors import ArgumentError
from spectronorm.front_end.front_end import FrontEnd

_LEAST = 1e-10


def db_per_unit(front_end: FrontEnd) -> float:
    """Number of dB in one unit of this front end's level.

    Raises:
        ArgumentError: if its level is not logarithmic.
    """
    unit = front_end.compress.db_per_unit(front_end.stft.power)
    if unit is None:
        raise ArgumentError(
            f"a level in {front_end.compress.unit} is not logarithmic, so its unit is not a number of dB; "
            "use decibel or ln"
        )
    return unit


def is_logarithmic(front_end: FrontEnd) -> bool:
    """Return true if equal steps of the level are equal steps in dB."""
    return front_end.compress.db_per_unit(front_end.stft.power) is not None


def level_db(level: NDArray[Any], front_end: FrontEnd) -> NDArray[np.float64]:
    """Convert a level `(..., band, frame)` to dB: by scaling if it is logarithmic, else through its band values."""
    if is_logarithmic(front_end):
        return np.asarray(level, dtype=np.float64) * db_per_unit(front_end)
    values = np.maximum(front_end.inverse_compress(np.asarray(level, dtype=np.float64)), _LEAST)
    return np.asarray(20.0 / front_end.stft.power * np.log10(values))
