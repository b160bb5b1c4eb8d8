"""Workers of a loky pool that died while they wrote an answer, for whose rest the pool waits without end."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Any


def has_lost_a_worker(pool: Any) -> bool:
    """Tell if a worker is dead that the pool still counts; a pool that works takes it off the list at once."""
    return any(not worker.is_alive() for worker in _workers(pool))


def break_up(pool: Any) -> None:
    """End all workers and the pending answer, so that the pool is marked as broken.

    The pool reads answers from one pipe. Once no process has its write end open, including this process, its end is
    read.
    """
    for worker in _workers(pool):
        with suppress(Exception):
            os.kill(worker.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    for worker in _workers(pool):
        with suppress(Exception):
            worker.join(1.0)
    writer = getattr(getattr(pool, "_result_queue", None), "_writer", None)
    if writer is not None:
        with suppress(OSError):
            writer.close()


def _workers(pool: Any) -> list[Any]:
    return list((getattr(pool, "_processes", None) or {}).values())
