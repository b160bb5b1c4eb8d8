"""Bytes at a place: a local file or any fsspec URL, read by range."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import IO, Any

from spectronorm.errors import AudioError, BadAudioReason, MissingExtra, SourceError

_BLOCK = 1 << 20


def is_url(place: str) -> bool:
    """Whether this is a URL rather than a local path."""
    scheme, colon, _ = place.partition("://")
    return bool(colon) and scheme.replace("+", "").replace("::", "").isalnum() and len(scheme) > 1


def file_system(url: str) -> tuple[Any, str]:
    """The fsspec file system of a URL, and the path in it.

    Raises:
        MissingExtra: when fsspec, or what it needs for this protocol, is not installed.
        SourceError: when the protocol is unknown.
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


def open_place(place: str) -> IO[bytes]:
    """The place as a file that can seek; raises `SourceError` when it cannot be opened."""
    try:
        return io.BufferedReader(_Ranges(place), _BLOCK) if is_url(place) else Path(place).open("rb")
    except OSError as error:
        raise SourceError(f"{place}: cannot be opened ({error}); check the path and your access to it") from None


class _Ranges(io.RawIOBase):
    """A remote object as a file that reads ranges; what `fsspec` itself opens may share its position with others."""

    def __init__(self, url: str) -> None:
        self._system, self._path = file_system(url)
        self._size = int(self._system.info(self._path)["size"] or 0)
        self._position = 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can seek."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """The position."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Read what fits."""
        stop = min(self._position + len(buffer), self._size)
        if stop <= self._position:
            return 0
        data = self._system.cat_file(self._path, start=self._position, end=stop)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def read_range(place: str, start: int, length: int | None) -> bytes:
    """`length` bytes from `start`, or all when `length` is None; fewer when the place ends before.

    Raises:
        AudioError: when the place cannot be read, or a local file changes meanwhile.
    """
    try:
        if is_url(place):
            return _read_remote(place, start, length)
        with Path(place).open("rb") as file:
            before = os.fstat(file.fileno())
            file.seek(start)
            rest = max(0, before.st_size - start)
            data = file.read(rest if length is None else min(length, rest))
            after = os.fstat(file.fileno())
    except FileNotFoundError:
        raise AudioError(BadAudioReason.MISSING, f"{place} is no longer there") from None
    except OSError as error:
        raise AudioError(BadAudioReason.UNREADABLE, f"{place} cannot be read ({error})") from None
    if state(before) != state(after):
        raise AudioError(BadAudioReason.CHANGING, f"{place} changed while it was read")
    return data


def state(status: os.stat_result) -> tuple[int, ...]:
    """What changes whenever a file's content does, as far as the system can tell."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _read_remote(place: str, start: int, length: int | None) -> bytes:
    try:
        system, path = file_system(place)
        stop = None if length is None else start + length
        return bytes(system.cat_file(path, start=start or None, end=stop))
    except FileNotFoundError:
        raise
    except (AudioError, MissingExtra):
        raise
    except Exception as error:  # each remote file system has errors of its own
        raise AudioError(
            BadAudioReason.UNREADABLE, f"{place} cannot be read ({type(error).__name__}: {error})"
        ) from None
