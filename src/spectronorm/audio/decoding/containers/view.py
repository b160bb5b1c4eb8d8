"""A file's bytes by position, and views of a file: some of its bytes, and others in their place."""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

BLOCK = 1 << 20
_HEAD = 1 << 12
"""Bytes at the beginning that are read once: most containers are told by them."""
_AHEAD = 1 << 16
_HAS_PREAD = hasattr(os, "pread")


class FileBytes:
    """An open file's bytes by position.

    Attributes:
        size: The number of bytes in the file.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.size = os.fstat(descriptor).st_size
        self._head = b""
        self._head = self.at(0, _HEAD)

    def at(self, start: int, length: int) -> bytes:
        """`length` bytes from `start` on; fewer where the file ends."""
        length = min(length, self.size - start)
        if length <= 0 or start < 0:
            return b""
        if start + length <= len(self._head):
            return self._head[start : start + length]
        if _HAS_PREAD:
            found = os.pread(self.descriptor, length, start)
        else:
            os.lseek(self.descriptor, start, os.SEEK_SET)
            found = os.read(self.descriptor, length)
        if found and len(found) < length:  # the system may give fewer than there are
            found += self.at(start + len(found), length - len(found))
        return found

    def blocks(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` to `stop`, a megabyte at a time."""
        while start < stop and (block := self.at(start, min(BLOCK, stop - start))):
            start += len(block)
            yield block


Piece = bytes | tuple[int, int]
"""Bytes as they are, or the first and the last but one position of bytes of the file."""


@dataclass(frozen=True)
class View:
    """A file made of pieces, one behind the other; without pieces, the file itself."""

    pieces: tuple[Piece, ...] = ()

    @classmethod
    def patched(cls, size: int, patches: Mapping[int, bytes]) -> View:
        """A file of `size` bytes with some of them replaced: `patches` gives the new bytes by position."""
        pieces: list[Piece] = []
        position = 0
        for start, new in sorted(patches.items()):
            pieces += [(position, start), new]
            position = start + len(new)
        return cls((*pieces, (position, size)))

    def open(self, descriptor: int) -> Any:
        """Give libsndfile a thing to open: the descriptor at its beginning, or a file object of the pieces."""
        if not self.pieces:
            os.lseek(descriptor, 0, os.SEEK_SET)
            return descriptor
        return _ViewFile(FileBytes(descriptor), self.pieces)


class _ViewFile(io.RawIOBase):
    """The pieces as a file object."""

    def __init__(self, file: FileBytes, pieces: tuple[Piece, ...]) -> None:
        lengths = [len(piece) if isinstance(piece, bytes) else max(0, piece[1] - piece[0]) for piece in pieces]
        self._file, self._pieces = file, pieces
        self._starts = [0, *accumulate(lengths)]
        self._position = 0
        self._ahead, self._ahead_start = b"", 0

    def seekable(self) -> bool:
        """It can seek."""
        return True

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._starts[-1]}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """The position."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Read what fits. A decoder of MPEG audio asks for the few bytes of each header, so more is read ahead."""
        begin, length = self._position - self._ahead_start, len(buffer)
        if begin >= 0 and len(held := self._ahead[begin : begin + length]) == length:
            buffer[:] = held
            self._position += length
            return length
        room, done = memoryview(buffer).cast("B"), 0
        while done < length and self._position < self._starts[-1]:
            try:
                found = self._next(max(length - done, _AHEAD))
            except OSError:  # libsndfile, which calls this, takes no errors: it sees an end that comes too early
                break
            if not found:
                break
            self._ahead, self._ahead_start = found, self._position
            taken = min(len(found), length - done)
            room[done : done + taken] = found[:taken]
            done += taken
            self._position += taken
        return done

    def _next(self, length: int) -> bytes:
        """At most `length` bytes from the position on, of one piece."""
        index = bisect_right(self._starts, self._position) - 1
        piece, inside = self._pieces[index], self._position - self._starts[index]
        if isinstance(piece, bytes):
            return piece[inside : inside + length]
        start = piece[0] + inside
        return self._file.at(start, min(length, piece[1] - start))
