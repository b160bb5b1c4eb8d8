"""Local files that stay open between reads of their parts: opening takes longer than reading a few kilobytes."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass

from spectronorm.audio.kept_open import keep_open
from spectronorm.audio.places.place import state
from spectronorm.errors import AudioError, BadAudioReason

_MOST_IDLE = 8


@dataclass(frozen=True)
class _OpenFile:
    place: str
    descriptor: int
    state: tuple[int, ...]


class OpenFiles:
    """Open files by their place; a file that has changed since is opened again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_OpenFile] = []

    def read(self, place: str, start: int, length: int) -> bytes:
        """Return `length` bytes from `start`, or fewer if the file ends earlier.

        Raises:
            AudioError: if the file is missing, unreadable, or changes meanwhile.
        """
        file = self._take(place)
        try:
            data = os.pread(file.descriptor, length, start)
            while len(data) < length and (more := os.pread(file.descriptor, length - len(data), start + len(data))):
                data += more
            unchanged = state(os.fstat(file.descriptor)) == file.state
        except OSError as error:
            os.close(file.descriptor)
            raise AudioError(BadAudioReason.UNREADABLE, f"{place} cannot be read ({error})") from None
        self._give_back(file)
        if not unchanged:
            raise AudioError(BadAudioReason.CHANGING, f"{place} changed while it was read")
        return data

    def close(self) -> None:
        """Close every file that is not being read."""
        with self._lock:
            idle, self._idle = self._idle, []
        for file in idle:
            os.close(file.descriptor)

    def _take(self, place: str) -> _OpenFile:
        try:
            now = state(os.stat(place))  # noqa: PTH116  (a path takes longer to make)
            with self._lock:
                for file in self._idle:
                    if file.place == place and file.state == now:
                        self._idle.remove(file)
                        return file
            descriptor = os.open(place, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0))
            return _OpenFile(place, descriptor, state(os.fstat(descriptor)))
        except FileNotFoundError:
            raise AudioError(BadAudioReason.MISSING, f"{place} is no longer there") from None
        except OSError as error:
            raise AudioError(BadAudioReason.UNREADABLE, f"{place} cannot be read ({error})") from None

    def _give_back(self, file: _OpenFile) -> None:
        with self._lock:
            self._idle.append(file)
            dropped = self._idle.pop(0) if len(self._idle) > _MOST_IDLE else None
        keep_open(self.close)
        if dropped is not None:
            os.close(dropped.descriptor)


OPEN_FILES = OpenFiles()
"""The files that this process has open."""
