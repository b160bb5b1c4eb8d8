"""The tables of `benchmarks.deployments`, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.shifts import OTHER, SHIFTS
from specnorm.monitor import Kind


def tables(found: Mapping[str, Any]) -> str:
    return (
        "\n\n".join(
            part
            for name, results in found.items()
            for part in (
                f"### {name}",
                _false_alarms(results["false_alarms"]),
                _detection(results["shifts"]),
                _confusion(results["shifts"]),
                _peers(results["shifts"]),
                _refusals(results["refusals"]),
            )
        )
        + "\n"
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _false_alarms(rows: list[dict[str, float]]) -> str:
    head = ["false alarms asked for", "measured / asked, training clips", "measured / asked, profile alone"]
    return _table(
        head, [[f"1 in {1 / row['asked']:.0f} clips", f"{row['clips']:.2f}", f"{row['profile']:.2f}"] for row in rows]
    )


def _share(first: list[int], within: int) -> str:
    values = np.array(first)
    return f"{100 * ((values > 0) & (values <= within)).mean():.1f} %"


def _median(first: list[int]) -> str:
    values = np.where(np.array(first) == 0, 10_000, first)
    median = float(np.median(values))
    return "none" if median >= 10_000 else f"{median:.0f}"


def _detection(shifts: Mapping[str, Any]) -> str:
    head = ["deployment", "within 20 clips", "within 80", "clips until alarm (median)", "profile alone: within 20"]
    rows = []
    for name, result in shifts.items():
        first = result["first"]
        rows.append(
            [name, _share(first, 20), _share(first, 80), _median(first), _share(result["first_from_profile"], 20)]
        )
    return _table(head, rows)


def _confusion(shifts: Mapping[str, Any]) -> str:
    kinds = [kind.value for kind in Kind if kind is not Kind.NOTHING]
    head = ["diagnosis (%) at 32 clips", *kinds, "right at 8 / 16 / 32"]
    rows = []
    for name, result in shifts.items():
        if name == "none":
            continue
        wanted = (Kind.CONTENT if name == OTHER else SHIFTS[name].kind).value
        by_clips = {int(at): tally for at, tally in result["kinds"].items()}
        last = by_clips[max(by_clips)]
        total = sum(last.values())
        cells = [f"{100 * last.get(kind, 0) / total:.0f}" if last.get(kind) else "" for kind in kinds]
        cells = [f"**{cell}**" if kind == wanted and cell else cell for kind, cell in zip(kinds, cells, strict=True)]
        right = " / ".join(f"{100 * t.get(wanted, 0) / sum(t.values()):.0f}" for t in by_clips.values())
        rows.append([name, *cells, right])
    return _table(head, rows)


def _refusals(rows: list[dict[str, Any]]) -> str:
    head = ["updates refused as too uniform", "clips", "of one class", "of two classes", "of all classes"]
    return _table(
        head,
        [[row["baseline"], str(row["clips"]), *(f"{100 * row[c]:.0f} %" for c in ("1", "2", "10"))] for row in rows],
    )


def _peers(shifts: Mapping[str, Any]) -> str:
    head = ["alarm within 20 clips", "monitor", *next(iter(shifts.values()))["peers"]]
    rows = []
    for name, result in shifts.items():
        peers = [_share(first, 20) for first in result["peers"].values()]
        rows.append([name, _share(result["first"], 20), *peers])
    return _table(head, rows)
