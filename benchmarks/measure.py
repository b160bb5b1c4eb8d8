"""How things are timed: in alternation, as medians, with the ratio of each pair."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """One measured figure, with the goal that it is held against."""

    name: str
    value: float
    unit: str
    goal: str
    met: bool


def alternate(jobs: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each job in each round, after one round to warm up; the jobs take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for number in range(rounds + 1):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            if number:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def ratio(seconds: Mapping[str, list[float]], name: str, peer: str) -> float:
    """The median over rounds of one job's time over its peer's in the same round."""
    return statistics.median(a / b for a, b in zip(seconds[name], seconds[peer], strict=True))


def report(title: str, figures: list[Figure], details: Mapping[str, Any], file: str) -> None:
    """Print a table and write JSON with the machine and versions beside it."""
    print(f"\n{title}")
    for figure in figures:
        mark = "met" if figure.met else "MISSED"
        print(f"  {figure.name:58} {figure.value:10.4g} {figure.unit:6} goal {figure.goal:12} {mark}")
    RESULTS.mkdir(exist_ok=True)
    content = {
        "title": title,
        "figures": [asdict(figure) for figure in figures],
        "details": dict(details),
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "system": platform.system()},
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("specnorm", "numpy", "scipy", "numba", "soundfile", "soxr")},
    }
    (RESULTS / file).write_text(json.dumps(content, indent=2) + "\n")
    print(f"  written: {RESULTS / file}")
