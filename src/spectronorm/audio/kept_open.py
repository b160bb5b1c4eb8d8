"""Archives and processes that reading keeps open for the next clip, until the pass is over."""

from __future__ import annotations

from collections.abc import Callable

_CLOSERS: set[Callable[[], None]] = set()


def keep_open(close: Callable[[], None]) -> None:
    """Note that something is open that `close` closes."""
    _CLOSERS.add(close)


def release() -> None:
    """Close the archives and decoding processes that reading keeps open for the next clip."""
    while _CLOSERS:
        _CLOSERS.pop()()
