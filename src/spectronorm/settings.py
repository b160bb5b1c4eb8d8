"""Fields of settings classes (frozen dataclasses), as the command line needs them."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Union, get_args, get_origin, get_type_hints

from spectronorm.errors import ArgumentError

_PLAIN = (bool, int, float, str)


@dataclass(frozen=True)
class Setting:
    """One field: its type (bool, int, float, str, or a tuple of one of these), and the texts from its metadata.

    If `optional`, None is a valid value, written `none`. `flag` holds both forms of a switch, such as `--a/--no-a`.
    """

    name: str
    type: type
    optional: bool
    several: bool
    help: str
    flag: str

    def parse(self, text: str, what: str) -> Any:
        """Parse the value in a text.

        Raises:
            ArgumentError: if the text is not a value of this type.
        """
        if self.optional and text == "none":
            return None
        try:
            if self.several:
                return tuple(self._one(part) for part in text.split(","))
            return self._one(text)
        except (KeyError, ValueError):
            many = "s, such as 0.1,0.9" if self.several else ""
            raise ArgumentError(f"{what}={text!r} must be {self.type.__name__}{many}") from None

    def _one(self, text: str) -> Any:
        return {"true": True, "false": False}[text.lower()] if self.type is bool else self.type(text)


def settings_of(cls: Any) -> Mapping[str, Setting]:
    """Return the fields of a dataclass that a text can set, by name, without arrays and nested values."""
    try:
        hints = get_type_hints(cls)
    except NameError:  # The type is imported only for type checkers.
        return {}
    found = {}
    for field in fields(cls):
        options = get_args(hints[field.name]) if _is_union(hints[field.name]) else (hints[field.name],)
        kinds = [option for option in options if option is not type(None)]
        several = len(kinds) == 1 and get_origin(kinds[0]) is tuple
        kind = get_args(kinds[0])[0] if several else kinds[0]
        if field.init and len(kinds) == 1 and kind in _PLAIN:
            about = field.metadata
            optional = len(options) > 1
            found[field.name] = Setting(
                field.name, kind, optional, several, str(about.get("help", "")), str(about.get("flag", ""))
            )
    return found


def _is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType)
