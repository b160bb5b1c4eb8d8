"""Representations of values in at most 200 characters, for notebooks, logs and error messages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, TypeVar

MOST_CHARACTERS = 200
_MOST_OF_A_FIELD = 60


def short_repr(value: Any) -> str:
    """Return a dataclass with the fields that differ from their defaults, each cut to a few words.

    It is the `__repr__` of classes with long fields. Arrays are told by their shapes, collections by their lengths.
    """
    return shortened(_told(value))


def _told(value: Any) -> str:
    shown = getattr(value, "_fields", None) or [field.name for field in fields(value) if _is_telling(value, field)]
    return f"{type(value).__name__}({', '.join(f'{name}={_brief(getattr(value, name))}' for name in shown)})"


def shortened(text: str, most: int = MOST_CHARACTERS) -> str:
    """Return the text, or its beginning, an ellipsis and a closing bracket if it is longer than `most` characters.

    >>> shortened("Profile(400 clips)", 12)
    'Profile(40…)'
    """
    return text if len(text) <= most else f"{text[: most - 2]}…)"


def _is_telling(value: Any, field: Field[Any]) -> bool:
    """Tell if a field is shown: it is meant to be, and is not at its default."""
    if not field.repr:
        return False
    own = getattr(value, field.name)
    default = field.default_factory() if field.default_factory is not MISSING else field.default
    if hasattr(own, "shape") or default is MISSING:
        return True
    return bool(own != default)


def _brief(value: Any) -> str:
    if hasattr(value, "shape"):
        return f"array{tuple(value.shape)}"
    if is_dataclass(value):
        return shortened(_told(value), _MOST_OF_A_FIELD)
    if isinstance(value, str) or not isinstance(value, Collection):
        return shortened(repr(value), _MOST_OF_A_FIELD)
    text = repr(value) if len(value) <= 3 else ""
    return text if text and len(text) <= _MOST_OF_A_FIELD else f"<{len(value)} item{'' if len(value) == 1 else 's'}>"


_Class = TypeVar("_Class", bound=type)


def with_short_repr(cls: _Class) -> _Class:
    """Give a dataclass `short_repr`; a decorator, to stand above `@dataclass`."""
    cls.__repr__ = short_repr  # type: ignore[method-assign, assignment]
    return cls


def with_bounded_repr(cls: _Class) -> _Class:
    """Give a dataclass or named tuple `short_repr` for values whose own representation is longer; a decorator.

    It stands above `@dataclass`.
    """
    own: Any = cls.__repr__

    def bounded(value: Any) -> str:
        told: str = own(value)
        return told if len(told) <= MOST_CHARACTERS else short_repr(value)

    cls.__repr__ = bounded  # type: ignore[method-assign, assignment]
    return cls
