"""Rate of one way to work, measured on the items that it does."""

from __future__ import annotations

_ROUNDS = 2
"""Number of results of each worker that a rate is measured on."""


class WorkRate:
    """Counts results over a span of time that begins after a first round, which pays for imports and compilation.

    Args:
        workers: Number of items that are worked on at once.
    """

    def __init__(self, workers: int) -> None:
        self._skipped = workers
        self._needed = (1 + _ROUNDS) * workers
        self._done = self._counted = 0
        self._begin = self._seconds = self._busy = self._waited = 0.0

    def saw(self, items: int, now: float, busy: float = 0.0, waited: float = 0.0) -> None:
        """Record that items were done at this time, their processor time, and the time that they waited for a core."""
        if self._done >= self._skipped:
            self._counted += items
            self._busy += busy
            self._waited += waited
            self._seconds = now - self._begin
        else:
            self._begin = now
        self._done += items

    @property
    def measured(self) -> bool:
        """True if there are enough results to judge by."""
        return self._done >= self._needed and self._counted > 0 and self._seconds > 0.0

    @property
    def rate(self) -> float:
        """Items a second."""
        return self._counted / self._seconds

    @property
    def cores(self) -> float:
        """Number of cores that the work kept busy on average."""
        return self._busy / self._seconds

    @property
    def share(self) -> float:
        """Part of the time in which a worker that could work had a core."""
        return self._busy / (self._busy + self._waited) if self._busy > 0.0 else 1.0
