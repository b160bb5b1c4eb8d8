"""Bounds on the memory and processor time of one piece of work, where the system has them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

MEGABYTES, SECONDS = 256, 10.0


class TookTooLong(BaseException):
    """More processor time than the bound; no `except Exception` hides it."""


@contextmanager
def bounded(megabytes: int = MEGABYTES) -> Iterator[None]:
    """Let this process have no more memory than it has and so many megabytes: what asks for more gets `MemoryError`."""
    status = Path("/proc/self/statm")
    if resource is None or not status.exists():
        yield
        return
    held = int(status.read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (held + (megabytes << 20), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@contextmanager
def timed(seconds: float = SECONDS) -> Iterator[None]:
    """Raise `TookTooLong` after so many seconds of processor time, however loaded the machine is."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: object) -> None:
        raise TookTooLong(f"more than {seconds:g} s of processor time")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
