"""How a benchmark tells its results: a table for people and JSON for programs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Goal:
    """A figure that was promised, and the one that was measured."""

    what: str
    wanted: str
    measured: str
    met: bool


def arguments(description: str) -> argparse.ArgumentParser:
    """A parser with the option that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON too")
    return parser


def show(rows: Sequence[Mapping[str, Any]], title: str) -> None:
    """Print rows under their keys."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[_text(row.get(name)) for name in names] for row in rows]
    widths = [max(len(name), *(len(row[i]) for row in cells)) for i, name in enumerate(names)]
    print(f"\n{title}")
    print("  ".join(name.rjust(width) for name, width in zip(names, widths, strict=True)))
    for row in cells:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


def finish(rows: Sequence[Mapping[str, Any]], goals: Sequence[Goal], path: Path | None) -> None:
    """Print the goals, met or not, and write the JSON."""
    print("\nGoals")
    for goal in goals:
        print(f"  {'met    ' if goal.met else 'NOT met'}  {goal.what}: wanted {goal.wanted}, measured {goal.measured}")
    if path is not None:
        plain = {"rows": list(rows), "goals": [asdict(goal) for goal in goals]}
        path.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
        print(f"\nwritten: {path}")


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
