"""Engine with a pool of processes on this machine, which survives the death of any of them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from spectronorm.arrays import set_whole_numbers
from spectronorm.engines.batch import BatchResult, do_batch
from spectronorm.engines.cores import affordable_workers, available_cores
from spectronorm.engines.engine import ENGINES, Item, Result
from spectronorm.engines.lost_workers import break_up, has_lost_a_worker
from spectronorm.engines.pace import Pace
from spectronorm.engines.rest import Rest
from spectronorm.errors import EngineError
from spectronorm.standard_streams import open_standard_streams

if TYPE_CHECKING:
    from loky import ProcessPoolExecutor

_Answer = TypeVar("_Answer")

_WATCH_SECONDS = 0.5
_LOOK_SECONDS = 0.5
_LOOKS = 4
"""Number of consecutive checks that must find a dead worker which the pool itself does not notice."""
_ATTEMPTS = 3
"""Number of times that an item may end its process while it is the only one at work."""


@ENGINES.register("processes")
@dataclass(frozen=True)
class ProcessEngine:
    """Runs tasks in `workers` processes (by default one for each core); tasks, items and results must be picklable.

    If a process is killed, the pool is recreated and the lost items are repeated one by one, so that an item that ends
    its process every time can be distinguished from items that happened to run next to it.

    Raises:
        ArgumentError: if `workers` is below 1.

    >>> engine = ProcessEngine(workers=1)
    >>> sorted(engine.map(abs, [-3, 1, -2]))
    [1, 2, 3]
    """

    workers: int = field(default_factory=available_cores)

    def __post_init__(self) -> None:
        set_whole_numbers(self, ("workers",), 1)

    def map(self, task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """Yield results as they are completed, with few items in flight, so that memory does not grow with the items.

        Results of a task with a method `merge` are merged where they are made, before they are sent.

        Raises:
            EngineError: if an item ends its process each time, or no process can be started.
        """
        pool = Pool(self.workers)
        try:
            yield from pool.map(task, items)
        finally:
            pool.close()


class Pool:
    """The current processes, and the batches that they work on."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool = self._new_pool()
        self._running: dict[Future[BatchResult], Sequence[Any]] = {}

    @property
    def in_flight(self) -> int:
        """Number of items that were taken and are not done."""
        return sum(map(len, self._running.values()))

    def started(self) -> Future[None]:
        """Future that is done when the first process takes work; until then other engines may do some."""
        return self._submit(_nothing)

    def map(self, task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """Yield results as `ProcessEngine.map` does."""
        yield from self.map_rest(task, Rest(items))

    def map_rest(self, task: Callable[[Item], Result], rest: Rest[Item]) -> Iterator[Result]:
        """Yield results of the items that are left, until they are stopped."""
        pace = Pace()
        while rest.left or self._running:
            # One batch waits, so that no worker does.
            while rest.left and len(self._running) <= self._workers:
                batch = rest.take(pace.size(rest.left, self._workers))
                try:
                    self._running[self._submit(do_batch, task, batch)] = batch
                except BrokenExecutor:  # A process has died since the last check.
                    for outcome in self._recover(task, list(batch)):
                        yield from outcome.results
            for outcome in self._done(task):
                pace.saw(outcome.seconds, outcome.items)
                yield from outcome.results

    def abandon(self) -> None:
        """End the processes at once, though they may still be starting; none of them has work."""
        self._pool.shutdown(kill_workers=True)

    def close(self) -> None:
        """Drop the batches that have not begun, and wait for the rest."""
        for future in self._running:
            future.cancel()
        self._pool.shutdown()

    def _new_pool(self) -> ProcessPoolExecutor:
        from loky import ProcessPoolExecutor  # noqa: PLC0415  (3 MB that threads do without)

        open_standard_streams()
        # Not the standard library's pool: its processes rerun the user's script, or are forks of a threaded process.
        with _starting():
            return ProcessPoolExecutor(affordable_workers(self._workers), initializer=_begin, initargs=(os.getpid(),))

    def _submit(self, call: Callable[..., _Answer], *arguments: Any) -> Future[_Answer]:
        """Submit a call to the pool; the first one starts the processes."""
        with _starting():
            future: Future[_Answer] = self._pool.submit(call, *arguments)
            return future

    def _done(self, task: Callable[[Any], Any]) -> Iterator[BatchResult]:
        """Yield the batches that are done by now: at least one batch, if there are any."""
        done = self._settled(self._running, FIRST_COMPLETED)
        lost: list[Any] = []
        for future in done:
            batch = self._running.pop(future)
            if isinstance(future.exception(), BrokenExecutor):
                lost += batch
            else:
                yield future.result()
        if lost:
            yield from self._recover(task, lost)

    def _recover(self, task: Callable[[Any], Any], lost: list[Any]) -> Iterator[BatchResult]:
        """Repeat the items that were lost with the pool one at a time, which shows the item that ends its process."""
        self._settled(self._running, ALL_COMPLETED)
        for future, batch in self._running.items():
            if isinstance(future.exception(), BrokenExecutor):
                lost += batch
            else:
                yield future.result()
        self._running.clear()
        self._renew()
        for item in lost:
            yield self._alone(task, item)

    def _alone(self, task: Callable[[Any], Any], item: Any) -> BatchResult:
        for _ in range(_ATTEMPTS):
            try:
                future = self._submit(do_batch, task, [item])
                self._settled([future], ALL_COMPLETED)
                outcome = future.result()
            except BrokenExecutor:
                self._renew()
            else:
                return outcome
        raise EngineError(
            f"an item ended the process that worked on it {_ATTEMPTS} times; if a file crashes the decoder use "
            "--untrusted, if the system is short of memory use fewer workers"
        )

    def _settled(self, futures: Iterable[Future[BatchResult]], when: str) -> set[Future[BatchResult]]:
        """The futures that are done, once the first or all are; a pool that can do nothing more is broken up."""
        waiting, looks = list(futures), 0
        while True:
            done, rest = wait(waiting, timeout=_LOOK_SECONDS, return_when=when)
            if not rest or (done and when == FIRST_COMPLETED):
                return done
            looks = looks + 1 if has_lost_a_worker(self._pool) else 0
            if looks >= _LOOKS:
                break_up(self._pool)
                looks = 0

    def _renew(self) -> None:
        self.close()
        self._pool = self._new_pool()


@contextmanager
def _starting() -> Iterator[None]:
    """Say what a system lacks that lets no process start.

    That is shared memory, a working directory that exists, descriptors, or leave to have children.
    """
    try:
        yield
    except BrokenExecutor:
        raise
    except (OSError, ImportError, AssertionError) as error:
        raise EngineError(
            f"no process can be started here ({error}): processes need shared memory (/dev/shm), a working directory "
            "that exists and free file descriptors; use the engine threads"
        ) from error


def _nothing() -> None:
    pass


def _begin(parent: int) -> None:
    """Prepare a process that has just started."""
    _end_with(parent)
    _forgo_memory_checks()


def _forgo_memory_checks() -> None:
    """Turn off loky's checks of this process's memory where the system does not tell it (no /proc)."""
    from loky import process_executor  # noqa: PLC0415  (only in processes that loky started)

    try:
        if process_executor._USE_PSUTIL:
            process_executor._get_memory_usage(os.getpid())
    except Exception:  # whatever psutil meets
        process_executor._USE_PSUTIL = False


def _end_with(parent: int) -> None:
    """End this process soon after its parent, which may be killed without notice."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
