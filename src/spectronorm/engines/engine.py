"""The whole contract between a pass and whatever runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Engine(Protocol):
    """Runs a task on every item, anywhere, in any order."""

    @property
    def workers(self) -> int:
        """How many items it can work on at once."""
        ...

    def map(self, task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """Yield `task(item)` for each item, in the order in which they get done."""
        ...


def merged(task: object, results: list[Result]) -> list[Result]:
    """The results as a task that can add them up gives them (`task.merge(results)`): fewer, to the same end.

    Only an engine whose results travel does this, and only with results of one batch.
    """
    merge: Callable[[list[Result]], list[Result]] | None = getattr(task, "merge", None)
    return results if merge is None or len(results) < 2 else merge(results)
