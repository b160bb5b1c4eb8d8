"""Recordings that stay open between the reading of their pieces, so that pieces of one file share one read."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import xxhash

from spectronorm.audio.decoding.content import (
    content_digest,
    content_state,
    open_content,
    stamp_of_error,
    stamp_of_piece,
)
from spectronorm.audio.decoding.decode import header_of
from spectronorm.audio.decoding.plain_wav import plain_wav
from spectronorm.audio.decoding.recording import Recording
from spectronorm.audio.kept_open import keep_open
from spectronorm.audio.places.place import is_url, state
from spectronorm.audio.places.reference import ClipReference, Part, Span
from spectronorm.errors import AudioError, BadAudioReason

_MAX_IDLE = 8
_SETTLED = 100_000_000
"""Age of a file's last change, in nanoseconds, from which the next change has another time."""
_Key = tuple[str, Part | None, tuple[int, ...]]


class OpenRecording:
    """A recording that is open, and what is known about its file.

    Attributes:
        descriptor: The open file.
        state: State of the file when it was opened.
        recording: The recording, for its sections.
        plain: Header of a plain WAV file; None for another kind of file.
        is_settled: True unless the file was written to just before.
    """

    def __init__(self, clip: ClipReference, key: _Key) -> None:
        """The recording that a clip is cut from.

        Raises:
            AudioError: if it cannot be opened.
        """
        self.key, self._open = key, ExitStack()
        self.descriptor = self._open.enter_context(open_content(clip))
        self.state = content_state(self.descriptor)
        # A file that changed a moment ago may change again within the resolution of its times.
        self.is_settled = not 0 <= time.time_ns() - max(self.state[-2:]) < _SETTLED
        self.recording = Recording(self.descriptor)
        self.plain = plain_wav(self.descriptor)
        self._digest = b""
        self._header: tuple[int, int, int] | None = None

    def stamp(self, clip: ClipReference) -> bytes:
        """Return the stamp of a piece; the file is digested once."""
        return stamp_of_piece(self.digest(), clip)

    def digest(self) -> bytes:
        """Return the digest of the file."""
        if not self._digest:
            with self._position_kept():
                self._digest = content_digest(self.descriptor)
        return self._digest

    def header(self) -> tuple[int, int, int]:
        """Return sample rate (Hz), channels and number of samples, as `header_of` does."""
        if self._header is None:
            with self._position_kept():
                self._header = header_of(self.descriptor)
        return self._header

    @contextmanager
    def _position_kept(self) -> Iterator[None]:
        """The decoder reads on from the descriptor's position."""
        position = os.lseek(self.descriptor, 0, os.SEEK_CUR)
        try:
            yield
        finally:
            os.lseek(self.descriptor, position, os.SEEK_SET)

    @property
    def in_memory(self) -> bool:
        """True for a member of an archive or a remote object, whose bytes are held."""
        return self.key[1] is not None

    @property
    def is_unchanged(self) -> bool:
        """True if the file was not written to since it was opened."""
        return content_state(self.descriptor) == self.state

    def close(self) -> None:
        """Close the file."""
        self._open.close()


class Recordings:
    """The recordings that this process has open: one is taken up by the next piece that follows its last one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[OpenRecording] = []

    @contextmanager
    def open(self, clip: ClipReference) -> Iterator[OpenRecording]:
        """Take the recording that a clip is cut from, and keep it open for the next piece of an unchanged file.

        A whole file is closed at once: nothing is left to be read of it.

        Raises:
            AudioError: if it cannot be opened.
        """
        key = _key(clip)
        opened = None if clip.span is None else self._take(key, clip.span)
        opened = OpenRecording(clip, key) if opened is None else opened
        try:
            yield opened
        except BaseException:
            opened.close()
            raise
        if clip.span is None:
            opened.close()
        else:
            self._give_back(opened)

    def close(self) -> None:
        """Close every recording that is not being read."""
        with self._lock:
            idle, self._idle = self._idle, []
        for opened in idle:
            opened.close()

    def forget(self) -> None:
        """Drop what a parent process had open: a fork shares the position in its files."""
        self._lock = threading.Lock()
        self.close()

    def _take(self, key: _Key, span: Span) -> OpenRecording | None:
        with self._lock:
            usable = [one for one in self._idle if one.key == key and one.recording.reaches(span)]
            if not usable:
                return None
            best = max(usable, key=lambda one: one.recording.position)
            self._idle.remove(best)
            return best

    def _give_back(self, opened: OpenRecording) -> None:
        if not opened.is_settled:
            opened.close()
            return
        with self._lock:
            # Members of archives may take a lot of memory.
            dropped = [one for one in self._idle if one.in_memory and opened.in_memory]
            self._idle = [*(one for one in self._idle if one not in dropped), opened]
            if len(self._idle) > _MAX_IDLE:
                dropped.append(self._idle.pop(0))
        keep_open(self.close)
        for one in dropped:
            one.close()


RECORDINGS = Recordings()
"""The recordings that this process has open."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=RECORDINGS.forget)


def _key(clip: ClipReference) -> _Key:
    """Identity of the file that a clip is in; another one if the file is written to or replaced."""
    place = str(clip.location) if clip.part is None else clip.part.place
    try:
        local = clip.part is None or not is_url(place)
        now = state(os.stat(place)) if local else ()  # noqa: PTH116  (a path takes longer to make)
    except (OSError, ValueError):  # opening it says why
        now = ()
    return place, clip.part, now


_COUNTED = itertools.count(1)


def number_of(clip: ClipReference, file_state: tuple[int, ...]) -> int:
    """Number by which a decoding process knows the file of a piece that it may keep open: another for another file.

    A member of an archive, or a file that was written to just before, has a new number each time.
    """
    age = time.time_ns() - max(file_state[-2:])
    if clip.part is not None or 0 <= age < _SETTLED:
        return next(_COUNTED)
    return xxhash.xxh3_64_intdigest(repr((str(clip.location), file_state)).encode(errors="surrogateescape")) | 1 << 63


def digest_for(clip: ClipReference, descriptor: int, file_state: tuple[int, ...]) -> bytes:
    """Digest of an open file; that of a recording is computed once for all its pieces.

    Raises:
        AudioError: if the recording was replaced since it was opened.
    """
    if clip.span is None or clip.part is not None:
        return content_digest(descriptor)
    with RECORDINGS.open(clip) as opened:
        if opened.state != file_state:
            raise AudioError(BadAudioReason.CHANGING, "it was replaced while it was opened")
        return opened.digest()


def stamp(clip: ClipReference) -> bytes:
    """Return the identity of the clip's content now: the digest of its bytes, or of the error that prevents reading."""
    try:
        if clip.is_piece:
            with RECORDINGS.open(clip) as opened:
                return opened.stamp(clip)
        with open_content(clip) as descriptor:
            return content_digest(descriptor)
    except AudioError as error:
        return stamp_of_error(error)
