"""Updates that are refused without any change: from clips of few classes, and of all.

    python -m benchmarks.refusals [--sets 6] [--write]

Sets of 16 and of 32 clips of 1, 2, 3, 5 or 10 of the classes of ESC-10 come to a monitor that knows four folds; those
of all classes are of the fifth fold. An update goes through only where there is an alarm, where the diagnosis has a
measured benefit, and where the clips are diverse enough. `SPECTRONORM_DATA` names the folder with esc10/. Two minutes
of processor time.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.deployment_data import Clips, DataSet, Training, data_sets, measured, trainings
from benchmarks.deployment_tables import RATE
from benchmarks.deployments import alarms
from benchmarks.document import put_table
from spectronorm.monitor import NewAudio, Remedy
from spectronorm.monitor.change.diagnosis import nothing
from spectronorm.monitor.clips.variety import variety
from spectronorm.monitor.mending.guards import objections_to
from spectronorm.profile import Measurement

PAGE = Path(__file__).parent.parent / "docs" / "monitoring.md"
CLASSES, COUNTS = (1, 2, 3, 5, 10), (16, 32)


def new_audio(training: Training, clips: Clips, order: NDArray[np.int64]) -> NewAudio:
    """Clips as `measure_new` judges them."""
    features = clips.features[order]
    alarm = alarms(training.baseline, training.thresholds[RATE], features[None]).any()
    found = clips.diagnosis(training, order) if alarm else nothing(len(order))
    measurement = Measurement.sum(clips.measurements[i] for i in order)
    return NewAudio(measurement, features, (), found, variety(training.baseline, features))


def refused(
    data: DataSet, clips: Clips, known: Sequence[Training], classes: int, count: int, sets: int
) -> list[list[bool]]:
    """Of each set: are the clips too alike for any update, and is an update of means, and an adaptation, refused."""
    found = []
    for training in known:
        generator = np.random.default_rng([training.fold, classes, count])
        for _ in range(sets):
            chosen = generator.choice(np.unique(data.labels), classes, replace=False)
            # Few classes have too few clips in a fold: they are taken from all.
            pool = np.flatnonzero(np.isin(data.labels, chosen) & ((data.folds == training.fold) | (classes < 10)))
            new = new_audio(training, clips, generator.choice(pool, count, replace=False))
            by_remedy = [bool(objections_to(new, remedy)) for remedy in (Remedy.MEAN, Remedy.BATCH_NORM)]
            found.append([not new.variety.enough, *by_remedy])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=6, help="Sets of each fold.")
    parser.add_argument("--write", action="store_true", help="Write the table into docs/monitoring.md.")
    given = parser.parse_args()
    data = next(data_sets(Path(os.environ["SPECTRONORM_DATA"])))
    clips = measured(data.front_end, data.waves)
    known = trainings(data, clips)
    rows = [["clips", "classes", "too alike", "update of means refused", "adaptation refused"]]
    for count in COUNTS:
        for classes in CLASSES:
            shares = np.mean(refused(data, clips, known, classes, count, given.sets), axis=0)
            rows.append([str(count), f"{classes} of 10", *(f"{100 * share:.0f} %" for share in shares)])
            print(" | ".join(rows[-1]), flush=True)
    if given.write:
        put_table(PAGE, "refusals", rows, f"{given.sets * len(known)} sets each, of ESC-10.")


if __name__ == "__main__":
    main()
