"""JSON as it comes from files: bounded, and without what no writer of ours makes."""

from __future__ import annotations

import json
import math
import os
import stat
from pathlib import Path
from typing import Any

MAX_JSON_BYTES = 1 << 26
"""Nothing that we write as JSON comes near 64 MiB."""


def strict_json(text: str | bytes) -> Any:
    """The value of a JSON text; NaN, infinity, numbers beyond floats and doubled names are refused.

    Raises:
        ValueError: if the text is no such JSON, is not UTF-8, or is nested too deeply.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_refuse_doubles)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_bounded(path: Path, most: int = MAX_JSON_BYTES) -> bytes:
    """The content of a file of at most this many bytes; no more is ever read.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is longer, or not a regular file: a pipe could be waited for without end.
    """
    with open(path, "rb", opener=_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is not a regular file")
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"it is longer than {most} bytes")
    return data


def _refuse_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object whose names are all distinct: two values under one name would be ambiguous."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name stands twice")
    return value


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number that JSON has")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text:.40} is beyond what a float holds")
    return value


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
