"""Memory that a thread decodes every file into: fresh memory for each would cost more than reading a WAV file."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio.decode import MEMORY_BYTES

_LEAST_BYTES = 1 << 20


class Scratch(threading.local):
    """One buffer a thread, as long as the longest that was asked for."""

    def __init__(self) -> None:
        self._buffer = np.empty(0, np.uint8)

    def floats(self, count: int) -> NDArray[np.float32]:
        """Room for so many float32 numbers, not cleared; this thread's until it asks again."""
        return self.bytes(4 * count).view(np.float32)

    def bytes(self, count: int) -> NDArray[np.uint8]:
        """Room for so many bytes, not cleared; this thread's until it asks again. Beyond `MEMORY_BYTES` it is fresh."""
        if count > MEMORY_BYTES:
            return np.empty(count, np.uint8)
        if count > self._buffer.size:
            self._buffer = np.empty(max(count, _LEAST_BYTES), np.uint8)
        return self._buffer[:count]


SAMPLES = Scratch()
"""Where files are decoded to."""
