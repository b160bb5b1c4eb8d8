"""Engine on a Dask cluster: processes on this machine, or on the machines of a scheduler.

Items are sent in batches of about a quarter of a second, because each task costs a scheduler about a millisecond. Dask
repeats the tasks of a lost worker on another one; results do not depend on the place or the number of attempts.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Self

from spectronorm.arrays import whole_number
from spectronorm.engines.batch import BatchResult, do_batch
from spectronorm.engines.cores import available_cores
from spectronorm.engines.engine import ENGINES, Item, Result
from spectronorm.engines.pace import Pace
from spectronorm.errors import ArgumentError, EngineError, MissingExtra

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_SECONDS = 5.0
"""Time limit for a scheduler's answer."""
ALLOWED_FAILURES = 10
"""Number of workers that a task may lose on a local cluster; Dask's 3 are soon used up on preemptible machines."""
ALLOCATOR = {
    "MALLOC_TRIM_THRESHOLD_": str(2**28),
    "MALLOC_MMAP_THRESHOLD_": str(2**28),
    "MALLOC_TOP_PAD_": str(2**24),
}
"""Environment of the workers: with Dask's own settings, each clip's memory is returned to the system and fetched again,
which halves the rate.
"""
_WAITING = 2  # batches for each worker: one in progress, one waiting
_SETTINGS = "distributed.nanny.pre-spawn-environ"


