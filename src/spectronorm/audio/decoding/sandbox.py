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
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spectronorm.arrays import set_whole_numbers
from spectronorm.audio.decoding.confinement import Undumpable, available
from spectronorm.audio.decoding.containers.foreign import needs_ffmpeg
from spectronorm.audio.decoding.containers.view import FileBytes
from spectronorm.audio.decoding.decode import DecodedFile
from spectronorm.audio.decoding.memory_file import seal_size, unnamed_file
from spectronorm.audio.decoding.worker import ANSWER, ASK_AGAIN, ASKED, ERROR, MOST_FILES, SAMPLES
from spectronorm.audio.kept_open import keep_open
from spectronorm.audio.places.reference import Span
from spectronorm.errors import ArgumentError, AudioError, BadAudioReason
from spectronorm.standard_streams import open_standard_streams

_SCRIPT = Path(__file__).with_name("worker.py")
_MAX_TEXT = 1 << 16
_START_SECONDS = 60.0
_ATTEMPTS = 3


@dataclass(frozen=True)
class Limits:
    """Limits for decoding one file in a separate process.

    `seconds` is the time for one file, `megabytes` the memory that the process may use beyond its start.

    Raises:
        ArgumentError: if a limit is not positive, or if the system has no such limits (Windows).
    """

    seconds: float = 30.0
    megabytes: int = 1024

    def __post_init__(self) -> None:
        if not 0 < self.seconds < 1e6:
            raise ArgumentError(f"seconds={self.seconds} must be positive and below a million")
        set_whole_numbers(self, ("megabytes",), 1, (1 << 24) - 1)
        if os.name != "posix":
            raise ArgumentError("decoding in a limited process needs a POSIX system; leave untrusted out here")


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


class _Gone(Exception):
    """The process died or did not answer in time."""


class _Decoder:
    """A child process and the socket to it."""

    def __init__(self, limits: Limits, *, ffmpeg: bool = False) -> None:
        self.limits, self.ffmpeg = limits, ffmpeg
        open_standard_streams()  # else the child's end of the socket may stand where its stdin is to be
        self._socket, theirs = socket.socketpair()
        memory = unnamed_file()
        os.ftruncate(memory, limits.megabytes << 20)  # costs no memory until it is written to
        seal_size(memory)
        self._shared = mmap.mmap(memory, 0)
        with theirs:
            settings = {
                "path": [entry for entry in sys.path if entry],
                "folder": str(Path(__file__).parents[2]),
                "socket": theirs.fileno(),
                "shared": memory,
                "seconds": limits.seconds,
                "megabytes": limits.megabytes,
                "ffmpeg": ffmpeg,
            }
            self._process = subprocess.Popen(  # noqa: S603  (our own script, by our own interpreter)
                [sys.executable, "-I", "-S", str(_SCRIPT), json.dumps(settings)],
                pass_fds=[theirs.fileno(), memory],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_environment(),
            )
        os.close(memory)
        self._fresh = True

    def ask(self, files: Sequence[Asked]) -> None:
        """Send files.

        Raises:
            _Gone: if the process has ended.
        """
        try:
            self._socket.settimeout(self.limits.seconds)
            message = bytes([len(files)]) + b"".join(file.packed for file in files)
            socket.send_fds(self._socket, [message], [file.descriptor for file in files])
        except OSError as error:
            raise _Gone(str(error)) from None

    def answer(self, *, first: bool) -> Decoded | None:
        """Return the result of the next file; None if this file and all later ones must be sent again.

        The first file is never sent again, since nothing waits yet.

        Raises:
            _Gone: if there is no answer in time, or an impossible one.
        """
        deadline = time.monotonic() + self.limits.seconds + (_START_SECONDS if self._fresh else 0)
        try:
            kind, place, sample_rate, rows, columns, text, missing = ANSWER.unpack(self._receive(ANSWER.size, deadline))
            self._fresh = False
            if kind == ASK_AGAIN and not first:
                return None
            if kind == ERROR:
                return _reported(self._receive(text, deadline) if text <= _MAX_TEXT else b"")
            possible = kind == SAMPLES and 4 * (place + rows * columns) <= len(self._shared) and text <= _MAX_TEXT
            if not possible or not 0 <= missing < math.inf:
                raise _Gone("it gave an answer that cannot be")
            # A copy: no other process can write to the values checked from here on.
            shared = np.frombuffer(self._shared, np.float32, rows * columns, 4 * place)
            note = self._receive(text, deadline).decode(errors="replace")
            return DecodedFile(shared.copy().reshape(rows, columns), sample_rate, missing, note)
        except OSError as error:
            raise _Gone(str(error)) from None

    def _receive(self, size: int, deadline: float) -> bytes:
        data = b""
        while len(data) < size:
            self._socket.settimeout(max(1e-3, deadline - time.monotonic()))
            block = self._socket.recv(size - len(data))
            if not block:
                raise ConnectionResetError("the decoding process ended")
            data += block
        return data

    def alive(self) -> bool:
        """True if the process is running."""
        return self._process.poll() is None

    def kill(self) -> int:
        """End the process at once, and return its exit status."""
        self._socket.close()
        self._process.kill()
        return self._process.wait()

    def close(self) -> None:
        """Let the process end by itself."""
        self._socket.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.kill()


