"""Samples of one waveform in a buffer: new ones behind, and those that no frame needs any more in front."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_LEAST, _MOST = 1 << 14, 1 << 20
"""Least size of a buffer, so that its samples are rarely moved to its front, and largest one that has room to spare."""


class State(NamedTuple):
    """Places in a queue of the first sample that is needed and after the last one; samples and frames so far."""

    begin: int
    end: int
    total: int
    written: int


class SampleQueue:
    """A buffer of float64 samples, in constant memory.

    Attributes:
        samples: The buffer; samples from `end` on are meaningless.
        begin: Place of the first sample that is still needed; beyond `end` while samples to come are not needed.
        end: Place after the last sample.

    Args:
        left: Number of samples, not set yet, that stand before the first one.
        history: Number of samples before `end` that are kept even if they lie before `begin`.
    """

    def __init__(self, left: int, history: int) -> None:
        self.samples = np.empty(left)
        self.begin, self.end = 0, left
        self._history = history

    def offer(self, samples: NDArray[np.floating[Any]]) -> int:
        """Copy samples to `end` without moving it, and return their number; a later offer replaces them."""
        count = len(samples)
        if self.end + count > len(self.samples):
            self._make_room(count)
        self.samples[self.end : self.end + count] = samples
        return count

    def add(self, samples: NDArray[np.floating[Any]]) -> None:
        """Put samples behind the others."""
        count = self.offer(samples)  # This may move the end.
        self.end += count

    def _make_room(self, count: int) -> None:
        first = max(0, min(self.begin, self.end - self._history))
        kept = self.samples[first : self.end]
        needed = len(kept) + count
        moved = self.samples
        if len(moved) < needed:
            moved = np.empty(needed if needed > _MOST else max(2 * needed, _LEAST))
        moved[: len(kept)] = kept
        self.samples, self.begin, self.end = moved, self.begin - first, self.end - first
