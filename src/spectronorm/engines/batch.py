"""Batches of items: the unit sent to a worker in another process, and the outcome sent back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from spectronorm.engines.engine import merged


@dataclass(frozen=True)
class BatchResult:
    """Results of a batch, merged if the task can merge them, with the number of items and the time taken."""

    results: list[Any]
    items: int
    seconds: float


def do_batch(task: Callable[[Any], Any], batch: Sequence[Any]) -> BatchResult:
    """Run a task on each item of a batch, in a worker."""
    begin = time.perf_counter()
    results = [task(item) for item in batch]
    seconds = time.perf_counter() - begin
    return BatchResult(merged(task, results), len(results), seconds)
