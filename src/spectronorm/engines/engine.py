"""Contract between a pass and the engine that runs it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Protocol, TypeVar

from spectronorm.errors import ArgumentError
from spectronorm.registry import Registry

Item = TypeVar("Item")
Result = TypeVar("Result")


class Engine(Protocol):
    """Runs a task on every item, on any machine, in any order.

    >>> from spectronorm.engines import ThreadEngine
    >>> sorted(ThreadEngine(2).map(abs, [-3, 1, -2]))
    [1, 2, 3]
    """

    @property
    def workers(self) -> int:
        """Number of items that can be processed at once."""
        ...

    def map(self, task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """Yield `task(item)` for each item, in the order of completion."""
        ...


ENGINES: Registry[Engine] = Registry("engines", "engine", object, settings=False)
"""Every engine by the name that `--engine` takes; see `open_named` for the arguments of its constructor."""


@contextmanager
def open_named(name: str, **options: object) -> Iterator[Engine]:
    """Build the engine of a name with the options that are not None, and close it at the end if it has `close`.

    Raises:
        ArgumentError: if there is no such engine, or if it lacks an option.
    """
    given = {option: value for option, value in options.items() if value is not None}
    for option, value in given.items():
        takers = [other for other, cls in ENGINES.classes().items() if option in inspect.signature(cls).parameters]
        if name in ENGINES and name not in takers:
            raise ArgumentError(f"{option}={value!r} needs --engine {' or '.join(takers)}")
    made: Any = ENGINES.find(name)(**given)
    with made if hasattr(made, "__exit__") else nullcontext(made) as opened:
        yield opened


def merged(task: object, results: list[Result]) -> list[Result]:
    """Merge results with `task.merge(results)` if the task has it: fewer results, equal totals.

    Only engines that send results between processes merge them, and only results of one batch.
    """
    merge: Callable[[list[Result]], list[Result]] | None = getattr(task, "merge", None)
    return results if merge is None or len(results) < 2 else merge(results)
