"""JSON texts and files that describe a front end, or levels made elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from spectronorm.errors import ArgumentError, PluginError
from spectronorm.storage import read_bounded, strict_json

_T = TypeVar("_T")


def described_object(text: str, what: str, writer: str) -> dict[str, Any]:
    """Return the object that a JSON text holds.

    Args:
        text: The JSON.
        what: Name of what it should describe, for messages.
        writer: Name of the method that writes such texts, for messages.

    Raises:
        ArgumentError: if the text is not JSON, or not an object.
    """
    try:
        plain = strict_json(text)
    except ValueError as error:
        raise ArgumentError(f"the text is not JSON ({error}); write {what} with {writer}") from None
    if not isinstance(plain, dict):
        raise ArgumentError(f"the JSON of {what} must be an object, as {writer} writes it")
    return plain


def load_described(path: str | Path, from_json: Callable[[str], _T], what: str) -> _T:
    """Read what a JSON file describes; each error begins with the path.

    Args:
        path: Path of the file.
        from_json: Builds the value from the text.
        what: Name of the value, for messages.

    Raises:
        ArgumentError: if there is no such file, or if it describes no such value.
        PluginError: if a required plug-in is missing or broken.
    """
    try:
        text = read_bounded(Path(path)).decode("utf-8")
    except (OSError, ValueError) as error:
        raise ArgumentError(f"{path}: cannot be read as {what} ({error})") from None
    try:
        return from_json(text)
    except ArgumentError as error:
        raise ArgumentError(f"{path}: {error}") from None
    except PluginError as error:
        raise PluginError(f"{path}: {error}") from None
