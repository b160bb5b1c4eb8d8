"""Samples of a file by position.

Files whose decoder finds every sample exactly (PCM, FLAC) are read by seeking. In others, a seek gives other samples:
they are decoded from their beginning.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import soundfile
from numpy.typing import NDArray

from spectronorm.audio.decoding.av_sound import UNKNOWN_FRAMES
from spectronorm.audio.decoding.bit_depth import bits_of
from spectronorm.audio.decoding.containers.container import look
from spectronorm.audio.decoding.containers.found import Found
from spectronorm.audio.decoding.decode import DecodedBlocks
from spectronorm.audio.decoding.opened_sounds import LIBSNDFILE_ERRORS, opened_sounds, seconds_missing, unreadable
from spectronorm.audio.decoding.sample_buffer import most_bytes, too_large
from spectronorm.errors import AudioError, BadAudioReason

_EXACT_FORMATS = frozenset({"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC"})
_EXACT_SUBTYPES = frozenset({"PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"})
_BLOCK = 1 << 18
_NEAR = 1 << 15
_KEPT_BLOCKS = 16
"""Number of decoded blocks that are kept for sections that overlap."""


class SamplesByPosition(Protocol):
    """Samples of a file by position."""

    sample_rate: int
    note: str
    bits: int
    position: int

    def reaches(self, start: int) -> bool:
        """Say if the samples from a position on can be read."""
        ...

    def blocks(self, start: int, stop: int | None) -> Iterator[NDArray[np.float32]]:
        """Samples `(sample, channel)` of a section, each block valid until the next; fewer if the file ends early."""
        ...

    def missing(self, there: int) -> float:
        """Seconds that the file claims and does not have, if it has `there` samples."""
        ...


class _Seekable:
    """A file that is read by seeking."""

    def __init__(self, descriptor: int, found: Found) -> None:
        self._descriptor, self._found = descriptor, found
        self._most = most_bytes(descriptor)
        self._open()
        self.sample_rate, self.note = self._sound.samplerate, found.note
        self.bits = bits_of(self._sound.subtype)

    @classmethod
    def of(cls, descriptor: int, found: Found) -> _Seekable | None:
        """The file, if its format and encoding allow seeking."""
        made = cls(descriptor, found) if len(found.views) == 1 else None
        return made if made is not None and made.seeks else None

    @property
    def seeks(self) -> bool:
        """True if a seek gives the samples that decoding from the beginning gives."""
        sound = self._sound
        known = isinstance(sound, soundfile.SoundFile) and sound.frames < UNKNOWN_FRAMES
        return known and sound.format in _EXACT_FORMATS and sound.subtype in _EXACT_SUBTYPES

    def _open(self) -> None:
        self._sounds = opened_sounds(self._descriptor, self._found, None)
        try:
            self._sound: Any = next(self._sounds)
        except LIBSNDFILE_ERRORS as error:
            raise unreadable(error) from None
        self.position, self._last = 0, np.empty((0, self._sound.channels), np.float32)

    def reaches(self, start: int) -> bool:  # noqa: ARG002  (every position can be reached)
        return True

    def blocks(self, start: int, stop: int | None) -> Iterator[NDArray[np.float32]]:
        sound = self._sound
        at, last = start, sound.frames if stop is None else min(stop, sound.frames)
        if 4 * sound.channels * (last - start) > self._most:
            raise too_large(self._most)
        buffer = np.empty((max(1, min(_BLOCK // sound.channels, last - start)), sound.channels), np.float32)
        try:
            held = self._again(start, last)
            if len(held) == last - start > 0:
                yield held
                return
            # Samples that are held already come first, so that the next section finds all of this one.
            room, kept = (buffer[len(held) :], len(held)) if len(buffer) == last - start else (buffer, 0)
            buffer[:kept] = held[:kept]
            at += kept
            if at < last:
                self._go_to(at)
            while at < last and len(block := sound.read(out=room[: last - at])):
                self._last = buffer[: kept + len(block)] if kept else block
                at += len(block)
                self.position = at
                yield self._last
                room, kept = buffer, 0
            if kept:  # the file ends before what it claims
                yield buffer[:kept]
        except LIBSNDFILE_ERRORS as error:
            self._open()
            raise unreadable(error) from None

    def _again(self, start: int, stop: int) -> NDArray[np.float32]:
        """Samples of a section's beginning that were decoded last."""
        begin = self.position - len(self._last)
        return self._last[start - begin : stop - begin] if begin <= start < self.position else self._last[:0]

    def _go_to(self, start: int) -> None:
        """Seek, or decode up to a position that is near: a seek in FLAC takes as long as half a second of sound."""
        gap = start - self.position
        if not gap:
            return
        self.position, self._last = start, self._last[:0]
        if 0 < gap <= _NEAR and self._sound.format == "FLAC":
            try:
                if len(self._sound.read(gap, dtype="float32")) == gap:
                    return
            except LIBSNDFILE_ERRORS:  # of sound that is not asked for
                pass
        self._sound.seek(start)

    def missing(self, there: int) -> float:
        return self._found.missing + seconds_missing(self._sound, there, self._found)


class _Sequential:
    """A file that is decoded from its beginning, of which the last blocks are kept."""

    def __init__(self, descriptor: int, found: Found) -> None:
        self._blocks = DecodedBlocks(descriptor, found)
        self._each = iter(self._blocks)
        self._kept: deque[tuple[int, NDArray[np.float32]]] = deque()
        self._dropped, self.position = 0, 0
        self._ended, self._error = False, (BadAudioReason.EMPTY, "")
        self._advance()
        self.sample_rate, self.note, self.bits = self._blocks.sample_rate, self._blocks.note, self._blocks.bits

    def reaches(self, start: int) -> bool:
        return start >= (self._kept[0][0] if self._kept else self.position)

    def blocks(self, start: int, stop: int | None) -> Iterator[NDArray[np.float32]]:
        number = self._dropped
        while stop is None or start < stop:
            if number - self._dropped == len(self._kept) and not self._advance():
                return
            at, block = self._kept[number - self._dropped]
            number += 1
            part = block[max(0, start - at) : None if stop is None else max(0, stop - at)]
            if len(part):
                yield part
            if stop is not None and at + len(block) >= stop:
                return

    def missing(self, there: int) -> float:  # noqa: ARG002  (the decoder has counted them)
        return self._blocks.missing

    def _advance(self) -> bool:
        """Decode one more block; false at the end. An error comes again each time: what is behind it is not there."""
        reason, detail = self._error
        if detail:
            raise AudioError(reason, detail)
        try:
            block = None if self._ended else next(self._each, None)
        except AudioError as error:
            self._error = error.reason, error.detail
            raise
        self._ended = block is None
        if block is None:
            return False
        self._kept.append((self.position, block.copy()))
        self.position += len(block)
        if len(self._kept) > _KEPT_BLOCKS:
            self._kept.popleft()
            self._dropped += 1
        return True


def samples_of(descriptor: int) -> SamplesByPosition:
    """The samples of a file, by seeking if its format and encoding allow it.

    Raises:
        AudioError: if the file cannot be read.
    """
    found = look(descriptor)
    return _Seekable.of(descriptor, found) or _Sequential(descriptor, found)
