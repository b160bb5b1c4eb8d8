"""Several items at once: what travels to a worker of another process, and what comes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from spectronorm.engines.engine import merged


@dataclass(frozen=True)
class BatchResult:
    """The results of a batch, added up where its task can do that, and how long how many items took."""

    results: list[Any]
    items: int
    seconds: float


def do_batch(task: Callable[[Any], Any], batch: Sequence[Any]) -> BatchResult:
    """What a worker does."""
    begin = time.perf_counter()
    results = [task(item) for item in batch]
    seconds = time.perf_counter() - begin
    return BatchResult(merged(task, results), len(results), seconds)
