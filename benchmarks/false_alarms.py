"""False alarms over what was asked for, by fold, of clips that are shuffled and of clips in order.

    python -m benchmarks.false_alarms [--write]

Each fold of ESC-10 and of the spoken digits is played, unchanged, to a monitor that knows the other four: in random
orders to one that is calibrated as usual, and in an order, from a random clip on, to one that is calibrated with
`--serial` on training clips in that order: takes of a recording in a row, class after class, speaker after speaker. The
figure is the number of first alarms for each clip until then, over what was asked for. The serial calibration was
chosen on the digits. `SPECTRONORM_DATA` names the folder with esc10/ and fsdd/. Two minutes of processor time.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.deployment_data import LENGTH, OTHER_DIGITS, WINDOW, Clips, DataSet, data_sets, measured
from benchmarks.deployment_tables import hazard
from benchmarks.deployments import alarms, first_of
from benchmarks.document import put_table
from spectronorm.monitor import Baseline
from spectronorm.monitor.threshold import calibrate

STREAMS = 300
RATES = (1 / 200, 1 / 1000)
PAGE = Path(__file__).parent.parent / "docs" / "monitoring.md"
ORDERS = {
    "ESC-10": ("shuffled", "takes in a row", "class after class"),
    "digits": ("shuffled", "class after class", "speaker after speaker"),
}


def ordered(data: DataSet, order: str) -> NDArray[np.int64]:
    """Indices of all clips in an order; the sources list takes of a recording, or of a speaker's digit, in a row."""
    place = np.arange(len(data.waves))
    keys = {"class after class": data.labels, "speaker after speaker": data.speakers}
    return np.lexsort((place, keys[order])) if order in keys else place


def fold_rates(data: DataSet, clips: Clips, order: str, rate: float) -> list[float]:
    """Measured over asked, fold by fold."""
    found = []
    every = ordered(data, order)
    for fold in np.unique(data.folds):
        generator = np.random.default_rng(int(fold))
        own, keep = every[data.folds[every] == fold], every[data.folds[every] != fold]
        baseline = Baseline.of_rows(data.front_end, clips.features[keep], [int(data.folds[i]) for i in keep])
        threshold = calibrate(baseline, WINDOW.pane_clips, WINDOW.panes, rate, serial=order != "shuffled")
        streams = [
            generator.permutation(own)[:LENGTH]
            if order == "shuffled"
            else own[(generator.integers(len(own)) + np.arange(LENGTH)) % len(own)]
            for _ in range(STREAMS)
        ]
        first = first_of(alarms(baseline, threshold, clips.features[np.stack(streams)]))
        found.append(hazard(first, LENGTH) / rate)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="Write the table into docs/monitoring.md.")
    given = parser.parse_args()
    rows = [["clips", "order", "asked for", "measured / asked", "by fold"]]
    for data in data_sets(Path(os.environ["SPECTRONORM_DATA"])):
        if data.name == OTHER_DIGITS:
            continue
        clips = measured(data.front_end, data.waves)
        for order in ORDERS[data.name]:
            for rate in RATES:
                folds = fold_rates(data, clips, order, rate)
                by_fold = ", ".join(f"{value:.1f}" for value in folds)
                rows.append([data.name, order, f"1 in {1 / rate:.0f}", f"{np.mean(folds):.2f}", by_fold])
                print(" | ".join(rows[-1]), flush=True)
    if given.write:
        put_table(PAGE, "false-alarms", rows)


if __name__ == "__main__":
    main()
