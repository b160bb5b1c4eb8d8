"""The margin by which a cause must be likelier than its alternatives to be named, chosen on changes to develop on.

    python -m benchmarks.margins [--write]

Every change of `benchmarks.developed_on` is deployed on ESC-10 and on the spoken digits, one window of 32 clips a fold
(three where only the choice of clips changes). The margin is the smallest whole number at which at most one window in
fifty has a wrong name on each data set. Left out one by one, changes are named with the margin that was chosen without
them; the shares of right, unknown and wrong names are printed. `SPECTRONORM_DATA` names the folder with esc10/ and
fsdd/. Ten minutes of processor time.
"""

from __future__ import annotations

import argparse
import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.changes import Change, heard
from benchmarks.deployment_data import OTHER_DIGITS, Clips, DataSet, Training, data_sets, measured, trainings
from benchmarks.deployment_tables import RATE
from benchmarks.deployments import alarms
from benchmarks.developed_on import DEVELOP
from benchmarks.diagnoses import windows
from spectronorm.monitor import Kind, diagnose, evidence
from spectronorm.monitor.change import margins
from spectronorm.monitor.change.likelihood import explanations
from spectronorm.monitor.change.observed import Observed
from spectronorm.monitor.clips.moments import FeatureMoments
from spectronorm.profile import Measurement

WRONG, LARGEST = 0.02, 30
DIRECT = (Kind.SILENCE, Kind.CLIPPING)
PAGE = Path(margins.__file__)


@dataclass(frozen=True)
class Named:
    """A window's likeliest cause, its margin, and whether the name would be right; no margin for a direct sign."""

    data: str
    change: str
    kind: Kind
    margin: float | None
    right: bool


def named(data: DataSet, name: str, change: Change, clips: Clips, known: Sequence[Training]) -> Iterator[Named]:
    """Yield the likeliest cause of each window with an alarm, if it explains enough to be named at all."""
    for training in known:
        orders = list(windows(data, change, training.fold))
        for order in orders[: 1 if change.device is not None else 3]:
            if not alarms(training.baseline, training.thresholds[RATE], clips.features[order][None]).any():
                continue
            window = Measurement.sum(clips.measurements[i] for i in order)
            seen = evidence(training.reference, window, FeatureMoments.of(clips.features[order]))
            kind = diagnose(seen).kind
            if kind in DIRECT:
                yield Named(data.name, name, kind, None, kind.value in change.right)
                continue
            observed = Observed.of(seen)
            if observed is None:
                continue
            first, second = explanations(observed)[:2]
            kind = first.kind if margins.is_named(first.kind, math.inf, first.explains) else Kind.UNKNOWN
            yield Named(data.name, name, kind, first.likelihood - second.likelihood, kind.value in change.right)


def word(one: Named, margin: float) -> str:
    """Verdict on a name: right, wrong, or not said."""
    sure = one.margin is None or (one.kind is not Kind.UNKNOWN and one.margin >= margin)
    return "unknown" if not sure else "right" if one.right else "wrong"


def chosen(found: Sequence[Named]) -> float:
    """The smallest margin at which few enough windows of each data set have a wrong name."""
    for margin in range(1, LARGEST):
        tallies = counted(found, dict.fromkeys({n.change for n in found}, float(margin)))
        if all(tally["wrong"] <= WRONG * tally.total() for tally in tallies.values()):
            return float(margin)
    raise ValueError(f"no margin up to {LARGEST} has fewer than {WRONG:.0%} wrong names")


def counted(found: Sequence[Named], by_change: Mapping[str, float]) -> dict[str, Counter[str]]:
    """Right, unknown and wrong names by data set, with a margin for each change."""
    tally: dict[str, Counter[str]] = {}
    for one in found:
        tally.setdefault(one.data, Counter())[word(one, by_change[one.change])] += 1
    return tally


def write(margin: float) -> None:
    """Write the margin into the package."""
    begin, end = "# begin: python -m benchmarks.margins --write\n", "# end\n"
    before, _, rest = PAGE.read_text().partition(begin)
    PAGE.write_text(f"{before}{begin}LEAST_MARGIN = {margin:.1f}\n{end}{rest.partition(end)[2]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="Write the margins into the package.")
    given = parser.parse_args()
    found: list[Named] = []
    for data in data_sets(Path(os.environ["SPECTRONORM_DATA"])):
        if data.name == OTHER_DIGITS:
            continue
        plain = measured(data.front_end, data.waves)
        known, rate = trainings(data, plain), data.front_end.sample_rate
        for name, change in DEVELOP.items():
            clips = plain if change.device is None else measured(data.front_end, heard(change, data.waves, rate))
            found += named(data, name, change, clips, known)
    without = {change: chosen([n for n in found if n.change != change]) for change in {n.change for n in found}}
    for name, tally in counted(found, without).items():
        shares = ", ".join(f"{w} {100 * tally[w] / tally.total():.1f} %" for w in ("right", "unknown", "wrong"))
        print(f"{name}: of {tally.total()} windows {shares}")
    margin = chosen(found)
    print(f"margin {margin:.0f}")
    if given.write:
        write(margin)


if __name__ == "__main__":
    main()
