"""How things are timed: in alternation, as medians, with the ratio of each pair."""

from __future__ import annotations

import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.processor import processor

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """One measured figure, with the goal that it is held against."""

    name: str
    value: float
    unit: str
    goal: str
    met: bool


def alternate(
    jobs: Mapping[str, Callable[[], object]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Seconds of each job in each round, after one round to warm up; the jobs take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for number in range(rounds + 1):
        for name, job in jobs.items():
            start = clock()
            job()
            if number:
                seconds[name].append(clock() - start)
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
    write(title, figures, details, file)
    print(f"  written: {RESULTS / file}")


def write(title: str, figures: list[Figure], details: Mapping[str, Any], file: str) -> None:
    """Write figures as JSON, with the machine and versions."""
    RESULTS.mkdir(exist_ok=True)
    content = {
        "title": title,
        "module": Path(sys.argv[0]).stem,
        "figures": [asdict(figure) for figure in figures],
        "details": dict(details),
        **circumstances(),
    }
    (RESULTS / file).write_text(json.dumps(content, indent=2) + "\n")


def circumstances() -> dict[str, Any]:
    """The machine, how busy it is now, and the versions of what may matter."""
    names = ("spectronorm", "numpy", "scipy", "numba", "soundfile", "soxr", "librosa", "torch", "distributed")
    versions = {name: found for name in names if (found := _version(name)) is not None}
    return {"machine": processor(), "python": platform.python_version(), "versions": versions}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
