"""Decoding in separate processes that may be slow, exhaust their memory or be killed without harm to the pass.

Decoders of audio formats have had memory errors; a file made to exploit one runs in a process that has no open files,
cannot write any, and is killed if it takes too long. Its answer consists of numbers, checked like any other input.
"""

from __future__ import annotations

import math
import mmap
import os
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio.decoding.bit_depth import MAX_BITS
from spectronorm.audio.decoding.containers.foreign import needs_ffmpeg
from spectronorm.audio.decoding.containers.view import FileBytes
from spectronorm.audio.decoding.decode import DecodedFile
from spectronorm.audio.decoding.fork_server import Confined, Gone, Limits
from spectronorm.audio.decoding.memory_file import seal_size, unnamed_file
from spectronorm.audio.decoding.pool import ending, give_back, not_started, reported_error, take
from spectronorm.audio.decoding.worker import (
    ANSWER,
    ASK_AGAIN,
    ASKED,
    DECODER,
    ERROR,
    FFMPEG_DECODER,
    HEADERS,
    MOST_FILES,
    SAMPLES,
)
from spectronorm.audio.places.reference import Span
from spectronorm.errors import AudioError, BadAudioReason

_MAX_TEXT = 1 << 16
_ATTEMPTS = 3


@dataclass(frozen=True)
class Asked:
    """An open file to decode, or a section of it.

    Attributes:
        descriptor: The file. A section needs one whose position nothing else moves.
        span: The section; None for the whole file.
        number: Number that sections of one unchanged file share, so that its decoder stays open.
    """

    descriptor: int
    span: Span | None = None
    number: int = 0

    @property
    def packed(self) -> bytes:
        """Request in the form that the process reads."""
        if self.span is None:
            return ASKED.pack(0, 0.0, 0.0, 0)
        return ASKED.pack(self.number, self.span.start, math.nan if self.span.end is None else self.span.end, 1)


_FileOrError = DecodedFile | AudioError
"""Content of a file, or the reason why the file has none."""


class _Decoder(Confined):
    """A process that decodes, and the memory that it writes samples to."""

    def __init__(self, limits: Limits, *, ffmpeg: bool = False) -> None:
        self.ffmpeg = ffmpeg
        memory = unnamed_file()
        try:
            os.ftruncate(memory, limits.megabytes << 20)  # costs no memory until it is written to
            seal_size(memory)
            self._shared = mmap.mmap(memory, 0)
            super().__init__(FFMPEG_DECODER if ffmpeg else DECODER, limits, [memory])
        finally:
            os.close(memory)

    def ask(self, files: Sequence[Asked]) -> None:
        """Send files; raises `Gone` if the process has ended."""
        message = bytes([len(files)]) + b"".join(file.packed for file in files)
        self.send(message, [file.descriptor for file in files])

    def answer(self, memory: _Memory, *, first: bool) -> _FileOrError | None:
        """Return the result of the next file; None if this file and all later ones must be sent again.

        The first file is never sent again, since nothing waits yet. Samples are copied to `memory`.

        Raises:
            Gone: if there is no answer in time, or an impossible one.
        """
        deadline = self.deadline()
        try:
            answer = ANSWER.unpack(self.receive(ANSWER.size, deadline))
            kind, place, sample_rate, rows, columns, text, missing, bits = answer
            if kind == ASK_AGAIN and not first:
                return None
            if kind == ERROR:
                return reported_error(self.receive(text, deadline) if text <= _MAX_TEXT else b"")
            possible = kind == SAMPLES and 4 * (place + rows * columns) <= len(self._shared) and text <= _MAX_TEXT
            if not possible or not 0 <= missing < math.inf or bits > MAX_BITS:
                raise Gone("it gave an impossible answer")
            # A copy: no other process can write to the values checked from here on.
            samples = memory(rows * columns)
            samples[:] = np.frombuffer(self._shared, np.float32, rows * columns, 4 * place)
            note = self.receive(text, deadline).decode(errors="replace")
            return DecodedFile(samples.reshape(rows, columns), sample_rate, missing, note, bits)
        except OSError as error:
            raise Gone(str(error)) from None

    def header(self, descriptor: int) -> tuple[int, int, int]:
        """Return sample rate, channels and samples that a file's header claims, as `header_of` does.

        Raises:
            Gone: if there is no answer in time, or an impossible one.
        """
        self.send(bytes([1 | HEADERS]) + Asked(descriptor).packed, [descriptor])
        try:
            kind, _, rate, frames, channels, text, _, _ = ANSWER.unpack(self.receive(ANSWER.size, self.deadline()))
        except OSError as error:
            raise Gone(str(error)) from None
        if kind != SAMPLES or text or max(rate, frames, channels) >= 1 << 63:
            raise Gone("it gave an impossible answer")
        return rate, channels, frames


