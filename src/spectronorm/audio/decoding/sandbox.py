"""Decoding in separate processes that may be slow, greedy or killed without harm to the pass.

Decoders of audio formats have had memory errors; a file made to exploit one meets a process that is killed when it
takes too long or too much memory, and that on Linux can reach nothing but the files it was sent (see
`confinement.py`). Its answer is numbers, checked like any other input.
"""

from __future__ import annotations

import atexit
import functools
import json
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
from numpy.typing import NDArray

from spectronorm.arrays import set_whole_numbers
from spectronorm.audio.decoding.confinement import Undumpable, available
from spectronorm.audio.decoding.memory_file import seal_size, unnamed_file
from spectronorm.audio.decoding.worker import ANSWER, ASK_AGAIN, ERROR, MOST_FILES, SAMPLES
from spectronorm.errors import ArgumentError, AudioError, BadAudioReason
from spectronorm.standard_streams import open_standard_streams

_SCRIPT = Path(__file__).with_name("worker.py")
_MAX_TEXT = 1 << 16
_START_SECONDS = 60.0
_ATTEMPTS = 3


@dataclass(frozen=True)
class Limits:
    """What decoding one file may cost in a process of its own.

    `seconds` is the time a file may take, `megabytes` the memory that the process may use beyond its start.

    Raises:
        ArgumentError: when a limit is not positive, or the system has no such limits (Windows).
    """

    seconds: float = 30.0
    megabytes: int = 1024

    def __post_init__(self) -> None:
        if not 0 < self.seconds < 1e6:
            raise ArgumentError(f"seconds={self.seconds} must be positive and below a million")
        set_whole_numbers(self, ("megabytes",), 1, (1 << 24) - 1)
        if os.name != "posix":
            raise ArgumentError("decoding in a limited process needs a POSIX system; leave untrusted out here")


Decoded = tuple[NDArray[np.float32], int] | AudioError
"""Samples `(sample, channel)` and sample rate in Hz, or why there are none."""


class _Gone(Exception):
    """The process died or did not answer in time."""


class _Decoder:
    """One child process and the socket to it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
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

    def ask(self, descriptors: Sequence[int]) -> None:
        """Send files; raises `_Gone` when the process has ended."""
        try:
            self._socket.settimeout(self.limits.seconds)
            socket.send_fds(self._socket, [bytes([len(descriptors)])], list(descriptors))
        except OSError as error:
            raise _Gone(str(error)) from None

    def answer(self, *, first: bool) -> Decoded | None:
        """What became of the next file that was sent; None when it and all after it must be sent again.

        That cannot be for the first: nothing waits yet.

        Raises:
            _Gone: when there is no answer in time, or one that cannot be.
        """
        deadline = time.monotonic() + self.limits.seconds + (_START_SECONDS if self._fresh else 0)
        try:
            kind, place, sample_rate, rows, columns = ANSWER.unpack(self._receive(ANSWER.size, deadline))
            self._fresh = False
            if kind == ASK_AGAIN and not first:
                return None
            if kind == ERROR:
                return _reported(self._receive(rows, deadline) if rows <= _MAX_TEXT else b"")
            if kind != SAMPLES or 4 * (place + rows * columns) > len(self._shared):
                raise _Gone("it gave an answer that cannot be")
            # A copy: what is checked from here on, nobody else can write to.
            shared = np.frombuffer(self._shared, np.float32, rows * columns, 4 * place)
            return shared.copy().reshape(rows, columns), sample_rate
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
        """Whether the process runs."""
        return self._process.poll() is None

    def kill(self) -> int:
        """End the process at once; gives its exit status."""
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


def decode_untrusted(descriptors: Sequence[int], limits: Limits) -> Generator[Decoded]:
    """What `decode_descriptor` gives for each of these open files, in order, decoded in a process of its own.

    Several files are sent at a time, and the process goes on with the next while its last answer is used. Processes
    serve one batch after the other; one that fails is replaced, and its file tried again, since somebody else (the
    system, short of memory) may have ended it. Errors have the reason `timeout` or `crashed` beside those of
    `decode_descriptor`.
    """
    done, attempts, at_once = 0, 0, MOST_FILES
    while done < len(descriptors):
        asked = descriptors[done : done + at_once]
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


def _answers(descriptors: Sequence[int], limits: Limits) -> Generator[Decoded | None]:
    """One answer a file, until one is None (ask again) or tells of the end of the process."""
    decoder = _take(limits)
    left, started = len(descriptors), time.monotonic()
    try:
        decoder.ask(descriptors)
        while left:
            started = time.monotonic()
            answer = decoder.answer(first=left == len(descriptors))
            left = 0 if answer is None else left - 1
            yield answer
    except _Gone as error:
        yield _ending(decoder.kill(), time.monotonic() - started, limits, str(error))
    finally:
        # An answer that nobody waits for any more would be taken for one to the next request.
        if left:
            decoder.kill()
        else:
            _give_back(decoder)


def _ending(status: int, seconds: float, limits: Limits, how: str) -> AudioError:
    """Why a process ended that was to decode a file."""
    if seconds >= limits.seconds or status == -signal.SIGXCPU:
        return AudioError(BadAudioReason.TIMEOUT, f"decoding it took more than {limits.seconds:g} s")
    return AudioError(BadAudioReason.CRASHED, f"it ended the process that decoded it (exit status {status}; {how})")


def close_decoders() -> None:
    """End the processes that wait for more."""
    with _lock:
        decoders, _idle[:] = list(_idle), []
    for decoder in decoders:
        decoder.close()
    _undumpable.release()


atexit.register(close_decoders)


def _take(limits: Limits) -> _Decoder:
    while True:
        with _lock:
            found = next((decoder for decoder in _idle if decoder.limits == limits), None)
            if found is not None:
                _idle.remove(found)
        if found is None:
            _say_what_is_missing()
            _undumpable.hold()
            return _Decoder(limits)
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
        raise _Gone("it gave an answer that is none") from None
