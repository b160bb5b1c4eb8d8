"""Margins and explained share from which a cause is named, chosen on changes and pairs to develop on.

    python -m benchmarks.margins [--write]

Every change of `benchmarks.developed_on` and every pair of `benchmarks.developed_pairs` is deployed on ESC-10 and on
the spoken digits, one window of 32 clips on each of two folds (three where only the choice of clips changes). Of all
margins and explained shares of the grid with which at most one window in fifty has a wrong name, of the changes and of
the pairs of each data set, the largest share is chosen that costs at most a point of the causes that are named rightly.
Left out one by one, changes are named with what was chosen without them; the shares of right and wrong names are
printed. `SPECTRONORM_DATA` names the folder with esc10/ and fsdd/. Five minutes of processor time.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.changes import Change, heard
from benchmarks.deployment_data import OTHER_DIGITS, DataSet, Training, data_sets, measured, trainings
from benchmarks.deployment_tables import RATE
from benchmarks.deployments import alarms
from benchmarks.developed_on import DEVELOP
from benchmarks.developed_pairs import DEVELOPED_PAIRS
from benchmarks.diagnoses import windows
from spectronorm.monitor import Evidence, evidence
from spectronorm.monitor.change import margins
from spectronorm.monitor.change.diagnosis import shown_directly
from spectronorm.monitor.change.explanations import explanations
from spectronorm.monitor.change.margins import surely_named
from spectronorm.monitor.change.observed import Observed
from spectronorm.monitor.clips.moments import FeatureMoments
from spectronorm.profile import Measurement

WRONG, COST = 0.02, 0.01
FOLDS = 3  # every third: the first and the fourth
GRID = tuple(
    (float(margin), explained, second * margin)
    for margin, second, explained in product(range(8, 21), (3.0, 2.0, 1.5, 1.0), (0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5))
)
"""Margins, explained shares and margins of a second cause; of equals the first is chosen.

Margins below 8 are left out: on fresh changes and pairs of the digits they named more than 5 % of the windows wrongly.
"""
PAGE = Path(margins.__file__)
HALVES: Mapping[str, Mapping[str, Change]] = {"changes": DEVELOP, "pairs": DEVELOPED_PAIRS}


@dataclass(frozen=True)
class Tried:
    """A window with an alarm, and what each margin and share of the grid makes of it.

    Attributes:
        data: Data set.
        half: Changes or pairs.
        change: Name of the change.
        right: Share of the change's causes that are named, at each place of the grid.
        wrong: 1 where any cause is named that is none of the change's.
    """

    data: str
    half: str
    change: str
    right: NDArray[np.float64]
    wrong: NDArray[np.float64]


def seen(data: DataSet, change: Change, known: Sequence[Training]) -> Iterator[Evidence]:
    """Yield the evidence of each window with an alarm."""
    few = 1 if change.device is not None else 3
    chosen = [(training, order) for training in known for order in list(windows(data, change, training.fold))[:few]]
    numbers = np.unique(np.concatenate([order for _, order in chosen]))
    waves = heard(change, data.waves, data.front_end.sample_rate, numbers=numbers.tolist())
    clips = measured(data.front_end, waves)
    for training, order in chosen:
        here = np.searchsorted(numbers, order)
        features = clips.features[here]
        if alarms(training.baseline, training.thresholds[RATE], features[None]).any():
            window = Measurement.sum(clips.measurements[i] for i in here)
            yield evidence(training.reference, window, FeatureMoments.of(features))


def tried(data: str, half: str, name: str, change: Change, window: Evidence) -> Tried:
    """Name a window's causes at every place of the grid."""
    causes = 2 if half == "pairs" else 1
    direct, observed = shown_directly(window), Observed.of(window)
    if direct is not None:
        by_place = [{direct.kind.value}] * len(GRID)
    elif observed is None:
        raise ValueError("the levels of both data sets are decibels")
    else:
        found = explanations(observed)
        by_place = [{part.kind.value for part in surely_named(found, *place)} for place in GRID]
    right = [min(len(names & change.right) / causes, 1.0) * (names <= change.right) for names in by_place]
    return Tried(data, half, name, np.array(right), np.array([float(not names <= change.right) for names in by_place]))


def by_half(found: Sequence[Tried], of: str) -> Iterator[NDArray[np.float64]]:
    """Yield the mean at each place of the grid, of the changes and of the pairs of each data set."""
    for key in sorted({(one.data, one.half) for one in found}):
        yield np.mean([getattr(one, of) for one in found if (one.data, one.half) == key], axis=0)


def chosen(found: Sequence[Tried]) -> int:
    """The place of the grid with the largest explained share among the good ones, and of these with most right names.

    Good ones have few enough wrong names, and right names for all causes but `COST` of those of the best.
    """
    worst, right = np.max(list(by_half(found, "wrong")), axis=0), np.mean(list(by_half(found, "right")), axis=0)
    if worst.min() > WRONG:
        raise ValueError(f"every margin leaves more than {WRONG:.0%} wrong names: {worst.min():.1%} at least")
    allowed = np.where(worst <= WRONG, right, -1.0)
    shares = np.array([explained for _, explained, _ in GRID])
    good = allowed >= allowed.max() - COST
    return int(np.where(good & (shares == shares[good].max()), allowed, -1.0).argmax())


def left_out(found: Sequence[Tried]) -> Iterator[str]:
    """Yield the shares of names with each change named by what was chosen without it."""
    places = {change: chosen([one for one in found if one.change != change]) for change in {f.change for f in found}}
    yield f"chosen without one: {sorted({GRID[place] for place in places.values()})}"
    for key in sorted({(one.data, one.half) for one in found}):
        those = [one for one in found if (one.data, one.half) == key]
        wrong = np.mean([one.wrong[places[one.change]] for one in those])
        right = np.mean([one.right[places[one.change]] for one in those])
        any_right = np.mean([one.right[places[one.change]] > 0 for one in those])
        yield (
            f"{key[0]}, {key[1]}: of {len(those)} windows {wrong:.1%} are named wrongly, {any_right:.1%} rightly, "
            f"with {right:.1%} of the causes"
        )


def write(margin: float, explained: float, second: float) -> None:
    """Write margins and share into the package."""
    begin, end = "# begin: python -m benchmarks.margins --write\n", "# end\n"
    before, _, rest = PAGE.read_text().partition(begin)
    values = f"LEAST_MARGIN = {margin:.1f}\nLEAST_EXPLAINED = {explained:g}\nLEAST_SECOND_MARGIN = {second:.1f}\n"
    PAGE.write_text(f"{before}{begin}{values}{end}{rest.partition(end)[2]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="Write margins and share into the package.")
    given = parser.parse_args()
    found: list[Tried] = []
    for data in data_sets(Path(os.environ["SPECTRONORM_DATA"])):
        if data.name == OTHER_DIGITS:
            continue
        known = trainings(data, measured(data.front_end, data.waves), (RATE,))[::FOLDS]
        for half, changes in HALVES.items():
            for name, change in changes.items():
                found += [tried(data.name, half, name, change, window) for window in seen(data, change, known)]
    for line in left_out(found):
        print(line)
    place = GRID[chosen(found)]
    print(f"margin {place[0]:g}, explained share {place[1]:g}, margin of a second cause {place[2]:g}")
    if given.write:
        write(*place)


if __name__ == "__main__":
    main()
