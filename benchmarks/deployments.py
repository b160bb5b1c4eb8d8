"""The monitor in 200 simulated deployments of each kind, on ESC-10 and the spoken digits, fold by fold.

Run with `python -m benchmarks.deployments [--write docs/monitoring.md]`; `SPECTRONORM_DATA` names the folder with
esc10/ and fsdd/. It prints the tables, writes them between the markers of the page, and the numbers, as they come, into
`benchmarks/results/`; with `--go-on` a run that was stopped goes on. With `--diagnoses` each deployment is diagnosed
too, which takes hours; `benchmarks.diagnoses` judges the names in minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.deployment_data import (
    DEPLOYMENTS,
    LENGTH,
    OTHER_DIGITS,
    RATES,
    WINDOW,
    Clips,
    DataSet,
    Training,
    data_sets,
    measured,
    trainings,
)
from benchmarks.deployment_tables import CALIBRATIONS, RATE, hazard, tables
from benchmarks.measure import RESULTS
from benchmarks.peers import Adwin, KolmogorovSmirnov
from benchmarks.shifts import FRESH, OTHER, SHIFTS, Shift
from spectronorm.monitor import Baseline, Kind
from spectronorm.monitor.threshold import stream_statistics
from spectronorm.storage.atomic import write_text

DIAGNOSED_AT = (8, 16, 32)


Kinds = dict[int, Counter[str]]


def alarms(baseline: Baseline, threshold: float, features: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether there is an alarm after each clip of deployments `(stream, clip, feature)`: `(stream, clip)`."""
    return stream_statistics(baseline.scores(features), WINDOW.pane_clips, WINDOW.panes) > threshold


