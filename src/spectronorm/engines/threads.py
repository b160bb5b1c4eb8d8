"""Engine with a pool of threads on this machine.

Decoding, resampling, the FFT and the counting kernel all release Python's interpreter lock, so threads keep two cores
busy without pickling, as long as clips are seconds long; short clips need processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from spectronorm.arrays import set_whole_numbers
from spectronorm.engines.cores import available_cores
from spectronorm.engines.engine import ENGINES, Item, Result


@ENGINES.register("threads")
@dataclass(frozen=True)
class ThreadEngine:
    """Runs tasks in `workers` threads (by default one for each core).

    Raises:
        ArgumentError: if `workers` is below 1.

    >>> import numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(8000), 16_000) for n in range(3)]
    >>> sn.fit(waves, engine=ThreadEngine(1)) == sn.fit(waves, engine=ThreadEngine(2))
    True
    """

    workers: int = field(default_factory=available_cores)

    def __post_init__(self) -> None:
        set_whole_numbers(self, ("workers",), 1)

    def map(self, task: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Yield results as they are completed, with few items in flight, so that memory does not grow with them."""
        if self.workers == 1:
            yield from map(task, items)
            return
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="spectronorm")
        try:
            yield from self._map_in(pool, task, items)
        finally:
            # After an error or Ctrl-C, items that have not begun are dropped, and only running ones are waited for.
            pool.shutdown(wait=True, cancel_futures=True)

    def _map_in(
        self, pool: ThreadPoolExecutor, task: Callable[[Item], Result], items: Iterable[Item]
    ) -> Iterator[Result]:
        running: set[Future[Result]] = set()
        for item in items:
            running.add(pool.submit(task, item))
            if len(running) > self.workers:  # One item waits, so that no worker does.
                done, running = wait(running, return_when=FIRST_COMPLETED)
                while done:
                    yield done.pop().result()
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            while done:
                yield done.pop().result()
