"""Small members of an archive that describe the clip beside them, as WebDataset stores labels: `.json`, `.cls`, `.txt`.

Members belong together if they have one folder and one key: the name up to its first dot.
"""

from __future__ import annotations

import json
from collections import Counter as Tally
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from spectronorm.audio.places.columns import text_columns
from spectronorm.audio.places.reference import ClipReference

_SUFFIXES = (".json", ".cls", ".txt")
_MOST_BYTES = 1 << 20


class Sidecars:
    """Columns by key, gathered while an archive is listed."""

    def __init__(self) -> None:
        self._columns: dict[str, dict[str, str]] = {}
        self._suffixes: dict[str, list[str]] = {}

    def add(self, name: str, size: int, read: Callable[[int], bytes]) -> None:
        """Take a member if it is a sidecar."""
        suffix = PurePosixPath(name).suffix.lower()
        if suffix not in _SUFFIXES or size > _MOST_BYTES:
            return
        try:
            columns = _columns_of(suffix, read(size))
        except Exception:  # The standard library's parsers raise exceptions of any kind.
            return
        if columns is None:
            return
        key = sample_key(name)
        self._columns.setdefault(key, {}).update(columns)
        self._suffixes.setdefault(key, []).append(suffix)

    def joined(self, clips: Sequence[ClipReference], unread: Tally[str] | None) -> list[ClipReference]:
        """The clips with their columns; sidecars of a clip no longer count as not read."""
        if not self._columns:
            return list(clips)
        keys = [sample_key(clip.name) for clip in clips]
        if unread is not None:
            used = set(keys)
            unread.subtract(one for key, some in self._suffixes.items() if key in used for one in some)
            for suffix in [suffix for suffix, count in unread.items() if not count]:
                del unread[suffix]
        for columns in self._columns.values():
            if "cls" in columns:
                columns.setdefault("label", columns["cls"])
        return [
            replace(clip, columns={**clip.columns, **self._columns[key]}) if key in self._columns else clip
            for clip, key in zip(clips, keys, strict=True)
        ]


def sample_key(name: str) -> str:
    """The folder and the base name of a member up to its first dot.

    >>> sample_key("train/000.mix.flac")
    'train/000'
    """
    folder, slash, base = name.removeprefix("./").rpartition("/")
    return f"{folder}{slash}{base[:1]}{base[1:].partition('.')[0]}"


def _columns_of(suffix: str, data: bytes) -> Mapping[str, str] | None:
    """The columns of a sidecar; None if it is none."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if suffix != ".json":
        return text_columns({suffix[1:].replace("txt", "text"): text.strip()})
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return text_columns(found) if isinstance(found, dict) else None
