"""Confined processes that wait for more files or members of archives, and what their ends mean."""

from __future__ import annotations

import atexit
import functools
import json
import os
import signal
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

from spectronorm.audio.decoding.confinement import Undumpable, available
from spectronorm.audio.decoding.fork_server import SERVERS, Confined, Gone, Limits
from spectronorm.audio.kept_open import keep_open
from spectronorm.errors import AudioError, BadAudioReason


@dataclass
class _Pool:
    """The processes that wait for more files, and the number of those at work."""

    idle: list[Confined] = field(default_factory=list)
    working: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


_pool = _Pool()
_undumpable = Undumpable()


def take(
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
                say_what_is_missing()
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


def give_back(process: Confined, *, usable: bool) -> None:
    """Let a process wait for more files, or end one that cannot be used again."""
    with _pool.lock:
        _pool.working -= 1
        if usable:
            _pool.idle.append(process)
    if not usable:
        process.kill()


@functools.cache
def say_what_is_missing() -> None:
    """Warn once in a process if this system cannot confine its decoders."""
    if not available().complete:
        warnings.warn(f"untrusted audio: {available()}", RuntimeWarning, stacklevel=2)


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


def not_started(error: Gone) -> AudioError:
    """The error for a file that no process could be started for."""
    return AudioError(BadAudioReason.CRASHED, f"no process to decode it could be started ({error})")


def ending(status: int, seconds: float, limits: Limits, how: str, work: str = "decod") -> AudioError:
    """Return the error for a process that ended while decoding a file, or unpacking it."""
    if seconds >= limits.seconds or status == -signal.SIGXCPU:
        return AudioError(BadAudioReason.TIMEOUT, f"{work}ing it took more than {limits.seconds:g} s")
    return AudioError(BadAudioReason.CRASHED, f"it ended the process that {work}ed it (exit status {status}; {how})")


def reported_error(text: bytes) -> AudioError:
    """The error that a process reports; raises `Gone` if its words are none."""
    try:
        reason, detail = json.loads(text)
        return AudioError(BadAudioReason(reason), str(detail))
    except (ValueError, TypeError):
        raise Gone("its answer is invalid") from None
