"""Content of an xz file, unpacked within a limit of memory, which the standard library's file object does not have."""

from __future__ import annotations

import io
import os
from lzma import LZMADecompressor
from typing import IO, Any

MOST_MEMORY = 1 << 28
"""Largest number of bytes that a decompressor may use; `xz -9` needs 65 MB, a forged header can ask for 4 GB."""
_BLOCK = 1 << 16


class XzContent(io.RawIOBase):
    """Unpacked content of an open file, which seeks by unpacking.

    Raises:
        LZMAError: while reading, if the file is damaged or needs more memory.
        EOFError: while reading, if the file breaks off.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._begin()

    def _begin(self) -> None:
        self._file.seek(0)
        self._unpacker, self._position = LZMADecompressor(memlimit=MOST_MEMORY), 0

    def readable(self) -> bool:
        """Return true: the file can be read."""
        return True

    def seekable(self) -> bool:
        """Return true: the file can seek."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Read into the buffer, up to its size."""
        data = self._next(len(buffer)) if len(buffer) else b""
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position from the beginning or from here; a position behind the end is moved to the end."""
        target = offset + (self._position if whence == os.SEEK_CUR else 0)
        if target < self._position:
            self._begin()
        while self._position < target and (data := self._next(min(_BLOCK, target - self._position))):
            self._position += len(data)
        return self._position

    def _next(self, most: int) -> bytes:
        """Return at least one byte, or none at the end."""
        while True:
            packed = b""
            if self._unpacker.eof:
                # Streams may follow each other, with zeros between them.
                packed = self._unpacker.unused_data.lstrip(b"\0")
                while not packed:
                    block = self._file.read(_BLOCK)
                    if not block:
                        return b""
                    packed = block.lstrip(b"\0")
                self._unpacker = LZMADecompressor(memlimit=MOST_MEMORY)
            elif self._unpacker.needs_input and not (packed := self._file.read(_BLOCK)):
                raise EOFError("the file breaks off")
            if data := self._unpacker.decompress(packed, most):
                return data
