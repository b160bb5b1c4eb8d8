"""A front end, or the description of levels that were made elsewhere: what a profile and a normalizer are of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spectronorm.errors import ArgumentError
from spectronorm.front_end.front_end import FrontEnd
from spectronorm.front_end.levels import Levels

AnyFrontEnd = FrontEnd | Levels


def any_front_end(plain: Mapping[str, Any]) -> AnyFrontEnd:
    """The front end or levels of `to_dict`'s values; raises `ArgumentError` for anything else."""
    return Levels.from_dict(plain) if "levels" in plain else FrontEnd.from_dict(plain)


def any_from_json(text: str) -> AnyFrontEnd:
    """The front end or levels that a JSON text describes; raises `ArgumentError` when it describes none."""
    return Levels.from_json(text) if '"levels"' in text else FrontEnd.from_json(text)


def require_front_end(value: AnyFrontEnd, purpose: str) -> FrontEnd:
    """The front end; raises `ArgumentError` for levels that were made elsewhere.

    Args:
        value: A front end, or levels.
        purpose: What needs samples, such as `writing images`.
    """
    if isinstance(value, Levels):
        raise ArgumentError(f"{purpose}: {value.refusal}")
    return value


def checked_front_end(value: object) -> AnyFrontEnd:
    """Return the value; raises `ArgumentError` unless it is a front end or levels."""
    if isinstance(value, AnyFrontEnd):
        return value
    raise ArgumentError(
        f"front_end={value!r:.80} is not a front end; pass spectronorm.FrontEnd(...), spectronorm.preset(name) or "
        "Levels"
    )