_Memory = Callable[[int], NDArray[np.float32]]
"""Function that returns room for a number of samples."""


def _new_memory(count: int) -> NDArray[np.float32]:
    return np.empty(count, np.float32)


def decode_untrusted(files: Sequence[Asked], limits: Limits, memory: _Memory = _new_memory) -> Generator[_FileOrError]:
    """Yield the result of `decode_descriptor` for each of these open files, in order, from a separate process.

    Several files are sent at a time, and the process continues with the next while its last answer is used. Processes
    serve one batch after the other; a process that fails is replaced, and its file tried again, since the system may
    have ended it for lack of memory. Errors have the reasons `timeout` or `crashed` in addition to those of
    `decode_descriptor`. Samples are copied to `memory`, which may be the same for each file.
    """
    done, attempts, at_once = 0, 0, MOST_FILES
    while done < len(files):
        asked = _of_one_decoder(files[done : done + at_once])
        answered = 0
        with closing(_answers(asked, limits, memory)) as answers:
            for answer in answers:
                attempts += 1
                crashed = isinstance(answer, AudioError) and answer.reason is BadAudioReason.CRASHED
                if answer is None or (crashed and attempts < _ATTEMPTS):
                    break
                attempts = 0
                answered += 1
                yield answer
        done += answered
        at_once = min(2 * answered if answered == len(asked) else answered + 1, MOST_FILES)


def header_untrusted(descriptor: int, limits: Limits) -> tuple[int, int, int]:
    """Return the result of `header_of` for an open file, from a separate process; zeros if it fails there."""
    try:
        decoder = _take_decoder(descriptor, limits)
    except Gone:
        return 0, 0, 0
    done = False
    try:
        header = decoder.header(descriptor)
        done = True
    except Gone:
        return 0, 0, 0
    else:
        return header
    finally:
        give_back(decoder, usable=done)


def _answers(files: Sequence[Asked], limits: Limits, memory: _Memory) -> Generator[_FileOrError | None]:
    """Yield one answer for each file, until one is None (ask again) or reports the end of the process."""
    try:
        decoder = _take_decoder(files[0].descriptor, limits)
    except Gone as error:
        yield not_started(error)
        return
    left, started = len(files), time.monotonic()
    try:
        decoder.ask(files)
        while left:
            started = time.monotonic()
            answer = decoder.answer(memory, first=left == len(files))
            left = 0 if answer is None else left - 1
            yield answer
    except Gone as error:
        yield ending(decoder.kill(), time.monotonic() - started, limits, str(error))
    finally:
        # An unclaimed answer would be taken for an answer to the next request.
        give_back(decoder, usable=not left)


def _of_one_decoder(files: Sequence[Asked]) -> Sequence[Asked]:
    """The first files that one kind of process decodes: FFmpeg's libraries are only loaded where they are needed."""
    first = needs_ffmpeg(FileBytes(files[0].descriptor))
    others = (number for number, one in enumerate(files) if needs_ffmpeg(FileBytes(one.descriptor)) != first)
    return files[: next(others, len(files))]


def _take_decoder(descriptor: int, limits: Limits) -> _Decoder:
    """Return a decoder for a file; raises `Gone` if none can be started."""
    ffmpeg = needs_ffmpeg(FileBytes(descriptor))

    def usable(process: Confined) -> bool:
        return isinstance(process, _Decoder) and process.ffmpeg == ffmpeg and process.limits == limits

    found = take(usable, lambda: _Decoder(limits, ffmpeg=ffmpeg))
    return cast("_Decoder", found)
