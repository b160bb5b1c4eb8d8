"""Figures of front ends, measured part by part, and their table in the documentation."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.document import put_table
from benchmarks.measure import RESULTS, Figure
from benchmarks.processor import in_words, processor, table_of

_WAYS = ("NumPy", "torch", "NumPy in float32", "torch in float32")


@dataclass(frozen=True)
class Part:
    """Times and figures of one part, and the machine they hold on."""

    median_ms: dict[str, float]
    figures: list[Figure]
    rounds: int
    machine: dict[str, Any]

    @classmethod
    def of(cls, seconds: Mapping[str, list[float]], figures: list[Figure], rounds: int) -> Part:
        """Summarize the times of jobs."""
        median_ms = {job: 1e3 * float(np.median(times)) for job, times in seconds.items()}
        return cls(median_ms, figures, rounds, processor())


@dataclass(frozen=True)
class Parts:
    """Parts by name."""

    found: dict[str, Part] = field(default_factory=dict)

    @classmethod
    def read(cls, file: str) -> Parts:
        """Read the parts of the last report; none if there is no report."""
        path = RESULTS / file
        told = json.loads(path.read_text())["details"].get("parts", {}) if path.exists() else {}
        return cls(
            {name: Part(**part | {"figures": [Figure(**f) for f in part["figures"]]}) for name, part in told.items()}
        )

    def with_part(self, name: str, part: Part) -> Parts:
        """Return the parts with this one, whose figures replace those of equal names and of this kind of processor."""
        before = self.found.get(name)
        if before is not None and table_of(before.machine) == table_of(part.machine):
            names = {figure.name for figure in part.figures}
            kept = [figure for figure in before.figures if figure.name not in names]
            part = Part({**before.median_ms, **part.median_ms}, kept + part.figures, part.rounds, part.machine)
        return Parts({**self.found, name: part})

    def to_dict(self) -> dict[str, Any]:
        """Return the parts as JSON has them."""
        return {name: asdict(part) for name, part in self.found.items()}

    def figures(self) -> list[Figure]:
        """Every figure."""
        return [figure for part in self.found.values() for figure in part.figures]

    def put_table(self, page: Path) -> None:
        """Put the presets' rows into a page: a table for each kind of processor, between the marks of that kind."""
        head = ["preset", "work", "origin", "compiled", *_WAYS]
        for kind in sorted({table_of(part.machine) for part in self.found.values()}):
            here = Parts({name: part for name, part in self.found.items() if table_of(part.machine) == kind})
            rows = [row for name in sorted(here.found) for row in here._rows(name)]
            put_table(page, f"front-ends, {kind}", [head, *rows], here._under())

    def _rows(self, name: str) -> Iterator[list[str]]:
        part = self.found[name]
        ratios = {figure.name: figure for figure in part.figures}
        for work in ("clip", "batch"):
            times = {way: part.median_ms.get(f"{name} {work}, {way}") for way in ("origin", "compiled origin", *_WAYS)}
            if times["origin"] is None:
                continue
            cells = [_milliseconds(times["origin"]), _milliseconds(times["compiled origin"])]
            for way in _WAYS:
                figure = ratios.get(f"{name}, {work}, {way}: origin / ours")
                behind = "" if figure is None else f" ({figure.value:.1f}{'' if figure.met else ', missed'})"
                cells.append(_milliseconds(times[way]) + behind)
            yield [f"`{name}`", work, *cells]

    def _under(self) -> str:
        machines = sorted({in_words(part.machine) for part in self.found.values()})
        loads = [part.machine["load"] for part in self.found.values()]
        rounds = sorted({part.rounds for part in self.found.values()})
        return (
            f"Milliseconds of processor time, medians of {' and '.join(map(str, rounds))} alternations, one thread; in "
            f"brackets the median of the origin's time over ours. On {'; '.join(machines)}, "
            f"at a load of {min(loads):.1f} to {max(loads):.1f}."
        )


def _milliseconds(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"
