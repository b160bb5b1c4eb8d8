"""Levels in dB, whatever unit they are kept in."""

from __future__ import annotations

import math

from specnorm.errors import ArgumentError
from specnorm.front_end.front_end import FrontEnd


def db_per_unit(front_end: FrontEnd) -> float:
    """How many dB one unit of this front end's level is.

    Raises:
        ArgumentError: when its level is not logarithmic.
    """
    unit = front_end.compress.unit
    if unit == "dB":
        return 1.0
    if unit == "ln":
        return 20.0 / front_end.stft.power / math.log(10.0)
    raise ArgumentError(f"a level in {unit} is not logarithmic, so it has no measure in dB; use decibel or ln")
