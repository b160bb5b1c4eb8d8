"""A clip that has not been read yet, and the part of an archive or the remote object that it may be."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Part:
    """Where a clip lies that is not a file of its own.

    Attributes:
        place: The archive or object: a local path, or an fsspec URL.
        start: Its first byte there.
        stored: How many bytes it takes there; None for all of it.
        size: How many bytes it has when unpacked; None when that is not known.
        method: `stored`, `deflate` (a zip member), or `gz`, `bz2`, `xz` (a member of a tar that is compressed as a
            whole; `start` then counts unpacked bytes).
        crc: CRC-32 of the unpacked bytes, or None.
        problem: Why it cannot be read, found when the archive was listed; None when it can.
        array: Type and shape of a tensor, or the name of a data set, where the bytes alone do not say it.
    """

    place: str
    start: int = 0
    stored: int | None = None
    size: int | None = None
    method: str = "stored"
    crc: int | None = None
    problem: str | None = None
    array: str | None = None


@dataclass(frozen=True, slots=True)
class ClipReference:
    """One clip that has not been read yet: its name within the source, where it lies, and its columns (label, fold, …).

    A member of an archive or a remote object has a `part` besides, and its location is then for people only. The
    location is kept as text, which takes a quarter of the memory of a path: there may be millions of clips.
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
    """The columns of a clip of this name where nothing else is known: the folder that it lies in is its label."""
    label, inside, _ = name.partition("/")
    return _label(label if inside else "")


@lru_cache(maxsize=1 << 12)
def _label(label: str) -> Mapping[str, str]:
    """One for all clips of a label: there may be millions."""
    return {"label": label} if label else {}


def reading_place(clip: ClipReference) -> tuple[str, int]:
    """Where a clip lies in its archive, to sort by: reading one behind the other; files keep their order.

    In a compressed tar every step back means unpacking again from its beginning.
    """
    return ("", 0) if clip.part is None else (clip.part.place, clip.part.start)
