"""Automatic engine: starts with threads, and adds processes if the remaining work is worth their start."""

from __future__ import annotations

import multiprocessing
import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic

from spectronorm.arrays import set_whole_numbers
from spectronorm.engines.cores import available_cores
from spectronorm.engines.engine import ENGINES, Item, Result
from spectronorm.engines.processes import Pool
from spectronorm.engines.threads import ThreadEngine
from spectronorm.errors import EngineError

WORTH_SECONDS = 3.0
"""Remaining time of the threads, in seconds, from which processes are started: they take about a second to start."""


@ENGINES.register("auto")
@dataclass(frozen=True)
class AutoEngine:
    """Runs tasks in `workers` threads (by default one for each core), and continues in processes if that is faster.

    Threads share Python's interpreter lock: with short clips, two threads do no more than one. Processes do not share
    it, but each must start and import. So a short run never starts processes, and in a long run they start while
    threads work. A task that cannot be pickled stays in threads. Results do not depend on the choice.

    Raises:
        ArgumentError: if `workers` is below 1.

    >>> import numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(8000), 16_000) for n in range(3)]
    >>> sn.fit(waves, engine=AutoEngine(workers=2)) == sn.fit(waves)
    True
    """

    workers: int = field(default_factory=available_cores)

    def __post_init__(self) -> None:
        set_whole_numbers(self, ("workers",), 1)

    def map(self, task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """Yield results as they are completed.

        Raises:
            EngineError: if an item ends its process each time.
        """
        if self.workers == 1 or not _pickles(task) or _is_daemonic():
            yield from ThreadEngine(self.workers).map(task, items)
            return
        rest = _Rest(items)
        pool: Pool | None = None
        begin = time.monotonic()
        try:
            started: Future[None] | None = None
            startable = True
            for done, result in enumerate(ThreadEngine(self.workers).map(task, rest), start=1):
                yield result
                left = (time.monotonic() - begin) / done * (len(items) - done)
                if pool is None and startable and done >= self.workers and left > WORTH_SECONDS:
                    try:
                        pool = Pool(self.workers)
                        started = pool.started()
                    except (EngineError, OSError, ImportError, RuntimeError):  # no shared memory, no descriptors
                        startable = False
                # If no process can start, threads do all the work.
                if started is not None and started.done() and started.exception() is None:
                    rest.stop()
            if pool is not None and rest.taken < len(items):
                yield from pool.map(task, items[rest.taken :])
        finally:
            if pool is not None:
                pool.close()


class _Rest(Generic[Item]):
    """Items that are handed out one by one until they are stopped."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items
        self._stopped = False
        self.taken = 0

    def stop(self) -> None:
        self._stopped = True

    def __iter__(self) -> Iterator[Item]:
        while self.taken < len(self._items) and not self._stopped:
            self.taken += 1
            yield self._items[self.taken - 1]


def _is_daemonic() -> bool:
    """Tell if this process may have no children: a worker of a data loader or of a pool."""
    return multiprocessing.current_process().daemon


def _pickles(task: object) -> bool:
    try:
        pickle.dumps(task)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return True
