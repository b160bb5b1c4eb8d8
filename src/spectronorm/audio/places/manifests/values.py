"""Numbers in manifests, whatever type they are written as."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from spectronorm.errors import SourceError


def seconds(path: Path, number: int, row: Mapping[str, object], key: str) -> float | None:
    """The number under a key of a row; None if there is none.

    Raises:
        SourceError: if the value is not a number.

    >>> seconds(Path("a.csv"), 2, {"start": "1.5", "end": ""}, "start"), seconds(Path("a.csv"), 2, {"end": ""}, "end")
    (1.5, None)
    """
    value = row.get(key)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return float(value)
    except (ValueError, OverflowError):
        pass
    raise SourceError(f"{path}: row {number} has {key}={str(value)[:80]!r}, which is not a number")
