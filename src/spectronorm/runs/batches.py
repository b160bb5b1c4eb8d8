"""Batches of items that one worker does in order, because they read pieces of one recording that no other can share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Generic, overload

from spectronorm.audio import ClipReference, decoded_in_order
from spectronorm.engines.engine import Item, Result


@dataclass(frozen=True)
class InBatches(Generic[Item, Result]):
    """A task as a worker runs it on a batch; picklable, so that any engine can run it."""

    task: Callable[[Item], Result]

    def __call__(self, batch: Sequence[Item]) -> list[Result]:
        """Return the results of the items, in order."""
        return [self.task(item) for item in batch]


@dataclass(frozen=True)
class Batches(Sequence[Sequence[Item]]):
    """Items cut into batches, each made when an engine asks for it."""

    items: Sequence[Item]
    bounds: Sequence[tuple[int, int]]

    def __len__(self) -> int:
        return len(self.bounds)

    @overload
    def __getitem__(self, index: int) -> Sequence[Item]: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Sequence[Item]]: ...

    def __getitem__(self, index: int | slice) -> Sequence[Item] | Sequence[Sequence[Item]]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        begin, end = self.bounds[index]
        return self.items[begin:end]


def batch_bounds(items: Iterable[object]) -> list[tuple[int, int]] | None:
    """The first item of each batch and the one behind its last; None if every item is a batch of its own.

    Neighbours belong together if they are pieces of one recording that is decoded from its beginning. An item is a
    clip, or begins with one.
    """
    bounds, there, several = [], 0, False
    for recording, some in groupby(items, _recording):
        count = sum(1 for _ in some)
        whole = recording is not None
        several |= whole and count > 1
        bounds += [(there, there + count)] if whole else [(i, i + 1) for i in range(there, there + count)]
        there += count
    return bounds if several else None


def _recording(item: object) -> object:
    clip = item[0] if isinstance(item, tuple) and item else item
    return decoded_in_order(clip) if isinstance(clip, ClipReference) else None
