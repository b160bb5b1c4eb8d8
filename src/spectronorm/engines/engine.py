"""Contract between a pass and the engine that runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Engine(Protocol):
    """Runs a task on every item, on any machine, in any order."""

    @property
    def workers(self) -> int:
        """Number of items that can be processed at once."""
        ...

    def map(self, task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """Yield `task(item)` for each item, in the order of completion."""
        ...


def merged(task: object, results: list[Result]) -> list[Result]:
    """Merge results with `task.merge(results)` if the task has it: fewer results, equal totals.

    Only engines that send results between processes merge them, and only results of one batch.
    """
    merge: Callable[[list[Result]], list[Result]] | None = getattr(task, "merge", None)
    return results if merge is None or len(results) < 2 else merge(results)
