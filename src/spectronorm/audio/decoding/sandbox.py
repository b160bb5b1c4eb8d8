"""Decoding in separate processes that may be slow, exhaust their memory or be killed without harm to the pass.

Decoders of audio formats have had memory errors; a file made to exploit one runs in a process that has no open files,
cannot write any, and is killed if it takes too long. Its answer consists of numbers, checked like any other input.
"""

from __future__ import annotations

import atexit
import functools
import json
import math
import mmap
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio.decoding.confinement import Undumpable, available
from spectronorm.audio.decoding.containers.foreign import needs_ffmpeg
from spectronorm.audio.decoding.containers.view import FileBytes
from spectronorm.audio.decoding.decode import DecodedFile, open_regular
from spectronorm.audio.decoding.fork_server import SERVERS, Confined, Gone, Limits
from spectronorm.audio.decoding.memory_file import seal_size, unnamed_file
from spectronorm.audio.decoding.worker import (
    ANSWER,
    ASK_AGAIN,
    ASKED,
    DATA,
    DECODER,
    DONE,
    ERROR,
    FAILED,
    FFMPEG_DECODER,
    HEADERS,
    MOST_FILES,
    PIECE,
    SAMPLES,
    UNPACKER,
)
from spectronorm.audio.kept_open import keep_open
from spectronorm.audio.places.bytes_of import pieces_of
from spectronorm.audio.places.member_limits import check_member, check_position
from spectronorm.audio.places.place import is_url, state
from spectronorm.audio.places.reference import Part, Span
from spectronorm.errors import AudioError, BadAudioReason

_MAX_TEXT = 1 << 16
_MAX_PIECE = 1 << 21
_PACKED = ("deflate", "gz", "bz2", "xz")
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


Decoded = DecodedFile | AudioError
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

    def answer(self, memory: _Memory, *, first: bool) -> Decoded | None:
        """Return the result of the next file; None if this file and all later ones must be sent again.

        The first file is never sent again, since nothing waits yet. Samples are copied to `memory`.

        Raises:
            Gone: if there is no answer in time, or an impossible one.
        """
        deadline = self.deadline()
        try:
            kind, place, sample_rate, rows, columns, text, missing = ANSWER.unpack(self.receive(ANSWER.size, deadline))
            if kind == ASK_AGAIN and not first:
                return None
            if kind == ERROR:
                return _reported(self.receive(text, deadline) if text <= _MAX_TEXT else b"")
            possible = kind == SAMPLES and 4 * (place + rows * columns) <= len(self._shared) and text <= _MAX_TEXT
            if not possible or not 0 <= missing < math.inf:
                raise Gone("it gave an answer that cannot be")
            # A copy: no other process can write to the values checked from here on.
            samples = memory(rows * columns)
            samples[:] = np.frombuffer(self._shared, np.float32, rows * columns, 4 * place)
            note = self.receive(text, deadline).decode(errors="replace")
            return DecodedFile(samples.reshape(rows, columns), sample_rate, missing, note)
        except OSError as error:
            raise Gone(str(error)) from None

    def header(self, descriptor: int) -> tuple[int, int, int]:
        """Return sample rate, channels and samples that a file's header claims, as `header_of` does.

        Raises:
            Gone: if there is no answer in time, or an impossible one.
        """
        self.send(bytes([1 | HEADERS]) + Asked(descriptor).packed, [descriptor])
        try:
            kind, _, rate, frames, channels, text, _ = ANSWER.unpack(self.receive(ANSWER.size, self.deadline()))
        except OSError as error:
            raise Gone(str(error)) from None
        if kind != SAMPLES or text or max(rate, frames, channels) >= 1 << 63:
            raise Gone("it gave an answer that cannot be")
        return rate, channels, frames


class _Unpacker(Confined):
    """A process that unpacks members of archives.

    Attributes:
        reached: Archive that was read last, and the position behind the last member: a compressed tar is read onwards.
    """

    def __init__(self, limits: Limits) -> None:
        super().__init__(UNPACKER, limits, [])
        self.reached = ("", 0)

    def pieces(self, archive: int, part: Part) -> Generator[bytes]:
        """Yield the bytes of a member of an open archive.

        Raises:
            AudioError: if it cannot be unpacked.
            Gone: if there is no answer in time, or an impossible one.
        """
        self.reached = (part.place, part.start + (part.stored or 0))
        self.send(_described(part), [archive])
        deadline = self.deadline()
        try:
            while True:
                kind, length = PIECE.unpack(self.receive(PIECE.size, deadline))
                if length > _MAX_PIECE or kind not in (DATA, DONE, FAILED):
                    raise Gone("it gave an answer that cannot be")
                data = self.receive(length, deadline)
                if kind == DONE:
                    return
                if kind == FAILED:
                    raise _reported(data)
                yield data
        except OSError as error:
            raise Gone(str(error)) from None


@dataclass
class _Pool:
    """The processes that wait for more files, and the number of those at work."""

    idle: list[Confined] = field(default_factory=list)
    working: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


_pool = _Pool()
_undumpable = Undumpable()
_Memory = Callable[[int], NDArray[np.float32]]
"""Function that returns room for a number of samples."""


def _new_memory(count: int) -> NDArray[np.float32]:
    return np.empty(count, np.float32)


def decode_untrusted(files: Sequence[Asked], limits: Limits, memory: _Memory = _new_memory) -> Generator[Decoded]:
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
        _give_back(decoder, usable=done)


