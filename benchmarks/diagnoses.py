"""Names that the diagnosis gives to changes that no rule was written with, on ESC-10 or the spoken digits.

    python -m benchmarks.diagnoses [--half report|fresh|third] [--data ESC-10] [--write]

Each fold is deployed to a monitor that knows the other four: six windows of 32 clips behind each change of
`benchmarks.changes`. Rules were chosen on the half `develop`; `report` is for reporting, and `fresh` and `third` hold
changes of an outsider's choice (`benchmarks.fresh_changes`, `benchmarks.third_changes`). "unknown-change" is never
wrong, a diagnosis of two causes is wrong if either is, and without an alarm nothing is named. `SPECTRONORM_DATA` names
the folder with esc10/ and fsdd/. A few minutes of processor time.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.changes import REPORT, Change, heard
from benchmarks.deployment_data import Clips, DataSet, Training, data_sets, measured, trainings
from benchmarks.deployment_tables import RATE
from benchmarks.deployments import alarms
from benchmarks.developed_on import DEVELOP
from benchmarks.document import put_table
from benchmarks.fresh_changes import FRESH_CHANGES
from benchmarks.measure import RESULTS
from benchmarks.third_changes import THIRD_CHANGES
from spectronorm.monitor import Diagnosis, Kind

WINDOWS, CLIPS = 6, 32
Named = tuple[Kind, ...]
"""Kinds that a diagnosis names, that of the largest cause first."""
HALVES = {"develop": DEVELOP, "report": REPORT, "fresh": FRESH_CHANGES, "third": THIRD_CHANGES}
HEAD = ["change", "right names", "right", "unknown", "wrong", "no alarm", "as"]
PAGE = Path(__file__).parent.parent / "docs" / "monitoring.md"


def windows(data: DataSet, change: Change, fold: int) -> Iterator[NDArray[np.int64]]:
    """Indices of the clips of each window; clips of few classes come from all folds, since one fold has too few."""
    generator = np.random.default_rng(fold)
    for _ in range(WINDOWS):
        pool = np.flatnonzero(data.folds == fold)
        if change.classes:
            chosen = generator.choice(np.unique(data.labels), change.classes, replace=False)
            pool = np.flatnonzero(np.isin(data.labels, chosen))
        yield generator.choice(pool, min(CLIPS, len(pool)), replace=False)


def names(data: DataSet, change: Change, clips: Clips, known: list[Training]) -> Counter[Named]:
    """Kinds that the diagnoses of all windows name; `nothing` without an alarm."""
    found: Counter[Named] = Counter()
    for training in known:
        for order in windows(data, change, training.fold):
            if alarms(training.baseline, training.thresholds[RATE], clips.features[order][None]).any():
                found[named(clips.diagnosis(training, order))] += 1
            else:
                found[Kind.NOTHING,] += 1
    return found


def named(found: Diagnosis) -> Named:
    """The kinds of a diagnosis, that of the largest cause first; the nearest causes of an unknown change are none."""
    return (found.kind,) if found.kind is Kind.UNKNOWN else tuple(cause.kind for cause in found.causes)


def said(kinds: Named) -> str:
    """The named kinds in words."""
    return " and ".join(kinds)


def verdicts(change: Change, found: Counter[Named]) -> Counter[str]:
    """Windows that are named rightly, as unknown, wrongly, and not at all."""
    count = Counter(
        right=sum(n for kinds, n in found.items() if set(kinds) <= change.right - {Kind.NOTHING}),
        unknown=found[Kind.UNKNOWN,],
        silent=found[Kind.NOTHING,],
    )
    count["wrong"] = found.total() - count.total()
    return count


def row(name: str, change: Change, found: Counter[Named]) -> list[str]:
    """A change's row of the table."""
    count = verdicts(change, found)
    shown = ", ".join(f"{said(kinds)} {n}" for kinds, n in found.most_common() if kinds != (Kind.NOTHING,))
    rights = ", ".join(sorted(change.right - {Kind.NOTHING.value, Kind.CONTENT.value})) or "none"
    return [name, rights, *(str(count[k]) for k in ("right", "unknown", "wrong", "silent")), shown]


def remark(data: str, half: str, totals: Counter[str]) -> str:
    """The shares over all changes."""
    named = totals.total() - totals["silent"]
    shares = {k: 100 * totals[k] / max(named, 1) for k in ("right", "unknown", "wrong")}
    return (
        f"{data}, half `{half}`: of {named} windows with an alarm {shares['right']:.0f} % are named right, "
        f"{shares['unknown']:.0f} % unknown, {shares['wrong']:.0f} % wrongly; {totals['silent']} had no alarm."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=list(HALVES), default="report")
    parser.add_argument("--data", choices=["ESC-10", "digits"], default="ESC-10")
    parser.add_argument("--write", action="store_true", help="Write the table into docs/monitoring.md.")
    given = parser.parse_args()
    folder = Path(os.environ["SPECTRONORM_DATA"])
    data = next(found for found in data_sets(folder) if found.name == given.data)
    plain = measured(data.front_end, data.waves)
    known = trainings(data, plain, (RATE,))
    rows, totals, windows_named = [HEAD], Counter[str](), {}
    for name, change in HALVES[given.half].items():
        unchanged = change.device is None
        clips = plain if unchanged else measured(data.front_end, heard(change, data.waves, data.front_end.sample_rate))
        found = names(data, change, clips, known)
        totals.update(verdicts(change, found))
        rows.append(row(name, change, found))
        windows_named[name] = list(found.items())
        print(" | ".join(rows[-1]), flush=True)
    under = remark(given.data, given.half, totals)
    print(under)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"diagnoses-{given.data}-{given.half}.json").write_text(json.dumps(windows_named) + "\n")
    if given.write:
        put_table(PAGE, f"diagnoses-{given.data.lower()}-{given.half}", rows, under)


if __name__ == "__main__":
    main()
