"""Automatic engine: threads, one thread or processes, whichever does the first items of a run fastest."""

from __future__ import annotations

import multiprocessing
import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic

from spectronorm.arrays import set_whole_numbers
from spectronorm.engines.cores import available_cores, seconds_without_core
from spectronorm.engines.engine import ENGINES, Item, Result
from spectronorm.engines.processes import Pool
from spectronorm.engines.rest import Rest
from spectronorm.engines.threads import ThreadEngine
from spectronorm.engines.work_rate import WorkRate
from spectronorm.errors import EngineError

WORTH_SECONDS = 1.5
"""Seconds that processes must save at best to be started: they take about a second to start."""
_WORTH_SHARE = 0.1
"""Share of the remaining time that they must save besides."""
_MORE_THAN_ONE = 1.3
"""Number of cores that threads could keep busy, below which they may do less than one thread would."""
_AS_FAST = 0.9
"""Rate of processes over that of threads below which threads continue."""
_PROCESSES = 0
clock: Callable[[], float] = time.monotonic
processor_clock: Callable[[], float] = time.thread_time
waiting_clock: Callable[[], float] = seconds_without_core


@ENGINES.register("auto")
@dataclass(frozen=True)
class AutoEngine:
    """Runs tasks on `workers` cores (by default all): in threads, in one thread or in processes, by measurement.

    A run starts in threads. They share Python's interpreter lock: with short clips, two threads may do less than one.
    So the first items tell how many cores the threads can keep busy. If it is hardly more than one, one thread is
    tried. If processes, at their best, would save more time than they take to start, they start while threads work;
    they continue only if they do items no slower. Time that threads wait for a core that other programs hold is not a
    reason to start processes, which would wait as well. A task that cannot be pickled stays in threads. Results do not
    depend on the choice.

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
        if self.workers == 1 or _is_daemonic():
            yield from ThreadEngine(self.workers).map(task, items)
            return
        run = _Run(self.workers, task, items)
        try:
            yield from run.results()
        finally:
            run.close()


def processes_pay(left: float, work: float, workers: int, share: float = 1.0) -> bool:
    """Tell if processes can save enough of the `left` seconds of threads.

    Args:
        left: Seconds that threads would take for what is left.
        work: Seconds of processor time that it takes.
        workers: Number of processes.
        share: Part of the time in which a thread that can work has a core.
    """
    at_best = work / (workers * share)
    return left - at_best > WORTH_SECONDS / share + _WORTH_SHARE * left


class _Run(Generic[Item, Result]):
    """One run: what is left, the rates so far by the number of threads, and the pool of processes if there is one."""

    def __init__(self, workers: int, task: Callable[[Item], Result], items: Sequence[Item]) -> None:
        self._workers, self._task = workers, task
        self._rest, self._count = Rest(items), len(items)
        self._rates: dict[int, float] = {}
        self._pool: Pool | None = None
        self._started: Future[None] | None = None
        self._may_start = _pickles(task)
        self._worked = False
        """True if processes were given work."""
        self._idle = False
        """True if the threads could keep hardly more than one core busy."""

    def results(self) -> Iterator[Result]:
        """Yield every result."""
        way = self._workers
        while not self._rest.ended:
            self._rest.resume()
            yield from self._in_processes(self._pool) if way == _PROCESSES and self._pool else self._in_threads(way)
            way = self._next()

    def close(self) -> None:
        """End the processes, which a run that ends in threads does not wait for if they are still starting."""
        if self._pool is not None:
            self._pool.close() if self._worked else self._pool.abandon()

    def _next(self) -> int:
        """The way to continue: processes that are ready and not known to be slower, or the faster number of threads."""
        local = {way: rate for way, rate in self._rates.items() if way != _PROCESSES}
        if self._ready and self._rates.get(_PROCESSES, float("inf")) >= _AS_FAST * max(local.values(), default=0.0):
            return _PROCESSES
        if self._tries_one:
            return 1
        return max(local, key=lambda way: local[way], default=self._workers)

    @property
    def _ready(self) -> bool:
        """True if processes have started; if none can start, threads do all the work."""
        return self._started is not None and self._started.done() and self._started.exception() is None

    @property
    def _tries_one(self) -> bool:
        """True if the threads were measured, and one thread is to be."""
        return self._idle and 1 not in self._rates

    def _in_threads(self, workers: int) -> Iterator[Result]:
        rate = WorkRate(workers)
        for result, busy, waited in ThreadEngine(workers).map(self._timed, self._rest):
            yield result
            rate.saw(1, clock(), busy, waited)
            if rate.measured:
                self._rates.setdefault(workers, rate.rate)
                self._idle = self._idle or (workers > 1 and rate.cores / rate.share < _MORE_THAN_ONE)
                self._consider_processes(rate)
            if self._next() != workers and workers in self._rates:
                self._rest.stop()

    def _timed(self, item: Item) -> tuple[Result, float, float]:
        """Return the result, the processor time that it took, and the time that it waited for a core."""
        begin, before = processor_clock(), waiting_clock()
        result = self._task(item)
        return result, processor_clock() - begin, waiting_clock() - before

    def _consider_processes(self, rate: WorkRate) -> None:
        items = self._count - self._rest.taken
        left, work = items / max(self._rates.values()), items * rate.cores / rate.rate
        if not self._may_start or not processes_pay(left, work, self._workers, rate.share):
            return
        self._may_start = False
        try:
            self._pool = Pool(self._workers)
            self._started = self._pool.started()
        except (EngineError, OSError, ImportError, RuntimeError):  # no shared memory, no descriptors
            self._started = None

    def _in_processes(self, pool: Pool) -> Iterator[Result]:
        rate, done = WorkRate(self._workers), self._rest.taken
        self._worked = True
        for result in pool.map_rest(self._task, self._rest):
            yield result
            now_done = self._rest.taken - pool.in_flight
            rate.saw(now_done - done, clock())
            done = now_done
            if rate.measured:
                self._rates[_PROCESSES] = rate.rate
                if self._next() != _PROCESSES:
                    self._rest.stop()


def _is_daemonic() -> bool:
    """Tell if this process may have no children: a worker of a data loader or of a pool."""
    return multiprocessing.current_process().daemon


def _pickles(task: Any) -> bool:
    try:
        pickle.dumps(task)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return True
