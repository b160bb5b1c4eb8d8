"""The tables of `benchmarks.deployments`, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.shifts import FRESH, OTHER, SHIFTS
from spectronorm.monitor import Kind

RATE = 1 / 1000
"""False alarms a clip that are asked of all detectors."""
CALIBRATIONS = ("clips", "profile")


def tables(found: Mapping[str, Any]) -> str:
    blocks: list[str] = []
    for name, results in found.items():
        blocks.append(f"### {name}")
        if "shifts" in results:
            blocks += [_false_alarms(results), _detection(results["shifts"])]
            none = results["shifts"]["none"]
            blocks += [_confusion(results["shifts"])] if none["kinds"] else []
            blocks += [_peers(results["shifts"])] if none["peers"] else []
        if "fresh" in results:
            blocks += ["Devices that no rule was chosen on:", _detection(results["fresh"])]
            blocks += [_confusion(results["fresh"])] if any(r["kinds"] for r in results["fresh"].values()) else []
    return "\n\n".join(blocks) + "\n"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _false_alarms(results: Mapping[str, Any]) -> str:
    """First alarms for each clip until then, over the rate that was asked for, and the least and most of a fold."""
    none = results["shifts"]["none"]
    head = ["false alarms asked for", "measured / asked, training clips (folds)", "profile alone (folds)"]
    head += list(none["peers"])
    rows = []
    for row in results["false_alarms"]["rates"]:
        peers = [hazard(np.array(first), none["length"]) / row["asked"] for first in none["peers"].values()]
        # The peers ran at one rate only.
        known = [f"{value:.0f}" if row["asked"] == RATE else "" for value in peers]
        found = (_rate(row[name], row[f"{name} by fold"]) for name in CALIBRATIONS)
        rows.append([f"1 in {1 / row['asked']:.0f} clips", *found, *known])
    return _table(head, rows)


def _rate(value: float, by_fold: Sequence[float]) -> str:
    return f"{value:.2f} ({min(by_fold):.1f} … {max(by_fold):.1f})"


def hazard(first: NDArray[np.int64], length: int) -> float:
    """First alarms for each clip that was watched until then; 0 stands for never."""
    return float((first > 0).sum() / np.where(first > 0, first, length).sum())


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
    said = {kind for result in shifts.values() for tally in result["kinds"].values() for kind in tally}
    kinds = [kind.value for kind in Kind if kind is not Kind.NOTHING and kind.value in said]
    head = ["diagnosis (%) at 32 clips", *kinds, "no alarm", "right of those alarmed, at 8 / 16 / 32"]
    rows = []
    for name, result in shifts.items():
        wanted = (Kind.UNKNOWN if name == OTHER else {**SHIFTS, **FRESH}[name].kind).value
        by_clips = {int(at): tally for at, tally in result["kinds"].items()}
        last = by_clips[max(by_clips)]
        total = sum(last.values())
        cells = [f"{100 * last[kind] / total:.1f}" if last.get(kind) else "" for kind in (*kinds, Kind.NOTHING.value)]
        cells = [
            f"**{cell}**" if kind == wanted and cell else cell for kind, cell in zip([*kinds, ""], cells, strict=True)
        ]
        right = "" if name == "none" else " / ".join(_right(tally, wanted) for tally in by_clips.values())
        rows.append([name, *cells, right])
    return _table(head, rows)


def _right(tally: Mapping[str, int], wanted: str) -> str:
    alarmed = sum(count for kind, count in tally.items() if kind != Kind.NOTHING.value)
    return f"{100 * tally.get(wanted, 0) / alarmed:.0f}" if alarmed else "no alarm"


def _peers(shifts: Mapping[str, Any]) -> str:
    head = ["alarm within 20 clips", "monitor", *next(iter(shifts.values()))["peers"]]
    rows = []
    for name, result in shifts.items():
        peers = [_share(first, 20) for first in result["peers"].values()]
        rows.append([name, _share(result["first"], 20), *peers])
    return _table(head, rows)
