"""Shards of WebDataset: tar files in which a clip is `KEY.npy` and `KEY.json`."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import BinaryIO

from spectronorm.passes.stores.store import Entry
from spectronorm.storage.canonical_json import canonical_json


def write_webdataset(file: BinaryIO, entries: Iterator[Entry]) -> None:
    """Write the entries as they come: the array first, then its columns and number of frames."""
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in entries:
            about = canonical_json({**entry.columns, "frames": entry.frames}).encode()
            size = len(entry.array.npy_head()) + entry.array.nbytes
            _add(archive, f"{entry.name}.npy", size, _Parts(entry.array.npy_parts()))
            _add(archive, f"{entry.name}.json", len(about), io.BytesIO(about))


def _add(archive: tarfile.TarFile, name: str, size: int, data: BinaryIO) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.uname = size, "spectronorm"
    archive.addfile(member, data)


class _Parts(io.BytesIO):
    """The bytes of parts as a file that is read once, from its beginning."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        super().__init__()
        self._parts = parts
        self._rest = b""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return this number of bytes, or fewer at the end."""
        found = bytearray()
        while size is None or size < 0 or len(found) < size:
            self._rest = self._rest or next(self._parts, b"")
            if not self._rest:
                break
            wanted = len(self._rest) if size is None or size < 0 else size - len(found)
            found += self._rest[:wanted]
            self._rest = self._rest[wanted:]
        return bytes(found)
