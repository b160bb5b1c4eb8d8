"""Names that the diagnosis gives to changes that no rule was written with, on ESC-10 or the spoken digits.

    python -m benchmarks.diagnoses [--half report] [--data ESC-10] [--write]

Each fold is deployed to a monitor that knows the other four: six windows of 32 clips behind each change of
`benchmarks.changes`. Rules were chosen on the half `develop` of ESC-10; `report` is for reporting. "unknown-change" is
never wrong, and without an alarm nothing is named. `SPECTRONORM_DATA` names the folder with esc10/ and fsdd/. A few
minutes of processor time.
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
from benchmarks.measure import RESULTS
from spectronorm.monitor import Kind

WINDOWS, CLIPS = 6, 32
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


def names(data: DataSet, change: Change, clips: Clips, known: list[Training]) -> Counter[str]:
    """Names of all windows; `nothing` without an alarm."""
    found: Counter[str] = Counter()
    for training in known:
        for order in windows(data, change, training.fold):
            if alarms(training.baseline, training.thresholds[RATE], clips.features[order][None]).any():
                found[clips.diagnosed(training, order).value] += 1
            else:
                found[Kind.NOTHING.value] += 1
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=["develop", "report"], default="report")
    parser.add_argument("--data", choices=["ESC-10", "digits"], default="ESC-10")
    parser.add_argument("--write", action="store_true", help="Write the table into docs/monitoring.md.")
    given = parser.parse_args()
    folder = Path(os.environ["SPECTRONORM_DATA"])
    data = next(found for found in data_sets(folder) if found.name == given.data)
    plain = measured(data.front_end, data.waves)
    known = trainings(data, plain)
    rows = [["change", "right names", "right", "unknown", "wrong", "no alarm", "as"]]
    totals: Counter[str] = Counter()
    for name, change in (DEVELOP if given.half == "develop" else REPORT).items():
        unchanged = change.device is None
        clips = plain if unchanged else measured(data.front_end, heard(change, data.waves, data.front_end.sample_rate))
        found = names(data, change, clips, known)
        count = {
            "right": sum(n for kind, n in found.items() if kind in change.right and kind != Kind.NOTHING),
            "unknown": found[Kind.UNKNOWN.value],
            "silent": found[Kind.NOTHING.value],
        }
        count["wrong"] = sum(found.values()) - sum(count.values())
        totals.update(count)
        shown = ", ".join(f"{kind} {n}" for kind, n in found.most_common() if kind != Kind.NOTHING)
        rights = ", ".join(sorted(change.right - {Kind.NOTHING.value}))
        rows.append([name, rights, *(str(count[k]) for k in ("right", "unknown", "wrong", "silent")), shown])
        print(" | ".join(rows[-1]), flush=True)
    named = sum(totals.values()) - totals["silent"]
    shares = {k: 100 * totals[k] / max(named, 1) for k in ("right", "unknown", "wrong")}
    under = (
        f"{given.data}, half `{given.half}`: of {named} windows with an alarm {shares['right']:.0f} % are named right, "
        f"{shares['unknown']:.0f} % unknown, {shares['wrong']:.0f} % wrongly; {totals['silent']} had no alarm."
    )
    print(under)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"diagnoses-{given.data}-{given.half}.json").write_text(json.dumps([rows, under]) + "\n")
    if given.write:
        put_table(PAGE, f"diagnoses-{given.data.lower()}-{given.half}", rows, under)


if __name__ == "__main__":
    main()
