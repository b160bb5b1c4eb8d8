"""Pace of a run: batch sizes large enough to make sending cheap, and small enough to make a loss cheap."""

from __future__ import annotations

BATCH_SECONDS = 0.25
MOST = 256
_GROWTH = 4
_MEMORY = 0.5


class Pace:
    """Finds the number of items that take about `BATCH_SECONDS`, from the time that earlier items took."""

    def __init__(self) -> None:
        self._seconds: float | None = None  # for one item
        self._size = 1

    def saw(self, seconds: float, items: int) -> None:
        """Record that `items` items took `seconds` on one worker."""
        each = max(1e-6, seconds / items)
        self._seconds = each if self._seconds is None else _MEMORY * self._seconds + (1 - _MEMORY) * each
        self._size = int(min(MOST, _GROWTH * self._size, max(1.0, BATCH_SECONDS / self._seconds)))

    def size(self, rest: int, workers: int) -> int:
        """Number of the remaining items to send next: fewer at the end, so that all workers finish together."""
        return max(1, min(self._size, rest, -(-rest // (2 * workers))))
