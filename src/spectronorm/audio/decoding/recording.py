"""Sections of a recording: they are cut at the file's own rate, before anything is resampled.

Files whose decoder finds every sample exactly (PCM, FLAC) are read by seeking. In others, a seek gives other samples:
they are decoded from their beginning, and sections in the order of their beginnings share one decoding.
"""

from __future__ import annotations

import os
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
from spectronorm.audio.decoding.decode import (
    FREE_BYTES,
    LIBSNDFILE_ERRORS,
    MAX_EXPANSION,
    DecodedBlocks,
    DecodedFile,
    opened_sounds,
    seconds_missing,
    too_large,
    unreadable,
)
from spectronorm.audio.places.reference import Span
from spectronorm.errors import AudioError, BadAudioReason

_SPARE_SAMPLES = 1
"""Number of samples by which a span may reach beyond the end of a file: tables hold rounded seconds."""
_EXACT_FORMATS = frozenset({"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC"})
_EXACT_SUBTYPES = frozenset({"PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"})
_BLOCK = 1 << 18
_NEAR = 1 << 15
_KEPT_BLOCKS = 16
"""Number of decoded blocks that are kept for sections that overlap."""


class _Samples(Protocol):
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


class _Exact:
    """A file that is read by seeking."""

    def __init__(self, descriptor: int, found: Found) -> None:
        self._descriptor, self._found = descriptor, found
        self._most = max(FREE_BYTES, os.fstat(descriptor).st_size * MAX_EXPANSION)
        self._open()
        self.sample_rate, self.note = self._sound.samplerate, found.note
        self.bits = bits_of(self._sound.subtype)

    @classmethod
    def of(cls, descriptor: int, found: Found) -> _Exact | None:
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


class _InOrder:
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


class Recording:
    """An open file of which sections are read; its user closes the descriptor, and one thread uses it at a time."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._samples: _Samples | None = None
        self._fault: tuple[BadAudioReason, str] | None = None

    @property
    def position(self) -> int:
        """Number of samples that were decoded one after the other."""
        return 0 if self._samples is None else self._samples.position

    def section(self, span: Span) -> Section:
        """The samples of a section in blocks, which can be iterated again and again."""
        return Section(self, span)

    def read(self, span: Span) -> DecodedFile:
        """All samples of a section.

        Raises:
            AudioError: as for iterating the section.
        """
        section = self.section(span)
        parts = [part.copy() for part in section]
        samples = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return DecodedFile(samples, section.sample_rate, section.missing, section.note, section.bits)

    def read_into(self, room: NDArray[np.float32], span: Span) -> DecodedFile:
        """All samples of a section, written into `room` `(value,)`.

        Raises:
            AudioError: as for iterating the section, or if there is not enough room.
        """
        section, filled, channels = self.section(span), 0, 1
        for part in section:
            if filled + part.size > len(room):
                raise too_large(room.nbytes)
            room[filled : filled + part.size] = part.reshape(-1)
            filled, channels = filled + part.size, part.shape[1]
        samples = room[:filled].reshape(-1, channels)
        return DecodedFile(samples, section.sample_rate, section.missing, section.note, section.bits)

    def reaches(self, span: Span) -> bool:
        """Say if a section can be read without decoding from the beginning."""
        if self._samples is None or span.problem is not None:
            return True
        return self._samples.reaches(span.rounded(self._samples.sample_rate)[0])

    def samples_for(self, span: Span) -> _Samples:
        """The samples of the file, at a position from which the section can be read."""
        if self._fault is not None:
            raise AudioError(*self._fault)
        if self._samples is None or not self.reaches(span):
            self._samples = None
            try:
                found = look(self._descriptor)
                self._samples = _Exact.of(self._descriptor, found) or _InOrder(self._descriptor, found)
            except AudioError as error:
                self._fault = error.reason, error.detail
                raise
        return self._samples


class Section:
    """The samples of a section in blocks `(sample, channel)`, each valid until the next.

    Attributes:
        missing: Seconds of the section that the file does not have; known after a whole iteration.
        note: As in `DecodedFile`.
        sample_rate: In Hz; known with the first block, as `bits` are.
        bits: As in `DecodedFile`.
    """

    def __init__(self, recording: Recording, span: Span) -> None:
        self._recording, self._span = recording, span
        self.missing, self.note, self.sample_rate, self.bits = 0.0, "", 0, 0

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """The blocks.

        Raises:
            AudioError: as decoding the file up to the section's end would, or if the file has no such section.
        """
        samples = self._recording.samples_for(self._span)
        self.sample_rate, self.note, self.bits = samples.sample_rate, samples.note, samples.bits
        start, stop = self._span.frames(self.sample_rate)
        there = start
        for block in samples.blocks(start, stop):
            there += len(block)
            yield block
        if there == start:
            raise _ends_before(self._span)
        self.missing = samples.missing(there) if stop is None else _missing_of(stop, there, self.sample_rate)


def cut(found: DecodedFile, span: Span) -> DecodedFile:
    """The section of a whole decoded file.

    Raises:
        AudioError: if the file has no such section.
    """
    start, stop = span.frames(found.sample_rate)
    there = len(found.samples)
    if there <= start:
        raise _ends_before(span)
    missing = found.missing if stop is None else _missing_of(stop, there, found.sample_rate)
    return DecodedFile(found.samples[start:stop], found.sample_rate, missing, found.note, found.bits)


def _missing_of(stop: int, there: int, sample_rate: int) -> float:
    """Seconds of a section up to the sample `stop` that a file of `there` samples does not have."""
    return (stop - there) / sample_rate if stop > there + _SPARE_SAMPLES else 0.0


def _ends_before(span: Span) -> AudioError:
    return AudioError(BadAudioReason.SPAN, f"its span {span} begins where the recording has ended, or behind")
