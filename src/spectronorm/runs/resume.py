"""Mapping a task over items with a journal: what an earlier run finished is taken from there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, overload

from spectronorm.engines.engine import Engine, Item, Result, merged
from spectronorm.runs.journal import Journal

Item_contra = TypeVar("Item_contra", contravariant=True)
Records = list[tuple[bytes, bytes]]
"""Keys and payloads."""


class ResumableTask(Protocol[Item_contra, Result]):
    """A task whose results can be written down, found again, and checked against what they were made from."""

    def __call__(self, item: Item_contra, /) -> Result:
        """Do the work."""
        ...

    def key(self, item: Item_contra, /) -> bytes:
        """What the item is called in the journal."""
        ...

    def pack(self, result: Result, /) -> bytes:
        """The result as bytes, with stamps of the contents that it was made from."""
        ...

    def unpack(self, item: Item_contra, payload: bytes, /) -> Result | None:
        """The result again, or None when it does not hold any longer: a file or an output has changed."""
        ...


@dataclass(frozen=True)
class _Record(Generic[Item, Result]):
    """Does the work and packs it, where the work is done."""

    task: ResumableTask[Item, Result]

    def __call__(self, item: Item) -> tuple[Records, Result]:
        result = self.task(item)
        return [(self.task.key(item), self.task.pack(result))], result

    def merge(self, done: list[tuple[Records, Result]]) -> list[tuple[Records, Result]]:
        """Results that the task can add up, with everything that is to be written down before the first of them."""
        results = merged(self.task, [result for _, result in done])
        if len(results) == len(done):
            return done
        records = [record for some, _ in done for record in some]
        return [(records if number == 0 else [], result) for number, result in enumerate(results)]


@dataclass(frozen=True)
class _Restore(Generic[Item, Result]):
    """Checks what an earlier run finished."""

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
    """Yield `task(item)` for each item, in any order, from the journal where it still holds; new results go there.

    Without a journal this is `engine.map`.
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
