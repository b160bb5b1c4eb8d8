"""Reusable buffers, because new ones cost page faults."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LINE = 64
MEMORY_BYTES = 1 << 24
"""Longer files get memory of their own, which grows with the content and is returned to the system."""
_LEAST_BYTES = 1 << 20
_MOST_OWNERS = 8


class Workspace:
    """Buffers that a thread reuses for each clip: new ones would cost up to 0.4 ms for each clip in page faults."""

    def __init__(self) -> None:
        self._buffers: dict[tuple[str, Any], NDArray[Any]] = {}
        self._kept: dict[Any, dict[Any, Any]] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: Any = np.float64) -> NDArray[Any]:
        """Return an array of this shape, not cleared; it is valid until the next call with this name."""
        size = math.prod(shape)
        buffer = self._buffers.get((name, dtype))
        if buffer is None or buffer.size < size:
            buffer = self._buffers[name, dtype] = _aligned(size, np.dtype(dtype))
        return buffer[:size].reshape(shape)

    def kept(self, owner: object) -> dict[Any, Any]:
        """Return the dictionary in which an owner keeps views of these buffers, and what it has prepared with them.

        After a few owners, all are forgotten.
        """
        found = self._kept.get(owner)
        if found is None:
            if len(self._kept) >= _MOST_OWNERS:
                self._kept.clear()
            found = self._kept[owner] = {}
        return found


class _OfThread(threading.local):
    def __init__(self) -> None:
        self.workspace = Workspace()


_OF_THREAD = _OfThread()


def workspace_of_thread() -> Workspace:
    """Return this thread's workspace, for a caller that has none and keeps nothing of it after it returns."""
    return _OF_THREAD.workspace


def _aligned(size: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return an array that begins at a cache line: vectors that straddle two lines take twice the time."""
    raw = np.empty(size * dtype.itemsize + _LINE, np.uint8)
    start = -raw.ctypes.data % _LINE
    return raw[start : start + size * dtype.itemsize].view(dtype)


class Scratch(threading.local):
    """One buffer for each thread, of the longest size requested."""

    def __init__(self) -> None:
        self._buffer = np.empty(0, np.uint8)

    def floats(self, count: int) -> NDArray[np.float32]:
        """Return room for `count` float32 numbers, not cleared, valid until this thread's next request."""
        return self.bytes(4 * count).view(np.float32)

    def bytes(self, count: int) -> NDArray[np.uint8]:
        """Return room for `count` bytes, not cleared, valid until this thread's next request.

        Beyond `MEMORY_BYTES`, the memory is new.
        """
        if count > MEMORY_BYTES:
            return np.empty(count, np.uint8)
        if count > self._buffer.size:
            self._buffer = np.empty(max(count, _LEAST_BYTES), np.uint8)
        return self._buffer[:count]


SAMPLES = Scratch()
"""Buffer that files are decoded to."""
