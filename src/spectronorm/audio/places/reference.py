"""Reference to a clip that has not been read yet, as a file, a part of an archive or a remote object."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from spectronorm.errors import BadAudioReason


@dataclass(frozen=True, slots=True)
class Part:
    """Location of a clip that is not a file of its own.

    Attributes:
        place: The archive or object: a local path, or an fsspec URL.
        start: Offset of its first byte.
        stored: Number of bytes stored; None for the whole object.
        size: Number of bytes when unpacked; None if unknown.
        method: `stored`, `deflate` (a zip member), or `gz`, `bz2`, `xz` (a member of a compressed tar; `start` then
            counts unpacked bytes).
        crc: CRC-32 of the unpacked bytes, or None.
        problem: Description of why it cannot be read, found when the archive was listed; None if it can be read.
        reason: Reason that belongs to the problem.
        array: Type and shape of a tensor, or the name of a data set, if the bytes do not contain it.
    """

    place: str
    start: int = 0
    stored: int | None = None
    size: int | None = None
    method: str = "stored"
    crc: int | None = None
    problem: str | None = None
    array: str | None = None
    reason: BadAudioReason = BadAudioReason.UNREADABLE


@dataclass(frozen=True, slots=True)
class ClipReference:
    """One clip that has not been read yet: its name within the source, its location, and its columns (label, fold, …).

    A member of an archive or a remote object also has a `part`, and its location then only serves for display. The
    location is stored as text, which takes a quarter of the memory of a path: there may be millions of clips.
    """

    name: str
    location: str | Path
    columns: Mapping[str, str] = field(default_factory=dict)
    part: Part | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "location", os.fspath(self.location))

    @property
    def path(self) -> Path:
        """The location as a path."""
        return Path(self.location)


def label_columns(name: str) -> Mapping[str, str]:
    """Return the columns of a clip known only by name: its folder is its label."""
    label, inside, _ = name.partition("/")
    return _label(label if inside else "")


@lru_cache(maxsize=1 << 12)
def _label(label: str) -> Mapping[str, str]:
    """Return one mapping shared by all clips of a label: there may be millions."""
    return {"label": label} if label else {}


def reading_place(clip: ClipReference) -> tuple[str, int]:
    """Return a sort key by the position in an archive, for sequential reading; files keep their order.

    In a compressed tar, every step back means unpacking again from the beginning.
    """
    return ("", 0) if clip.part is None else (clip.part.place, clip.part.start)
