"""Compressed tar archives: a member can only be reached by unpacking everything before it."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from spectronorm.audio.kept_open import keep_open
from spectronorm.audio.places.member_limits import BoundedTar
from spectronorm.audio.places.place import OPENED, is_url, open_place, state
from spectronorm.audio.places.reference import Part
from spectronorm.audio.places.xz import XzContent
from spectronorm.errors import AudioError, BadAudioReason, SourceError

_BLOCK = 1 << 20
_UNPACKERS: Mapping[str, Callable[[IO[bytes]], IO[bytes]]] = {
    "gz": lambda file: cast(IO[bytes], gzip.GzipFile(fileobj=file)),
    "bz2": lambda file: cast(IO[bytes], bz2.BZ2File(file)),
    "xz": lambda file: cast(IO[bytes], io.BufferedReader(XzContent(file), _BLOCK)),
}
_MAX_IDLE = 8


def method_of(place: str) -> str:
    """Return the compression method of a tar archive with this name."""
    suffix = place.lower().rpartition(".")[2]
    return {"tgz": "gz", "tar": "stored"}.get(suffix, suffix)


@contextmanager
def unpacked(file: IO[bytes], method: str) -> Iterator[IO[bytes]]:
    """Open the file's unpacked content, which seeks forward by unpacking."""
    if method == "stored":
        yield file
        return
    with _UNPACKERS[method](file) as plain:
        yield cast(IO[bytes], BoundedTar(plain, _length(file)))


def _length(file: IO[bytes]) -> int:
    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    return length


class _Stream:
    """One archive, unpacked up to some position."""

    def __init__(self, part: Part) -> None:
        self.place = part.place
        self._file = open_place(part.place)
        self._plain = BoundedTar(_UNPACKERS[part.method](self._file), _length(self._file))
        self.state = _state(part.place)
        self.position = 0

    def pieces(self, start: int, length: int) -> Iterator[bytes]:
        self._plain.require(start + length)
        self._plain.seek(start)
        self.position = start
        while (left := start + length - self.position) and (piece := self._plain.read(min(_BLOCK, left))):
            self.position += len(piece)
            yield piece

    def require_unchanged(self) -> None:
        """Check that the archive is still the file that was opened.

        Raises:
            AudioError: if it has changed.
        """
        if self.state != _state(self.place):
            raise AudioError(BadAudioReason.CHANGING, f"{self.place} changed while it was read")

    def close(self) -> None:
        self._plain.close()
        self._file.close()


class Streams:
    """Open archives, each unpacked up to some position: a read continues the furthest one that is not yet past it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[str, list[_Stream]] = {}

    def pieces(self, part: Part) -> Iterator[bytes]:
        """Yield the bytes of a member in pieces.

        Raises:
            AudioError: if the archive is damaged, missing or changing.
        """
        try:
            stream = self._take(part) or _Stream(part)
        except SourceError as error:
            raise AudioError(BadAudioReason.MISSING, str(error)) from None
        try:
            yield from stream.pieces(part.start, part.stored or 0)
            stream.require_unchanged()
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            stream.close()
            raise AudioError(BadAudioReason.UNREADABLE, f"{part.place} cannot be unpacked ({error})") from None
        except BaseException:
            stream.close()
            raise
        self._give_back(part.place, stream)

    def close(self) -> None:
        """Close every archive that is not being read."""
        with self._lock:
            idle = [stream for streams in self._idle.values() for stream in streams]
            self._idle.clear()
        for stream in idle:
            stream.close()

    def _take(self, part: Part) -> _Stream | None:
        now = _state(part.place)
        with self._lock:
            streams = self._idle.get(part.place, [])
            usable = [stream for stream in streams if stream.position <= part.start and stream.state == now]
            if not usable:
                return None
            best = max(usable, key=lambda stream: stream.position)
            streams.remove(best)
            return best

    def _give_back(self, place: str, stream: _Stream) -> None:
        with self._lock:
            streams = self._idle.setdefault(place, [])
            streams.append(stream)
            dropped = streams.pop(0) if len(streams) > _MAX_IDLE else None
        keep_open(self.close)
        if dropped is not None:
            dropped.close()


STREAMS = Streams()
"""The archives that this process has open."""


def _state(place: str) -> tuple[int, ...]:
    """Return values that change when a local archive changes; remote ones are not watched."""
    if is_url(place):
        return ()
    try:
        descriptor = OPENED.get(place)
        return state(Path(place).stat() if descriptor is None else os.fstat(descriptor))
    except OSError as error:
        raise AudioError(BadAudioReason.MISSING, f"{place}: {error.strerror or error}") from None
