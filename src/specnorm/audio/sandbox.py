"""Decoding in separate processes that may be slow, greedy or killed without harm to the pass.

Decoders of audio formats have had memory errors; a file made to exploit one meets a process that has no open files,
cannot write any, and is killed when it takes too long. Its answer is numbers, checked like any other input.
"""

from __future__ import annotations

import atexit
import json
import mmap
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from specnorm.audio.decoder_process import ANSWER, REQUEST
from specnorm.audio.unnamed import unnamed_file
from specnorm.errors import ArgumentError, AudioError, BadAudioReason

_SCRIPT = Path(__file__).with_name("decoder_process.py")
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
        if not 0 < self.seconds < 1e6 or not 1 <= self.megabytes < 1 << 24:
            raise ArgumentError(f"seconds={self.seconds}, megabytes={self.megabytes} must both be positive")
        if os.name != "posix":
            raise ArgumentError("decoding in a limited process needs a POSIX system; leave untrusted out here")


class _Gone(Exception):
    """The process died or did not answer in time."""


class _Decoder:
    """One child process and the socket to it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._socket, theirs = socket.socketpair()
        memory = unnamed_file()
        os.ftruncate(memory, limits.megabytes << 20)  # costs no memory until it is written to
        self._shared = mmap.mmap(memory, 0)
        with theirs:
            settings = {
                "path": [entry for entry in sys.path if entry],
                "folder": str(_SCRIPT.parent.parent),
                "socket": theirs.fileno(),
                "shared": memory,
                "seconds": limits.seconds,
                "megabytes": limits.megabytes,
            }
            environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
            self._process = subprocess.Popen(  # noqa: S603  (our own script, by our own interpreter)
                [sys.executable, "-I", "-S", str(_SCRIPT), json.dumps(settings)],
                pass_fds=[theirs.fileno(), memory],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
        os.close(memory)
        self._fresh = True

    def decode(self, descriptor: int) -> tuple[NDArray[np.float32], int]:
        """The samples; raises `_Gone` when there is no answer, and `AudioError` when that is the answer."""
        deadline = time.monotonic() + self.limits.seconds + (_START_SECONDS if self._fresh else 0)
        try:
            self._socket.settimeout(self.limits.seconds)
            socket.send_fds(self._socket, [REQUEST], [descriptor])
            failed, sample_rate, rows, columns = ANSWER.unpack(self._receive(ANSWER.size, deadline))
            self._fresh = False
            if failed:
                raise _reported(self._receive(rows, deadline) if rows <= _MAX_TEXT else b"")
            if rows * columns * 4 > len(self._shared):
                raise _Gone("it answered with more samples than it can have")
            # A copy: what is checked from here on, nobody else can write to.
            shared = np.frombuffer(self._shared, np.float32, rows * columns)
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


_idle: list[_Decoder] = []
_lock = threading.Lock()


def decode_untrusted(descriptor: int, limits: Limits) -> tuple[NDArray[np.float32], int]:
    """Samples `(sample, channel)` and sample rate of an open file, decoded in a process of its own.

    Processes serve many files one after the other; one that fails is replaced, and its file tried again, since
    somebody else (the system, short of memory) may have ended it.

    Raises:
        AudioError: as `decode_descriptor` does, and with the reason `timeout` or `crashed`.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _decode_once(descriptor, limits)
        except AudioError as error:
            if error.reason is not BadAudioReason.CRASHED or attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def _decode_once(descriptor: int, limits: Limits) -> tuple[NDArray[np.float32], int]:
    decoder = _take(limits)
    started = time.monotonic()
    try:
        answer = decoder.decode(descriptor)
    except AudioError:
        _give_back(decoder)
        raise
    except _Gone as error:
        status = decoder.kill()
        if time.monotonic() - started >= limits.seconds or status == -signal.SIGXCPU:
            raise AudioError(BadAudioReason.TIMEOUT, f"decoding it took more than {limits.seconds:g} s") from None
        raise AudioError(
            BadAudioReason.CRASHED, f"it ended the process that decoded it (exit status {status}; {error})"
        ) from None
    except BaseException:
        decoder.kill()
        raise
    _give_back(decoder)
    return answer


def close_decoders() -> None:
    """End the processes that wait for more."""
    with _lock:
        decoders, _idle[:] = list(_idle), []
    for decoder in decoders:
        decoder.close()


atexit.register(close_decoders)


def _take(limits: Limits) -> _Decoder:
    while True:
        with _lock:
            found = next((decoder for decoder in _idle if decoder.limits == limits), None)
            if found is not None:
                _idle.remove(found)
        if found is None:
            return _Decoder(limits)
        if found.alive():
            return found
        found.kill()


def _give_back(decoder: _Decoder) -> None:
    with _lock:
        _idle.append(decoder)


def _reported(text: bytes) -> AudioError:
    try:
        reason, detail = json.loads(text)
        return AudioError(BadAudioReason(reason), str(detail))
    except (ValueError, TypeError):
        raise _Gone("it gave an answer that is none") from None