@ENGINES.register("dask")
class DaskEngine:
    """Runs tasks on a Dask cluster; as a context manager it keeps the cluster between passes.

    Without a scheduler's address, a cluster of single-threaded processes is started on this machine, and ended with the
    context, or with the pass if there is no context. As in any Python program that starts processes, a script needs `if
    __name__ == "__main__":`.

    Args:
        scheduler: Address of a running scheduler, such as `tcp://10.0.0.1:8786`.
        workers: Number of processes to start here (by default one for each core); not with a scheduler.
        patience: Seconds to wait for a worker, at the start and later.

    Raises:
        ArgumentError: if `workers` is below 1 or given with a scheduler, or if `patience` is not positive.
        MissingExtra: if Dask is not installed.

    >>> engine = DaskEngine("tcp://10.0.0.1:8786", patience=5.0)
    >>> engine.workers >= 1
    True
    """

    def __init__(self, scheduler: str | None = None, *, workers: int | None = None, patience: float = 60.0) -> None:
        if workers is not None:
            workers = whole_number(workers, "workers", 1)
            if scheduler is not None:
                raise ArgumentError(f"workers={workers}: a scheduler brings its own workers; leave one of the two out")
        if not patience > 0:
            raise ArgumentError(f"patience={patience} must be a positive number of seconds")
        require_dask()
        self.scheduler = scheduler
        self.patience = patience
        self._count = available_cores() if workers is None else workers
        self._kept: Any = None
        self._client: Client | None = None

    def __enter__(self) -> Self:
        self._kept = self._connected()
        self._client = self._kept.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        kept, self._kept, self._client = self._kept, None, None
        kept.__exit__(*error)

    @property
    def workers(self) -> int:
        """Number of items that can be processed at once; 1 for a scheduler that is not connected."""
        if self._client is not None:
            return max(1, _threads(self._client))
        return self._count if self.scheduler is None else 1

    def processes(self) -> list[int]:
        """Process ids of the workers, each on its machine; empty if there is no connection."""
        return [] if self._client is None else list(self._client.run(os.getpid).values())

    def map(self, task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """Yield `task(item)` for each item, in the order of completion.

        Results of a task with a method `merge` are merged where they are made, before they are sent.

        Raises:
            EngineError: if the scheduler is unreachable or lost, no worker comes, or an item ends its workers.
        """
        if len(items) == 0:
            return
        if self._client is not None:
            yield from _Run(self._client, self.patience).map(task, items)
            return
        with self._connected() as client:
            yield from _Run(client, self.patience).map(task, items)

    @contextmanager
    def _connected(self) -> Iterator[Client]:
        if self.scheduler is not None:
            client = _named(self.scheduler)
            try:
                yield client
            finally:
                _close(client)
            return
        from distributed import Client  # noqa: PLC0415

        with _local_cluster(self._count) as cluster:
            client = Client(cluster, set_as_default=False, direct_to_workers=True)
            try:
                yield client
            finally:
                _close(client)


class _Run:
    """One map on one client."""

    def __init__(self, client: Client, patience: float) -> None:
        self._client = client
        self._patience = patience
        self._done: SimpleQueue[Future] = SimpleQueue()
        self._running: set[Future] = set()

    def map(self, task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """Keep every worker busy with batches until all items are done."""
        position, pace, threads = 0, Pace(), self._first_workers()
        asked = time.monotonic()
        try:
            while position < len(items) or self._running:
                while position < len(items) and len(self._running) < _WAITING * threads:
                    size = pace.size(len(items) - position, threads)
                    self._submit(task, items[position : position + size])
                    position += size
                outcome = self._outcome(self._next())
                pace.saw(outcome.seconds, outcome.items)
                yield from outcome.results
                if time.monotonic() - asked > 1.0:
                    threads, asked = max(1, self._threads()), time.monotonic()
        finally:
            with suppress(Exception):  # The client may be gone; work that has not begun is dropped in any case.
                self._client.cancel(list(self._running), force=True)

    def _submit(self, task: Callable[[Item], Result], batch: Sequence[Item]) -> None:
        # Sent as bytes: Dask would search every item for futures, and the scheduler would import all our classes.
        import cloudpickle  # noqa: PLC0415

        future = self._client.submit(_work, cloudpickle.dumps((task, batch)), pure=False)
        self._running.add(future)
        future.add_done_callback(self._done.put)

    def _first_workers(self) -> int:
        """Return the number of threads, once there is one."""
        begin = time.monotonic()
        while not (threads := self._threads()):
            if time.monotonic() - begin > self._patience:
                raise EngineError(_nobody(self._patience))
            time.sleep(0.1)
        return threads

    def _next(self) -> Future:
        """Return a batch that is done, or raise an error if none will ever be."""
        alone_since: float | None = None
        while True:
            try:
                return self._done.get(timeout=1.0)
            except Empty:
                pass
            if self._threads():
                alone_since = None
            elif alone_since is None:
                alone_since = time.monotonic()
            elif time.monotonic() - alone_since > self._patience:
                raise EngineError(_nobody(self._patience))

    def _threads(self) -> int:
        try:
            if self._client.status == "running":
                return _threads(self._client)
        except (OSError, TimeoutError):
            pass
        raise EngineError(_LOST)

    def _outcome(self, future: Future) -> BatchResult:
        from distributed import CancelledError, KilledWorker  # noqa: PLC0415

        self._running.discard(future)
        try:
            outcome: BatchResult = future.result()
        except KilledWorker as error:
            raise EngineError(
                f"a unit of work was lost with {error.allowed_failures + 1} workers one after the other; if a file "
                "crashes the decoder use --untrusted, if machines come and go raise Dask's "
                "distributed.scheduler.allowed-failures"
            ) from None
        except CancelledError:
            raise EngineError(_LOST) from None
        except RuntimeError as error:
            if "deserialization" not in str(error):
                raise
            raise EngineError(_cannot_load(error.__cause__ or error)) from None
        return outcome


_NO_GUARD = (
    'the processes of a Dask cluster cannot start; in a script, put the call below `if __name__ == "__main__":`, '
    "since each process imports the script; elsewhere use the engine threads"
)
_LOST = "the connection to the Dask scheduler was lost; find out why it ended, then repeat the command to resume"


def _nobody(patience: float) -> str:
    return f"the Dask scheduler has had no worker for {patience:g} s; start workers, then repeat the command"


def _work(pickled: bytes) -> BatchResult:
    """Run a pickled batch, in a worker."""
    try:
        task, batch = pickle.loads(pickled)  # noqa: S301  (Dask itself pickles: any process that reaches it can run code)
    except (ImportError, AttributeError, TypeError) as error:
        raise EngineError(_cannot_load(error)) from None
    return do_batch(task, batch)


def _cannot_load(error: object) -> str:
    return (
        "the scheduler or a worker cannot load the task; install this version of spectronorm, its extras and Python "
        f"there ({error})"
    )


def require_dask() -> None:
    """Check that Dask is installed.

    Raises:
        MissingExtra: if it is not.
    """
    try:
        import distributed  # noqa: F401, PLC0415
    except (ImportError, OSError):
        raise MissingExtra("Running on a Dask cluster", "dask") from None


def _threads(client: Client) -> int:
    return sum(client.nthreads().values())


def _named(address: str) -> Client:
    """Connect to a running scheduler, after asking it to identify itself: a client that fails to connect lingers."""
    import asyncio  # noqa: PLC0415  (2 MB that only a cluster needs)

    from distributed import Client  # noqa: PLC0415

    try:
        with ThreadPoolExecutor(1) as thread:  # The thread of a notebook already runs an event loop.
            asked = asyncio.wait_for(_who_is(address), CONNECT_SECONDS)
            found = thread.submit(asyncio.run, asked).result()
        if found != "Scheduler":
            raise ValueError(f"a Dask {found.lower()} answers")  # noqa: TRY301
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except Exception as error:  # An unknown service at the address may send anything.
        raise EngineError(
            f"scheduler={address!r}: no Dask scheduler answers there ({str(error) or type(error).__name__}); check "
            "the address, such as tcp://10.0.0.1:8786, and that dask scheduler runs"
        ) from None


async def _who_is(address: str) -> str:
    from distributed import rpc  # noqa: PLC0415

    async with rpc(address, timeout=CONNECT_SECONDS) as there:
        identity = await there.identity()
    return str(identity["type"])


@contextmanager
def _local_cluster(workers: int) -> Iterator[Any]:
    """Start single-threaded processes on this machine, with the environment that NumPy work needs set before."""
    import dask  # noqa: PLC0415
    from distributed import LocalCluster  # noqa: PLC0415

    settings = {
        _SETTINGS: {**dask.config.get(_SETTINGS, {}), **ALLOCATOR},
        "distributed.scheduler.allowed-failures": ALLOWED_FAILURES,
    }
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise EngineError(_NO_GUARD)  # a worker's process that imports a script without a guard
    with dask.config.set(settings):
        try:
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",  # any free port: several clusters may run on one machine
                memory_limit=0,  # as with local engines, no worker is paused or ended for its use of memory
            )
        except (RuntimeError, OSError) as error:
            raise EngineError(f"{_NO_GUARD} ({error})") from None
        try:
            yield cluster
        finally:
            cluster.close()


def _close(client: Client) -> None:
    with suppress(OSError, TimeoutError):
        client.close(timeout=CONNECT_SECONDS)
