"""Odd values for every field of every file: wrong types, nested empties, infinities, numbers beyond floats and ints."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]

ODD: dict[str, Any] = {
    "null": None,
    "true": True,
    "empty text": "",
    "text": "x",
    "lone surrogate": "\ud800",
    "long text": "y" * 5000,
    "empty list": [],
    "empty object": {},
    "nested empties": [[], {}, [[]]],
    "object in object": {"": {"": None}},
    "list of null": [None],
    "minus one": -1,
    "zero": 0,
    "a half": 0.5,
    "1e308": 1e308,
    "-1e308": -1e308,
    "denormal": 1e-320,
    "2^31": 1 << 31,
    "2^63": 1 << 63,
    "10^400": 10**400,
    "-10^400": -(10**400),
}
"""By name; `RAW` has those that JSON itself cannot hold."""

RAW = {"Infinity": "Infinity", "NaN": "NaN", "1e999": "1e999", "5000 digits": "1" * 5000}
"""Texts that stand in a JSON file in place of a value."""

_MARK = "the odd value stands here"


def paths(plain: Any, at: Path = ()) -> Iterator[Path]:
    """The way to every value of nested objects and lists; of a long list to its first two items."""
    if at:
        yield at
    if isinstance(plain, dict):
        for name, value in plain.items():
            yield from paths(value, (*at, name))
    elif isinstance(plain, list):
        for index, value in enumerate(plain[:2]):
            yield from paths(value, (*at, index))


def with_value(plain: Any, path: Path, value: Any) -> Any:
    """A copy with another value at this place."""
    changed = copy.deepcopy(plain)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed


def without(plain: Any, path: Path) -> Any:
    """A copy that lacks this value."""
    changed = copy.deepcopy(plain)
    place = changed
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return changed


def variants(plain: Any) -> Iterator[tuple[str, Any]]:
    """Every odd value in every field, each field missing, and one that nobody knows, each with its name."""
    for path in paths(plain):
        for name, value in ODD.items():
            yield f"{path}: {name}", with_value(plain, path, value)
        yield f"{path}: missing", without(plain, path)
    yield "an unknown name", {**plain, "unknown": 1}


def texts(plain: Any) -> Iterator[tuple[str, str]]:
    """The variants as JSON texts, with those that only a text can hold."""
    for name, changed in variants(plain):
        yield name, json.dumps(changed)
    for path in paths(plain):
        marked = json.dumps(with_value(plain, path, _MARK))
        for name, raw in RAW.items():
            yield f"{path}: {name}", marked.replace(f'"{_MARK}"', raw)
    for name, value in ODD.items():
        yield f"the whole: {name}", json.dumps(value)
