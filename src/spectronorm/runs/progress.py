"""Progress of long work: a callback for each finished item, and a callback that does nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Progress = Callable[[int, int], None]
"""Called with the number of items done and the total number of items."""
_Item = TypeVar("_Item")


def silent(done: int, total: int) -> None:
    """Do nothing: the default progress."""


def reported(items: Iterable[_Item], total: int, progress: Progress) -> Iterator[_Item]:
    """Yield the items and call `progress` with the number of items so far.

    >>> list(reported("ab", 2, lambda done, total: print(f"{done}/{total}")))
    1/2
    2/2
    ['a', 'b']
    """
    for done, item in enumerate(items, start=1):
        progress(done, total)
        yield item
