"""A pool of processes on this machine that outlives any of them."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from multiprocessing.context import BaseContext
from typing import Any

from specnorm.engines.engine import Item, Result
from specnorm.engines.local import available_cores
from specnorm.errors import ArgumentError, EngineError

ATTEMPTS = 3
"""How often an item may end the process that works on it while it is the only one at work."""


@dataclass(frozen=True)
class ProcessEngine:
    """Runs tasks in `workers` processes (by default one a core); tasks, items and results must pickle.

    When a process is killed, the pool is made anew, and what was lost is done again, item by item, so that one that
    ends its process every time can be told from those that happened to run beside it.

    As with any Python program that starts processes, a script needs `if __name__ == "__main__":`.

    Raises:
        ArgumentError: when `workers` is below 1.
    """

    workers: int = field(default_factory=available_cores)

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ArgumentError(f"workers={self.workers} must be at least 1")

    def map(self, task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """Yield results as they get done, keeping few waiting, so that memory does not grow with the items.

        Raises:
            EngineError: when an item ends its process each time.
        """
        run = _Run(self.workers, task)
        try:
            yield from run.results(items)
        finally:
            run.close()


class _Run:
    """One map: the pool of the moment and what it works on."""

    def __init__(self, workers: int, task: Callable[[Any], Any]) -> None:
        self._workers = workers
        self._task = task
        self._pool = self._new_pool()
        self._running: dict[Future[Any], Any] = {}

    def results(self, items: Sequence[Any]) -> Iterator[Any]:
        """Results as they get done."""
        for item in items:
            try:
                self._running[self._pool.submit(self._task, item)] = item
                if len(self._running) > self._workers:  # one item waits, so that no worker does
                    yield from self._some()
            except BrokenExecutor:  # a process died since anybody looked
                yield from self._recover([item])
        while self._running:
            yield from self._some()

    def close(self) -> None:
        """Drop what has not begun, and wait for the rest."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _new_pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self._workers, mp_context=_context())

    def _some(self) -> Iterator[Any]:
        """The results of what is done by now."""
        done, _ = wait(self._running, return_when=FIRST_COMPLETED)
        lost = []
        for future in done:
            item = self._running.pop(future)
            if isinstance(future.exception(), BrokenExecutor):
                lost.append(item)
            else:
                yield future.result()
        if lost:
            yield from self._recover(lost)

    def _recover(self, lost: list[Any]) -> Iterator[Any]:
        """Do what died with the pool again, one item at a time: so it is known which one ends its process."""
        wait(self._running)
        for future, item in self._running.items():
            if isinstance(future.exception(), BrokenExecutor):
                lost.append(item)
            else:
                yield future.result()
        self._running.clear()
        self._renew()
        for item in lost:
            yield self._alone(item)

    def _alone(self, item: Any) -> Any:
        for _ in range(ATTEMPTS):
            try:
                return self._pool.submit(self._task, item).result()
            except BrokenExecutor:
                self._renew()
        raise EngineError(
            f"an item ended the process that worked on it {ATTEMPTS} times; if a file crashes the decoder use "
            "--untrusted, if the system is short of memory use fewer workers"
        )

    def _renew(self) -> None:
        self.close()
        self._pool = self._new_pool()


def _context() -> BaseContext:
    """How processes begin. Never forked off this one: a copy whose threads hold locks may wait for them for ever.

    Where there is a fork server, it imports specnorm once, and later pools begin within milliseconds.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["specnorm"])
    return context
