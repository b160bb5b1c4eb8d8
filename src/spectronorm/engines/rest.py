"""Items of a run that have not been handed out yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Generic

from spectronorm.engines.engine import Item


class Rest(Generic[Item]):
    """Items that are handed out until they are stopped, and on from there when they are resumed.

    Args:
        items: All items, in the order in which they are handed out.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items
        self._stopped = False
        self.taken = 0
        """Number of items that were handed out."""

    @property
    def left(self) -> int:
        """Number of items that can be taken now: none after a stop."""
        return 0 if self._stopped else len(self._items) - self.taken

    @property
    def ended(self) -> bool:
        """True if every item was handed out."""
        return self.taken == len(self._items)

    def take(self, count: int) -> Sequence[Item]:
        """Hand out the next items, at most `count`."""
        found = self._items[self.taken : self.taken + min(count, self.left)]
        self.taken += len(found)
        return found

    def stop(self) -> None:
        """Hand out nothing more."""
        self._stopped = True

    def resume(self) -> None:
        """Hand out items again."""
        self._stopped = False

    def __iter__(self) -> Iterator[Item]:
        while self.left:
            yield self.take(1)[0]