def first_of(alarm: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The clip, from 1, at which each deployment alarms first; 0 for never."""
    return np.where(alarm.any(axis=1), alarm.argmax(axis=1) + 1, 0)


def diagnoses(training: Training, clips: Clips, orders: NDArray[np.int64], alarm: NDArray[np.bool_]) -> Kinds:
    """What is diagnosed from the first clips of each deployment; nothing where there is no alarm then."""
    kinds = {at: Counter[str]() for at in DIAGNOSED_AT}
    for order, alarmed in zip(orders, alarm, strict=True):
        for at in DIAGNOSED_AT:
            kinds[at][(clips.diagnosed(training, order[:at]) if alarmed[at - 1] else Kind.NOTHING).value] += 1
    return kinds


def run_shift(
    name: str, clips: Clips, all_trainings: Sequence[Training], peers: Mapping[str, Any], *, diagnosed: bool
) -> dict[str, Any]:
    """All deployments behind one device."""
    firsts, from_profile, kinds = [], [], {at: Counter[str]() for at in DIAGNOSED_AT}
    peer_firsts: dict[str, list[int]] = {peer: [] for peer in peers}
    for training in all_trainings:
        orders = training.other_orders if name == OTHER else training.orders
        features = clips.features[orders]
        alarm = alarms(training.baseline, training.thresholds[RATE], features)
        firsts.append(first_of(alarm))
        from_profile.append(first_of(alarms(training.from_profile, training.profile_thresholds[RATE], features)))
        if diagnosed:
            for at, tally in diagnoses(training, clips, orders, alarm).items():
                kinds[at].update(tally)
        for peer, make in peers.items():
            detector = make(training.fold)
            peer_firsts[peer] += [detector.first(clips.frame_means, order) for order in orders]
    return {
        "first": np.concatenate(firsts).tolist(),
        "first_from_profile": np.concatenate(from_profile).tolist(),
        "length": orders.shape[1],
        "kinds": {at: dict(tally) for at, tally in kinds.items()} if diagnosed else {},
        "peers": peer_firsts,
    }


def false_alarms(clips: Clips, all_trainings: Sequence[Training]) -> list[dict[str, Any]]:
    """Measured over asked, for several rates, calibrated on clips and on the profile alone: over all, and by fold."""
    rows = []
    for rate in RATES:
        row: dict[str, Any] = {"asked": rate}
        for name in CALIBRATIONS:
            first = []
            for t in all_trainings:
                generator = np.random.default_rng(100 + t.fold)
                own = np.unique(t.orders)
                orders = np.stack([generator.permutation(own)[:LENGTH] for _ in range(10 * DEPLOYMENTS)])
                baseline, thresholds = (
                    (t.baseline, t.thresholds) if name == "clips" else (t.from_profile, t.profile_thresholds)
                )
                first.append(first_of(alarms(baseline, thresholds[rate], clips.features[orders])))
            row[name] = hazard(np.concatenate(first), LENGTH) / rate
            row[f"{name} by fold"] = [hazard(fold, LENGTH) / rate for fold in first]
        rows.append(row)
    return rows


class Bench:
    """A data set measured and trained on, when the first of its parts is asked for."""

    def __init__(self, data: DataSet, *, diagnosed: bool = False) -> None:
        self.data, self.diagnosed = data, diagnosed

    @cached_property
    def plain(self) -> Clips:
        return measured(self.data.front_end, self.data.waves)

    @cached_property
    def trainings(self) -> list[Training]:
        return trainings(self.data, self.plain)

    @cached_property
    def peers(self) -> Mapping[str, Any]:
        means = {
            t.fold: [m for m, fold in zip(self.plain.frame_means, self.data.folds, strict=True) if fold != t.fold]
            for t in self.trainings
        }
        return {
            "Kolmogorov-Smirnov": cache(lambda fold: KolmogorovSmirnov(means[fold], RATE)),
            "ADWIN": cache(lambda fold: Adwin(means[fold], RATE)),
        }

    def shift(self, name: str, shift: Shift, *, peers: bool) -> dict[str, Any]:
        generator = np.random.default_rng(0)
        waves = [shift.device(wave, self.data.front_end.sample_rate, generator) for wave in self.data.waves]
        clips = self.plain if name == "none" else measured(self.data.front_end, waves)
        return run_shift(name, clips, self.trainings, self.peers if peers else {}, diagnosed=self.diagnosed)

    def other(self) -> dict[str, Any]:
        clips = measured(self.data.front_end, self.data.others)
        return run_shift(OTHER, clips, self.trainings, self.peers, diagnosed=self.diagnosed)

    def parts(self) -> dict[tuple[str, str], Callable[[], Any]]:
        """What is measured, by section and name."""
        fresh: dict[tuple[str, str], Callable[[], Any]] = {
            ("fresh", name): partial(self.shift, name, shift, peers=False) for name, shift in FRESH.items()
        }
        if self.data.name == OTHER_DIGITS:
            return fresh
        found: dict[tuple[str, str], Callable[[], Any]] = {
            **{("shifts", name): partial(self.shift, name, shift, peers=True) for name, shift in SHIFTS.items()},
            ("shifts", OTHER): self.other,
            ("false_alarms", "rates"): lambda: false_alarms(self.plain, self.trainings),
        }
        # The digits have recordings that no rule was chosen on; of ESC-10 all were seen.
        return found if self.data.name == "digits" else {**found, **fresh}


def run(data: Path, file: Path, *, diagnosed: bool = False) -> dict[str, Any]:
    """Every part of every data set; what the file holds already is not measured again."""
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    for data_set in data_sets(data):
        bench = Bench(data_set, diagnosed=diagnosed)
        sections = found.setdefault(data_set.name, {})
        for (section, name), part in bench.parts().items():
            if name in sections.setdefault(section, {}):
                continue
            sections[section][name] = json.loads(json.dumps(part()))
            write_text(file, json.dumps(found, indent=1) + "\n", None)
            print(f"  {data_set.name}: {name}, {time.process_time():.0f} CPU-seconds so far", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="The page whose tables are to be replaced.")
    parser.add_argument("--go-on", action="store_true", help="Measure only what the results do not hold already.")
    parser.add_argument("--diagnoses", action="store_true", help="Diagnose each deployment too, which takes hours.")
    options = parser.parse_args()
    if not os.environ.get("SPECTRONORM_DATA"):
        parser.error("SPECTRONORM_DATA must name the folder with esc10/ and fsdd/")
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / "deployments.json"
    if not options.go_on:
        file.unlink(missing_ok=True)
    text = tables(run(Path(os.environ["SPECTRONORM_DATA"]), file, diagnosed=options.diagnoses))
    print(text)
    if options.write:
        page = options.write.read_text()
        begin, end = "<!-- deployments: begin -->", "<!-- deployments: end -->"
        before, after = page.split(begin)[0], page.split(end)[1]
        options.write.write_text(f"{before}{begin}\n\n{text}\n{end}{after}")


if __name__ == "__main__":
    main()
