"""Names that the diagnosis gives to two changes at once: both, one of them, unknown, or a wrong one.

    python -m benchmarks.pairs [--write]

Each fold of ESC-10 and of the spoken digits is deployed behind the pairs of `benchmarks.fresh_changes` to a monitor
that knows the other four, in six windows of 32 clips. "Both" means that both causes are named, in whichever order; a
diagnosis of two causes is wrong if either is. `SPECTRONORM_DATA` names the folder with esc10/ and fsdd/. Three minutes
of processor time.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.changes import Change, heard
from benchmarks.deployment_data import OTHER_DIGITS, Clips, DataSet, Training, data_sets, measured, trainings
from benchmarks.deployment_tables import RATE
from benchmarks.deployments import alarms
from benchmarks.diagnoses import PAGE, Named, named, said, windows
from benchmarks.document import put_table
from benchmarks.fresh_changes import PAIRS
from spectronorm.monitor import Diagnosis, Kind

WORDS = ("both", "one", "unknown", "wrong", "no alarm")
HEAD = ["clips", "two changes", *WORDS, "as"]
_SATURATED = {Kind.CLIPPING.value, Kind.DYNAMICS.value}


def word(found: Diagnosis, change: Change) -> str:
    """Verdict on a diagnosis of a pair."""
    if found.kind is Kind.UNKNOWN:
        return "unknown"
    named = {cause.kind.value for cause in found.causes}
    if not named <= change.right:
        return "wrong"
    # Saturation may be called clipping or dynamics: the two are one cause.
    return "both" if len(named) > 1 and not named <= _SATURATED else "one"


def words(
    data: DataSet, change: Change, clips: Clips, known: Sequence[Training]
) -> tuple[Counter[str], Counter[Named]]:
    """Verdicts of all windows, and the kinds that were named."""
    found, kinds = Counter[str](), Counter[Named]()
    for training in known:
        for order in windows(data, change, training.fold):
            if alarms(training.baseline, training.thresholds[RATE], clips.features[order][None]).any():
                diagnosis = clips.diagnosis(training, order)
                found[word(diagnosis, change)] += 1
                kinds[named(diagnosis)] += 1
            else:
                found["no alarm"] += 1
    return found, kinds


def row(data: str, name: str, found: Counter[str], kinds: Counter[Named]) -> list[str]:
    """A pair's row of the table."""
    shown = ", ".join(f"{said(one)} {n}" for one, n in kinds.most_common())
    return [data, name, *(str(found[w]) for w in WORDS), shown]


def remark(data: str, total: Counter[str]) -> str:
    """The shares over all pairs."""
    alarmed = sum(total[w] for w in WORDS[:-1])
    shares = ", ".join(f"{w} {100 * total[w] / max(alarmed, 1):.0f} %" for w in WORDS[:-1])
    return f"{data}: of {alarmed} windows with an alarm {shares}."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="Write the table into docs/monitoring.md.")
    given = parser.parse_args()
    rows, remarks = [HEAD], []
    for data in data_sets(Path(os.environ["SPECTRONORM_DATA"])):
        if data.name == OTHER_DIGITS:
            continue
        known = trainings(data, measured(data.front_end, data.waves), (RATE,))
        total: Counter[str] = Counter()
        for name, change in PAIRS.items():
            clips = measured(data.front_end, heard(change, data.waves, data.front_end.sample_rate))
            found, kinds = words(data, change, clips, known)
            total.update(found)
            rows.append(row(data.name, name, found, kinds))
            print(" | ".join(rows[-1]), flush=True)
        remarks.append(remark(data.name, total))
        print(remarks[-1], flush=True)
    if given.write:
        put_table(PAGE, "pairs", rows, " ".join(remarks))


if __name__ == "__main__":
    main()