def _answers(files: Sequence[Asked], limits: Limits, memory: _Memory) -> Generator[Decoded | None]:
    """Yield one answer for each file, until one is None (ask again) or reports the end of the process."""
    try:
        decoder = _take_decoder(files[0].descriptor, limits)
    except Gone as error:
        yield _not_started(error)
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
        yield _ending(decoder.kill(), time.monotonic() - started, limits, str(error))
    finally:
        # An unclaimed answer would be taken for an answer to the next request.
        _give_back(decoder, usable=not left)


def unpack_untrusted(part: Part, limits: Limits) -> Generator[bytes]:
    """Yield the pieces of `pieces_of`; a confined process unpacks a member of a local archive.

    A member larger than the limit of memory is an error. An object at a URL, and a member that is stored as it is, need
    no unpacking, and are read here; so is a member of a compressed tar at a URL.

    Raises:
        AudioError: as `pieces_of`, or with the reasons `timeout` or `crashed`.
    """
    most, read = limits.megabytes << 20, 0
    here = part.method not in _PACKED or is_url(part.place)
    if not here:
        check_member(part)
    if (part.size or part.stored or 0) > most:
        raise _too_large(most)
    for piece in pieces_of(part) if here else _unpacked(part, limits):
        read += len(piece)
        if read > most:
            raise _too_large(most)
        yield piece


def _too_large(most: int) -> AudioError:
    return AudioError(BadAudioReason.TOO_LARGE, f"it unpacks to more than {most} bytes, which is the limit")


def _unpacked(part: Part, limits: Limits) -> Generator[bytes]:
    archive = open_regular(part.place)
    try:
        before = state(os.fstat(archive))
        if part.crc is None:
            check_position(part.start + (part.stored or 0), os.fstat(archive).st_size)
        try:
            unpacker = _take_unpacker(part, limits)
        except Gone as error:
            raise _not_started(error) from None
        done, started = False, time.monotonic()
        try:
            yield from unpacker.pieces(archive, part)
            done = True
        except AudioError:
            done = True
            raise
        except Gone as error:
            raise _ending(unpacker.kill(), time.monotonic() - started, limits, str(error), "unpack") from None
        finally:
            _give_back(unpacker, usable=done)
        if state(os.fstat(archive)) != before:
            raise AudioError(BadAudioReason.CHANGING, f"{part.place} changed while it was read")
    finally:
        os.close(archive)


def _described(part: Part) -> bytes:
    plain = {"start": part.start, "stored": part.stored, "size": part.size, "method": part.method, "crc": part.crc}
    return json.dumps({"place": part.place, **plain}).encode()


def _not_started(error: Gone) -> AudioError:
    return AudioError(BadAudioReason.CRASHED, f"no process to decode it could be started ({error})")


def _ending(status: int, seconds: float, limits: Limits, how: str, work: str = "decod") -> AudioError:
    """Return the error for a process that ended while decoding a file, or unpacking it."""
    if seconds >= limits.seconds or status == -signal.SIGXCPU:
        return AudioError(BadAudioReason.TIMEOUT, f"{work}ing it took more than {limits.seconds:g} s")
    return AudioError(BadAudioReason.CRASHED, f"it ended the process that {work}ed it (exit status {status}; {how})")


def close_decoders() -> None:
    """End the processes that wait for more files, and the one that forked them unless others are at work."""
    with _pool.lock:
        processes, _pool.idle[:] = list(_pool.idle), []
        last = _pool.working == 0
    for process in processes:
        process.kill()
    if last:
        SERVERS.close()
        _undumpable.release()


atexit.register(close_decoders)


def _forget() -> None:
    """Leave all processes to the process that this one was forked from."""
    _pool.lock = threading.Lock()
    for process in _pool.idle:
        process.forget()
    _pool.idle.clear()
    _pool.working = 0
    SERVERS.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


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

    found = _take(usable, lambda: _Decoder(limits, ffmpeg=ffmpeg))
    return cast("_Decoder", found)


def _take_unpacker(part: Part, limits: Limits) -> _Unpacker:
    """Return an unpacker: the one that has least to read; raises `Gone` if none can be started.

    That is the one which is furthest in a compressed tar without being past the member.
    """

    def usable(process: Confined) -> bool:
        return isinstance(process, _Unpacker) and process.limits == limits

    def read_before(process: Confined) -> int:
        place, position = cast("_Unpacker", process).reached
        return position if place == part.place and position <= part.start else -1

    return cast("_Unpacker", _take(usable, lambda: _Unpacker(limits), read_before))


def _take(
    usable: Callable[[Confined], bool], new: Callable[[], Confined], rank: Callable[[Confined], int] = lambda _: 0
) -> Confined:
    """Return the usable process that waits and has the highest rank, or a new one."""
    with _pool.lock:
        _pool.working += 1
    try:
        while True:
            with _pool.lock:
                found = max(filter(usable, _pool.idle), key=rank, default=None)
                if found is not None:
                    _pool.idle.remove(found)
            if found is None:
                _say_what_is_missing()
                keep_open(close_decoders)
                _undumpable.hold()
                return new()
            if found.alive():
                return found
            found.kill()
    except BaseException:
        with _pool.lock:
            _pool.working -= 1
        raise


def _give_back(process: Confined, *, usable: bool) -> None:
    """Let a process wait for more files, or end one that cannot be used again."""
    with _pool.lock:
        _pool.working -= 1
        if usable:
            _pool.idle.append(process)
    if not usable:
        process.kill()


@functools.cache
def _say_what_is_missing() -> None:
    """Warn once in a process if this system cannot confine its decoders."""
    if not available().complete:
        warnings.warn(f"untrusted audio: {available()}", RuntimeWarning, stacklevel=2)


def _reported(text: bytes) -> AudioError:
    try:
        reason, detail = json.loads(text)
        return AudioError(BadAudioReason(reason), str(detail))
    except (ValueError, TypeError):
        raise Gone("its answer is invalid") from None
