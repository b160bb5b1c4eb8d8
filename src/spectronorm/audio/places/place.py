"""Bytes at a location: a local file or any fsspec URL, read by range."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from spectronorm.errors import AudioError, BadAudioReason, MissingExtra, SourceError

_BLOCK = 1 << 20
_REQUEST = 1 << 25
OPENED: dict[str, int] = {}
"""Descriptors of local files that are open already, by path: a confined process can open none itself."""


def is_url(place: str) -> bool:
    """True if this is a URL rather than a local path."""
    scheme, colon, _ = place.partition("://")
    return bool(colon) and scheme.replace("+", "").replace("::", "").isalnum() and len(scheme) > 1


def file_system(url: str) -> tuple[Any, str]:
    """Return the fsspec file system of a URL, and the path in it.

    Raises:
        MissingExtra: if fsspec, or a package that it needs for this protocol, is not installed.
        SourceError: if the protocol is unknown.
    """
    try:
        import fsspec  # noqa: PLC0415
    except (ImportError, OSError):
        raise MissingExtra("Reading from a URL", "remote") from None
    try:
        system, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise SourceError(f"{url}: {error}") from None
    except Exception as error:
        raise SourceError(f"{url}: cannot be opened ({error}); check the URL and your access to it") from None
    return system, path


def open_local(place: str) -> IO[bytes]:
    """Open a local file for reading; raises `OSError` if that fails."""
    if (descriptor := OPENED.get(place)) is None:
        return Path(place).open("rb")
    return os.fdopen(os.dup(descriptor), "rb")


def open_place(place: str) -> IO[bytes]:
    """Open the location as a seekable file.

    Raises:
        SourceError: if it cannot be opened.
    """
    try:
        return io.BufferedReader(_Ranges(place), _BLOCK) if is_url(place) else open_local(place)
    except OSError as error:
        raise SourceError(f"{place}: cannot be opened ({error}); check the path and your access to it") from None


class _Ranges(io.RawIOBase):
    """Remote object as a file that reads ranges; files from `fsspec` itself may share their position with others."""

    def __init__(self, url: str) -> None:
        self._system, self._path = file_system(url)
        self._size = int(self._system.info(self._path)["size"] or 0)
        self._position = 0

    def readable(self) -> bool:
        """Return true: the file can be read."""
        return True

    def seekable(self) -> bool:
        """Return true: the file can seek."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Read into the buffer, up to its size."""
        stop = min(self._position + len(buffer), self._size)
        if stop <= self._position:
            return 0
        data = self._system.cat_file(self._path, start=self._position, end=stop)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def read_range(place: str, start: int, length: int | None) -> bytes:
    """Read `length` bytes from `start`, or everything if `length` is None; fewer if the content ends earlier.

    Raises:
        AudioError: if the location cannot be read, or a local file changes meanwhile.
    """
    return b"".join(read_pieces(place, start, length))


def read_pieces(place: str, start: int, length: int | None) -> Iterator[bytes]:
    """Yield the bytes of `read_range` in pieces of at most a megabyte; a remote object without a length as one piece.

    Raises:
        AudioError: as `read_range`, in some cases only after the last piece.
    """
    try:
        if is_url(place):
            yield from _remote_pieces(place, start, length)
            return
        with open_local(place) as file:
            before = os.fstat(file.fileno())
            file.seek(start)
            rest = max(0, before.st_size - start)
            left = rest if length is None else min(length, rest)
            while left and (piece := file.read(min(_BLOCK, left))):
                left -= len(piece)
                yield piece
            after = os.fstat(file.fileno())
    except FileNotFoundError:
        raise AudioError(BadAudioReason.MISSING, f"{place} is no longer there") from None
    except OSError as error:
        raise AudioError(BadAudioReason.UNREADABLE, f"{place} cannot be read ({error})") from None
    if state(before) != state(after):
        raise AudioError(BadAudioReason.CHANGING, f"{place} changed while it was read")


def state(status: os.stat_result) -> tuple[int, ...]:
    """Return values that change whenever a file's content does, within the system's resolution."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _remote_pieces(place: str, start: int, length: int | None) -> Iterator[bytes]:
    try:
        system, path = file_system(place)
        if length is None:
            yield bytes(system.cat_file(path, start=start or None, end=None))
            return
        stop = start + length
        # A request costs more than the bytes of most clips.
        for begin in range(start, stop, _REQUEST):
            piece = bytes(system.cat_file(path, start=begin, end=min(stop, begin + _REQUEST)))
            yield piece
            if len(piece) < min(stop, begin + _REQUEST) - begin:
                return
    except FileNotFoundError:
        raise
    except (AudioError, MissingExtra):
        raise
    except Exception as error:  # Each remote file system has its own errors.
        raise AudioError(
            BadAudioReason.UNREADABLE, f"{place} cannot be read ({type(error).__name__}: {error})"
        ) from None
