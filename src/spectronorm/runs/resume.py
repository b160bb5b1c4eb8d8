"""Mapping of a task over items on an engine, by workers that reproduce the run exactly, resumed from a journal."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, cast, overload

from spectronorm.engines.engine import Engine, Item, Result, merged
from spectronorm.errors import FileFormatError
from spectronorm.runs.batches import Batches, InBatches, batch_bounds
from spectronorm.runs.journal import Journal
from spectronorm.runs.worker_check import Origin
from spectronorm.storage import DAMAGE

Item_contra = TypeVar("Item_contra", contravariant=True)
Records = list[tuple[bytes, bytes]]
"""Keys and payloads of a journal."""


class ResumableTask(Protocol[Item_contra, Result]):
    """Task whose results can be serialized, restored, and checked against the contents that they were made from."""

    def __call__(self, item: Item_contra, /) -> Result:
        """Do the work."""
        ...

    def key(self, item: Item_contra, /) -> bytes:
        """Return the item's name in the journal."""
        ...

    def pack(self, result: Result, /) -> bytes:
        """Serialize the result, with stamps of the contents that it was made from."""
        ...

    def unpack(self, item: Item_contra, payload: bytes, /) -> Result | None:
        """Restore a result, or None if it is no longer valid because a file or an output has changed."""
        ...


_ODD: tuple[type[Exception], ...] = (FileFormatError, *DAMAGE)


@dataclass(frozen=True)
class Guarded(Generic[Item, Result]):
    """A task as a worker runs it; picklable, so that any engine can run it.

    The worker first checks that it reproduces the run. A payload from the journal is restored if it is still valid; any
    other item is done, and serialized by the worker if the task is `recorded`.
    """

    task: Callable[[Item], Result]
    origin: Origin
    recorded: bool

    def __call__(self, found: tuple[Item, bytes | None]) -> tuple[Records, Result]:
        """Return the item's result, and the records that the journal needs."""
        self.origin.require_same()
        item, payload = found
        if not self.recorded:
            return [], self.task(item)
        task = cast("ResumableTask[Item, Result]", self.task)
        result = None if payload is None else _restored(task, item, payload)
        return _worked(task, item) if result is None else ([], result)

    def merge(self, done: list[tuple[Records, Result]]) -> list[tuple[Records, Result]]:
        """Merge results, if the task can; all their records are placed before the first result."""
        results = merged(self.task, [result for _, result in done])
        if len(results) == len(done):
            return done
        records = [record for some, _ in done for record in some]
        return [(records if number == 0 else [], result) for number, result in enumerate(results)]


def _restored(task: ResumableTask[Item, Result], item: Item, payload: bytes) -> Result | None:
    """Return the results of an earlier run, or None if they no longer hold or the record has invalid content."""
    try:
        return task.unpack(item, payload)
    except _ODD:
        return None


def _worked(task: ResumableTask[Item, Result], item: Item) -> tuple[Records, Result]:
    """Do the item, and return its record and result."""
    result = task(item)
    return [(task.key(item), task.pack(result))], result


@dataclass(frozen=True)
class _WithPayloads(Sequence[tuple[Item, bytes | None]]):
    """Items with their payloads, read from the journal one by one as an engine asks for them."""

    items: Sequence[Item]
    payload: Callable[[Item], bytes | None]

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> tuple[Item, bytes | None]: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[tuple[Item, bytes | None]]: ...

    def __getitem__(self, index: int | slice) -> tuple[Item, bytes | None] | Sequence[tuple[Item, bytes | None]]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        item = self.items[index]
        return item, self.payload(item)


def guarded_map(
    engine: Engine, task: Callable[[Item], Result], items: Sequence[Item], origin: Origin
) -> Generator[Result]:
    """Yield `task(item)` for each item, in any order.

    Raises:
        EngineError: if a worker would not reproduce the run that `origin` identifies.
    """
    for _, result in _mapped(engine, Guarded(task, origin, recorded=False), _WithPayloads(items, lambda _: None)):
        yield result


def _mapped(
    engine: Engine, task: Guarded[Item, Result], items: _WithPayloads[Item]
) -> Iterator[tuple[Records, Result]]:
    bounds = batch_bounds(items.items)
    if bounds is None:
        yield from engine.map(task, items)
        return
    for results in engine.map(InBatches(task), Batches(items, bounds)):
        yield from results


def resumable_map(
    engine: Engine, task: ResumableTask[Item, Result], items: Sequence[Item], origin: Origin, journal: Journal
) -> Generator[Result]:
    """Yield `task(item)` for each item, in any order: from the journal if still valid; new results are added to it.

    Raises:
        EngineError: if a worker would not reproduce the run that `origin` identifies.
    """
    finished = [item for item in items if task.key(item) in journal]
    rest = [item for item in items if task.key(item) not in journal]
    guarded = Guarded(task, origin, recorded=True)
    # One map after the other, because an engine predicts from the first results how long the others will take.
    held = _WithPayloads(finished, lambda item: journal.get(task.key(item)))
    for some in (held, _WithPayloads(rest, lambda _: None)):
        for records, result in _mapped(engine, guarded, some):
            for key, payload in records:
                journal.put(key, payload)
            yield result
