"""Jobs that take turns, each in a process of its own: what one leaves behind in memory cannot help or hinder another.

Half of the time of decoding can be page faults, and how many there are depends on what else the process has allocated.
A job is a module-level function of a folder that prepares, and returns a function that does the work and gives figures
to compare: `python -m benchmarks.contest MODULE FUNCTION FOLDER` runs it once for every line it is sent.
"""

from __future__ import annotations

import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

Work = Callable[[], Any]
Job = Callable[[Path], Work]
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class Turns:
    """Seconds of each turn, by processor and by the clock, and the figures of the last one."""

    processor: list[float]
    clock: list[float]
    figures: Any


class Contestant:
    """A job in a process of its own, which waits for its turns."""

    def __init__(self, job: Job, folder: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.contest", job.__module__, job.__name__, str(folder)]
        environment = os.environ | dict.fromkeys(_ONE_THREAD, "1")
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def turn(self) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self._process.args!r} ended with {self._process.wait()}")
        found: dict[str, Any] = json.loads(answer)
        return found

    def __enter__(self) -> Contestant:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def take_turns(jobs: Mapping[str, Job], folder: Path, rounds: int) -> dict[str, Turns]:
    """One turn each to warm up, then `rounds` in alternation."""
    contestants = {name: Contestant(job, folder) for name, job in jobs.items()}
    turns: dict[str, list[dict[str, Any]]] = {name: [] for name in jobs}
    try:
        for number in range(rounds + 1):
            for name, contestant in contestants.items():
                result = contestant.turn()
                if number:
                    turns[name].append(result)
    finally:
        for contestant in contestants.values():
            contestant.__exit__(None, None, None)
    return {
        name: Turns([one["processor"] for one in all_], [one["clock"] for one in all_], all_[-1]["figures"])
        for name, all_ in turns.items()
    }


def times(ours: Turns, peer: Turns, *, clock: bool = False) -> float:
    """How many times as long as ours the peer takes: the median over pairs of turns."""
    a, b = (one.clock if clock else one.processor for one in (ours, peer))
    return statistics.median(y / x for x, y in zip(a, b, strict=True))


def main() -> None:
    """Prepare the job, then run it for each line."""
    module, function, folder = sys.argv[1:]
    # What the job prints must not be taken for an answer.
    answers, sys.stdout = sys.stdout, sys.stderr
    work: Work = getattr(importlib.import_module(module), function)(Path(folder))
    for _ in sys.stdin:
        begin, started = time.process_time(), time.perf_counter()
        figures = work()
        spent, passed = time.process_time() - begin, time.perf_counter() - started
        answers.write(json.dumps({"processor": spent, "clock": passed, "figures": figures}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
