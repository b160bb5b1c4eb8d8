"""Features of a Hugging Face data set: the column of the sound, and the names of classes by column.

A column of structures `{bytes, path}`, or one that the file's metadata call audio, is the sound; the others are the
clip's columns, with the names of classes in place of their numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spectronorm.audio.places.columns import column_text, list_text
from spectronorm.audio.places.row_bytes import pyarrow

LISTS = ("Sequence", "List", "LargeList")
"""Types of features that are lists, by the versions of `datasets`."""


@dataclass(frozen=True)
class Features:
    """The columns of a data set: the one of the sound, and the names of classes by column."""

    audio: str
    names: Mapping[str, Sequence[str]]

    def text(self, column: str, value: object) -> str:
        """A value as a clip's column: the class's name for its number, and the names for a list of numbers."""
        names = self.names.get(column)
        if names is not None and isinstance(value, list):
            return list_text([_named(names, item) for item in value])
        return column_text(_named(names or (), value))

    def columns(self, row: Mapping[str, Any]) -> dict[str, str]:
        """The columns of a row, without the sound."""
        found = ((key, self.text(key, value)) for key, value in row.items() if key != self.audio)
        return {key: text for key, text in found if key and text}


def _named(names: Sequence[str], value: object) -> object:
    """The class's name for its number; every other value as it is."""
    known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names)
    return str(names[int(value)]) if known else value  # type: ignore[call-overload]


def features_of(schema: Any) -> Features | None:
    """The features of a schema, by its metadata or by the types of its columns; None if it has no audio."""
    declared = _declared(schema.metadata or {})
    return features_from(declared, schema)


def features_from(declared: Mapping[str, Any], schema: Any) -> Features | None:
    """The features by Hugging Face's description of them, for the columns of a schema."""
    arrow = pyarrow()
    audio = [name for name in schema.names if _type(declared.get(name)) == "Audio"]
    for field in () if audio else schema:
        structure = arrow.types.is_struct(field.type) and field.type.get_field_index("bytes") >= 0
        if structure or (field.name in ("audio", "bytes") and _is_binary(field.type)):
            audio.append(field.name)
    if not audio:
        return None
    names = {name: found for name, about in declared.items() if (found := _class_names(about)) is not None}
    return Features("audio" if "audio" in audio else audio[0], names)


def _class_names(about: object) -> list[Any] | None:
    """Names of the classes of a feature, or of a list of such a feature; None if it has no classes."""
    if isinstance(about, list):
        return _class_names(about[0]) if len(about) == 1 else None
    if isinstance(about, dict) and about.get("_type") in LISTS:
        return _class_names(about.get("feature"))
    found = about.get("names") if isinstance(about, dict) and about.get("_type") == "ClassLabel" else None
    return found if isinstance(found, list) else None


def _is_binary(kind: Any) -> bool:
    types = pyarrow().types
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def _type(about: object) -> object:
    return (
        about.get("_type") if isinstance(about, dict) and ("names" in about or about.get("_type") == "Audio") else None
    )


def _declared(metadata: Mapping[bytes, bytes]) -> Mapping[str, Any]:
    try:
        found = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def is_clip_column(kind: Any) -> bool:
    """True for types of columns that clips get: scalars, and lists of texts or whole numbers, which may be labels."""
    return _is_list(kind) or not (pyarrow().types.is_nested(kind) or _is_binary(kind))


def _is_list(kind: Any) -> bool:
    types = pyarrow().types
    if not (types.is_list(kind) or types.is_large_list(kind)):
        return False
    item = kind.value_type
    return bool(types.is_string(item) or types.is_large_string(item) or types.is_integer(item))