def _environment() -> dict[str, str]:
    """Nothing of this process's environment, which may hold secrets, but where libraries lie."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


_idle: list[_Decoder] = []
_lock = threading.Lock()
_undumpable = Undumpable()


def decode_untrusted(files: Sequence[Asked], limits: Limits) -> Generator[Decoded]:
    """Yield the result of `decode_descriptor` for each of these open files, in order, from a separate process.

    Several files are sent at a time, and the process continues with the next while its last answer is used. Processes
    serve one batch after the other; a process that fails is replaced, and its file tried again, since the system may
    have ended it for lack of memory. Errors have the reasons `timeout` or `crashed` in addition to those of
    `decode_descriptor`.
    """
    done, attempts, at_once = 0, 0, MOST_FILES
    while done < len(files):
        asked = _of_one_decoder(files[done : done + at_once])
        answered = 0
        with closing(_answers(asked, limits)) as answers:
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


def _answers(files: Sequence[Asked], limits: Limits) -> Generator[Decoded | None]:
    """Yield one answer for each file, until one is None (ask again) or reports the end of the process."""
    decoder = _take(limits, ffmpeg=needs_ffmpeg(FileBytes(files[0].descriptor)))
    left, started = len(files), time.monotonic()
    try:
        decoder.ask(files)
        while left:
            started = time.monotonic()
            answer = decoder.answer(first=left == len(files))
            left = 0 if answer is None else left - 1
            yield answer
    except _Gone as error:
        yield _ending(decoder.kill(), time.monotonic() - started, limits, str(error))
    finally:
        # An unclaimed answer would be taken for an answer to the next request.
        if left:
            decoder.kill()
        else:
            _give_back(decoder)


def _ending(status: int, seconds: float, limits: Limits, how: str) -> AudioError:
    """Return the error for a process that ended while decoding a file."""
    if seconds >= limits.seconds or status == -signal.SIGXCPU:
        return AudioError(BadAudioReason.TIMEOUT, f"decoding it took more than {limits.seconds:g} s")
    return AudioError(BadAudioReason.CRASHED, f"it ended the process that decoded it (exit status {status}; {how})")


def close_decoders() -> None:
    """End the processes that wait for more files."""
    with _lock:
        decoders, _idle[:] = list(_idle), []
    for decoder in decoders:
        decoder.close()
    _undumpable.release()


atexit.register(close_decoders)


def _of_one_decoder(files: Sequence[Asked]) -> Sequence[Asked]:
    """The first files that one kind of process decodes: FFmpeg's libraries are only loaded where they are needed."""
    first = needs_ffmpeg(FileBytes(files[0].descriptor))
    others = (number for number, one in enumerate(files) if needs_ffmpeg(FileBytes(one.descriptor)) != first)
    return files[: next(others, len(files))]


def _take(limits: Limits, *, ffmpeg: bool) -> _Decoder:
    while True:
        with _lock:
            kind = limits, ffmpeg
            found = next((decoder for decoder in _idle if (decoder.limits, decoder.ffmpeg) == kind), None)
            if found is not None:
                _idle.remove(found)
        if found is None:
            _say_what_is_missing()
            keep_open(close_decoders)
            _undumpable.hold()
            return _Decoder(limits, ffmpeg=ffmpeg)
        if found.alive():
            return found
        found.kill()


@functools.cache
def _say_what_is_missing() -> None:
    """Warn once in a process if this system cannot confine its decoders."""
    if not available().complete:
        warnings.warn(f"untrusted audio: {available()}", RuntimeWarning, stacklevel=2)


def _give_back(decoder: _Decoder) -> None:
    with _lock:
        _idle.append(decoder)


def _reported(text: bytes) -> AudioError:
    try:
        reason, detail = json.loads(text)
        return AudioError(BadAudioReason(reason), str(detail))
    except (ValueError, TypeError):
        raise _Gone("its answer is invalid") from None
