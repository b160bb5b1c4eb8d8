"""Journal of finished work, stored next to the output, so that an interrupted run can resume.

A journal is a header line followed by appended records: `length, checksum, key, payload`. A truncated or damaged record
ends the journal: this record and all records after it are computed again. The first record is the run's identity: if
settings or the versions of libraries differ, nothing of an older journal is used. The command decides the meaning of a
key, and if its payload is still valid (the input files may have changed).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import xxhash

from spectronorm.runs.lock import open_hidden, output_lock, path_beside
from spectronorm.storage.atomic import remove_unfinished
from spectronorm.storage.canonical_json import canonical_json

MAGIC = b"spectronorm journal 1\n"
KEY_BYTES = 16
_HEAD = struct.Struct("<Q16s16s")  # length of the payload, checksum of the rest, key
_IDENTITY = b"\0" * KEY_BYTES


def key_of(value: Any) -> bytes:
    """Return the key of plain JSON values: equal values have equal keys."""
    return xxhash.xxh3_128_digest(canonical_json(value).encode())


def _is_journal(start: bytes) -> bool:
    """Tell if a journal of any version begins so, even one that was cut off or damaged."""
    alike = sum(here == there for here, there in zip(start, MAGIC, strict=False))
    return alike >= min(len(start), len(MAGIC)) // 2


class Journal:
    """Records by key, each complete or absent; created by `keep_journal`."""

    def __init__(self, path: Path, identity: Mapping[str, Any]) -> None:
        """Open or create the journal; a journal with another identity is replaced."""
        self.path = path
        self._where: dict[bytes, tuple[int, int]] = {}
        self._file: BinaryIO = os.fdopen(open_hidden(path, _is_journal), "r+b", buffering=0)
        end = self._scan(canonical_json(identity).encode())
        self._file.truncate(end)
        self._end = end
        if end == 0:
            self._write(MAGIC + _record(_IDENTITY, canonical_json(identity).encode()))

    def __contains__(self, key: bytes) -> bool:
        return key in self._where

    def __len__(self) -> int:
        return len(self._where)

    def get(self, key: bytes) -> bytes | None:
        """Return the payload under `key`; None if there is none, or if it was damaged after the journal was opened."""
        if key not in self._where:
            return None
        start, length = self._where[key]
        self._file.seek(start - _HEAD.size)
        record = self._file.read(_HEAD.size + length)
        return record[_HEAD.size :] if record == _record(key, record[_HEAD.size :]) else None

    def put(self, key: bytes, payload: bytes) -> None:
        """Append a record, which is durable when this call returns, even if the process is killed right after."""
        start = self._end + _HEAD.size
        self._write(_record(key, payload))
        self._where[key] = (start, len(payload))

    def close(self) -> None:
        """Keep the file for the next run."""
        self._file.close()

    def remove(self) -> None:
        """Remove the file: the output is complete, and nothing is left to resume."""
        self.close()
        self.path.unlink(missing_ok=True)

    def _write(self, data: bytes) -> None:
        self._file.seek(self._end)
        view = memoryview(data)
        while view:
            written = self._file.write(view)
            self._end += written
            view = view[written:]

    def _scan(self, identity: bytes) -> int:
        """Find the complete records; returns the position of their end, or 0 if the journal is not usable."""
        size = os.fstat(self._file.fileno()).st_size
        if self._file.read(len(MAGIC)) != MAGIC:
            return 0
        position, first = len(MAGIC), True
        while position + _HEAD.size <= size:
            length, checksum, key = _HEAD.unpack(self._file.read(_HEAD.size))
            if position + _HEAD.size + length > size:
                break
            payload = self._file.read(length)
            if _checksum(key, payload) != checksum:
                break
            if first and (key, payload) != (_IDENTITY, identity):
                return 0
            if not first:
                self._where[key] = (position + _HEAD.size, length)
            first = False
            position += _HEAD.size + length
        return 0 if first else position


def _record(key: bytes, payload: bytes) -> bytes:
    return _HEAD.pack(len(payload), _checksum(key, payload), key) + payload


def _checksum(key: bytes, payload: bytes) -> bytes:
    digest = xxhash.xxh3_128(key)
    digest.update(payload)
    return digest.digest()


@contextmanager
def keep_journal(output: Path, identity: Mapping[str, Any]) -> Iterator[Journal]:
    """Hold the lock and journal of `output`; after success the journal is removed, otherwise it stays for a resume.

    Args:
        output: The file or folder that the run makes; lock and journal are hidden files next to it.
        identity: Plain JSON values of everything, except the input files, that determines the output's bytes.

    Raises:
        OutputBusy: if another run holds the output.
    """
    with output_lock(output):
        remove_unfinished(output)
        journal = Journal(path_beside(output, "journal"), identity)
        try:
            yield journal
        except BaseException:
            journal.close()
            raise
        remove_unfinished(output)  # A worker may have died while writing.
        journal.remove()
