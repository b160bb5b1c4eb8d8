"""Mapping of a task over items on an engine, by workers that reproduce the run exactly, resumed from a journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, overload

from spectronorm.engines.engine import Engine, Item, Result, merged
from spectronorm.runs.journal import Journal

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


@dataclass(frozen=True)
class _Record(Generic[Item, Result]):
    """Does the work and serializes the result in the worker."""

    task: ResumableTask[Item, Result]

    def __call__(self, item: Item) -> tuple[Records, Result]:
        result = self.task(item)
        return [(self.task.key(item), self.task.pack(result))], result

    def merge(self, done: list[tuple[Records, Result]]) -> list[tuple[Records, Result]]:
        """Merge results, if the task can; all their records are placed before the first result."""
        results = merged(self.task, [result for _, result in done])
        if len(results) == len(done):
            return done
        records = [record for some, _ in done for record in some]
        return [(records if number == 0 else [], result) for number, result in enumerate(results)]


@dataclass(frozen=True)
class _Restore(Generic[Item, Result]):
    """Checks the results of an earlier run."""

    task: ResumableTask[Item, Result]

    def __call__(self, found: tuple[Item, bytes | None]) -> tuple[Item, Result | None]:
        item, payload = found
        return item, None if payload is None else self.task.unpack(item, payload)


@dataclass(frozen=True)
class _Found(Sequence[tuple[Item, bytes | None]]):
    """Finished items with their payloads, read from the journal one by one as an engine asks for them."""

    items: Sequence[Item]
    key: Callable[[Item], bytes]
    journal: Journal

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
        return item, self.journal.get(self.key(item))


def resumable_map(
    engine: Engine, task: ResumableTask[Item, Result], items: Sequence[Item], journal: Journal | None
) -> Iterator[Result]:
    """Yield `task(item)` for each item, in any order: from the journal if still valid; new results are added to it.

    Raises:
        EngineError: if a worker would not reproduce the run that `origin` identifies.
    """
    if journal is None:
        yield from engine.map(task, items)
        return
    finished = [item for item in items if task.key(item) in journal]
    rest = [item for item in items if task.key(item) not in journal]
    for item, result in engine.map(_Restore(task), _Found(finished, task.key, journal)):
        if result is None:
            rest.append(item)
        else:
            yield result
    for records, result in engine.map(_Record(task), rest):
        for key, payload in records:
            journal.put(key, payload)
        yield result
