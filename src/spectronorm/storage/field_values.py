"""Checks of single values that are read from files that spectronorm writes."""

from __future__ import annotations

import math
from typing import Any

_MOST = 1 << 53


def whole(value: Any) -> int:
    """Return a whole number from 0 to 2^53; raises `ValueError` if it is anything else."""
    if type(value) is not int or not 0 <= value < _MOST:
        raise ValueError(f"{value!r:.40} is not a whole number from 0 on")
    return value


def finite(value: Any) -> float:
    """Return a finite number from 0 on; raises `ValueError` if it is anything else."""
    if type(value) not in (int, float) or not 0 <= value <= _MOST or not math.isfinite(value):
        raise ValueError(f"{value!r:.40} is not a finite number from 0 on")
    return float(value)


def text(value: Any) -> str:
    """Return a text; raises `ValueError` if it is anything else."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.40} is not text")  # noqa: TRY004  (content of a file, not a caller's mistake)
    return value
