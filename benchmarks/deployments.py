"""The monitor in 200 simulated deployments of each kind, on ESC-10 and the spoken digits, fold by fold.

Run with `python -m benchmarks.deployments [--write docs/monitoring.md]`; `SPECNORM_DATA` names the folder with esc10/
and fsdd/. It prints the tables, writes them between the markers of the page, and the numbers into
`benchmarks/results/`.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter as Tally
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import specnorm as sn
from benchmarks.deployment_tables import RATE, hazard, tables
from benchmarks.measure import RESULTS
from benchmarks.peers import Adwin, KolmogorovSmirnov
from benchmarks.shifts import FRESH, OTHER, SHIFTS, Shift
from specnorm.monitor import Baseline, Kind, Reference, Window, diagnose, evidence
from specnorm.monitor.diagnosis import UPDATE_HELPS
from specnorm.monitor.features import as_recorded
from specnorm.monitor.panes import Pane, SeenClip
from specnorm.monitor.threshold import calibrate, stream_statistics
from specnorm.monitor.variety import variety
from specnorm.profile import Measurement, Profile

DEPLOYMENTS = 40  # of each fold
LENGTH = 80
WINDOW = Window()
RATES = (1 / 200, 1 / 1000, 1 / 5000)
DIAGNOSED_AT = (8, 16, 32)
GUARDED_OF_FOLD = 20
OTHER_DIGITS = "digits, other recordings"


Kinds = dict[int, Tally[str]]


@dataclass(frozen=True)
class Clips:
    """What the monitor knows of each clip of a data set behind one device."""

    features: NDArray[np.float64]
    measurements: Sequence[Measurement]
    frame_means: Sequence[NDArray[np.float32]]


@dataclass(frozen=True)
class DataSet:
    """Waves with their folds, and the waves of the other data set."""

    name: str
    front_end: sn.FrontEnd
    waves: Sequence[NDArray[np.float32]]
    folds: NDArray[np.int64]
    labels: NDArray[Any]
    others: Sequence[NDArray[np.float32]]


def data_sets(data: Path) -> Iterator[DataSet]:
    """ESC-10 with waveform normalization, which hides the gain; digits as recorded."""
    esc = sn.open_source(data / "esc10")
    folds = np.array([int(clip.columns["fold"]) for clip in esc])
    recordings = sorted((data / "fsdd" / "recordings").glob("*.wav"))
    digits, other_digits = recordings[::3], recordings[1::3]
    mel = sn.FrontEnd(16_000, sn.StandardizeWaveform(), sn.STFT(1024, hop_length=512), sn.Mel(64))
    long = [path for path in digits if len(sn.read(path, 16_000)) >= mel.min_samples]
    yield DataSet(
        "ESC-10",
        mel,
        [sn.read(clip.path, 16_000) for clip in esc],
        folds,
        np.array([clip.columns["label"] for clip in esc]),
        [sn.read(path, 16_000) for path in long],
    )
    mel = sn.FrontEnd(8_000, stft=sn.STFT(256, hop_length=128), bands=sn.Mel(40))
    for name, paths in (("digits", digits), (OTHER_DIGITS, other_digits)):
        yield DataSet(
            name,
            mel,
            [sn.read(path, 8_000) for path in paths],
            np.array([int(path.stem.split("_")[2]) for path in paths]) % 5 + 1,
            np.array([path.stem.split("_")[0] for path in paths]),
            [sn.read(clip.path, 8_000) for clip in esc],
        )


def measured(front_end: sn.FrontEnd, waves: Sequence[NDArray[Any]]) -> Clips:
    """Every clip on its own, as a monitor sees it."""
    features, measurements, means = [], [], []
    for wave in waves:
        samples = np.ascontiguousarray(wave, dtype=np.float32)
        level = front_end.clip_level(samples)
        clip, row = SeenClip.of(front_end, front_end.grid, level, as_recorded(samples))
        features.append(row)
        measurements.append(Pane(front_end, None, (clip,), np.zeros(0, dtype=np.int64)).measurement)
        means.append(level.mean(axis=0).astype(np.float32))
    return Clips(np.stack(features), measurements, means)


@dataclass(frozen=True)
class Training:
    """What one fold is monitored with."""

    fold: int
    profile: Profile
    reference: Reference
    baseline: Baseline
    thresholds: Mapping[float, float]
    from_profile: Baseline
    profile_thresholds: Mapping[float, float]
    orders: NDArray[np.int64]
    other_orders: NDArray[np.int64]


def trainings(data: DataSet, clips: Clips) -> list[Training]:
    """Profile, baselines and thresholds without each fold, and the orders in which its clips are deployed."""
    found = []
    for fold in np.unique(data.folds):
        keep = [i for i, other in enumerate(data.folds) if other != fold]
        groups: dict[Any, list[Measurement]] = {}
        for i in keep:
            groups.setdefault((("fold", str(data.folds[i])),), []).append(clips.measurements[i])
        profile = Profile(data.front_end, {key: Measurement.sum(parts) for key, parts in groups.items()})
        baseline = Baseline.of_rows(data.front_end, clips.features[keep], [data.folds[i] for i in keep])
        made_up = Baseline.of_profile(profile)
        generator = np.random.default_rng(int(fold))
        own = np.flatnonzero(data.folds == fold)
        found.append(
            Training(
                int(fold),
                profile,
                Reference(profile),
                baseline,
                {rate: calibrate(baseline, WINDOW.pane_clips, WINDOW.panes, rate) for rate in RATES},
                made_up,
                {rate: calibrate(made_up, WINDOW.pane_clips, WINDOW.panes, rate) for rate in RATES},
                np.stack([generator.permutation(own)[:LENGTH] for _ in range(DEPLOYMENTS)]),
                np.stack(
                    [
                        generator.permutation(len(data.others))[: min(LENGTH, len(data.others))]
                        for _ in range(DEPLOYMENTS)
                    ]
                ),
            )
        )
    return found


def alarms(baseline: Baseline, threshold: float, features: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether there is an alarm after each clip of deployments `(stream, clip, feature)`: `(stream, clip)`."""
    return stream_statistics(baseline.scores(features), WINDOW.pane_clips, WINDOW.panes) > threshold


def first_of(alarm: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The clip, from 1, at which each deployment alarms first; 0 for never."""
    return np.where(alarm.any(axis=1), alarm.argmax(axis=1) + 1, 0)


def diagnoses(training: Training, clips: Clips, orders: NDArray[np.int64], alarm: NDArray[np.bool_]) -> Kinds:
    """What is diagnosed from the first clips of each deployment; nothing where there is no alarm then."""
    kinds = {at: Tally[str]() for at in DIAGNOSED_AT}
    for order, alarmed in zip(orders, alarm, strict=True):
        parts: list[Measurement] = []
        for before, at in pairwise((0, *DIAGNOSED_AT)):
            parts = [Measurement.sum([*parts, *(clips.measurements[i] for i in order[before:at])])]
            found = diagnose(evidence(training.reference, parts[0])).kind if alarmed[at - 1] else Kind.NOTHING
            kinds[at][found.value] += 1
    return kinds


def run_shift(name: str, clips: Clips, all_trainings: Sequence[Training], peers: Mapping[str, Any]) -> dict[str, Any]:
    """All deployments behind one device."""
    firsts, from_profile, kinds = [], [], {at: Tally[str]() for at in DIAGNOSED_AT}
    peer_firsts: dict[str, list[int]] = {peer: [] for peer in peers}
    for training in all_trainings:
        orders = training.other_orders if name == OTHER else training.orders
        features = clips.features[orders]
        alarm = alarms(training.baseline, training.thresholds[RATE], features)
        firsts.append(first_of(alarm))
        from_profile.append(first_of(alarms(training.from_profile, training.profile_thresholds[RATE], features)))
        for at, tally in diagnoses(training, clips, orders, alarm).items():
            kinds[at].update(tally)
        for peer, make in peers.items():
            detector = make(training.fold)
            peer_firsts[peer] += [detector.first(clips.frame_means, order) for order in orders]
    return {
        "first": np.concatenate(firsts).tolist(),
        "first_from_profile": np.concatenate(from_profile).tolist(),
        "length": orders.shape[1],
        "kinds": {at: dict(tally) for at, tally in kinds.items()},
        "peers": peer_firsts,
    }


def false_alarms(clips: Clips, all_trainings: Sequence[Training]) -> list[dict[str, float]]:
    """Measured over asked, for several rates, calibrated on clips and on the profile alone."""
    rows = []
    for rate in RATES:
        row: dict[str, float] = {"asked": rate}
        for name in ("clips", "profile"):
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
        rows.append(row)
    return rows


def refusals(data: DataSet, clips: Clips, all_trainings: Sequence[Training]) -> list[dict[str, Any]]:
    """How often an update from clips of one, of two and of all classes is refused, as uniform or by its diagnosis."""
    rows = []
    for baseline_name in ("training clips", "profile alone"):
        for count in (16, 32):
            row: dict[str, Any] = {"baseline": baseline_name, "clips": count}
            for classes in (1, 2, 10):
                uniform, refused = [], []
                for t in all_trainings:
                    generator = np.random.default_rng(t.fold)
                    baseline, thresholds = t.baseline, t.thresholds
                    if baseline_name == "profile alone":
                        baseline, thresholds = t.from_profile, t.profile_thresholds
                    for _ in range(GUARDED_OF_FOLD):
                        chosen = generator.choice(np.unique(data.labels), classes, replace=False)
                        # One or two classes have too few clips in a fold: they are taken from all.
                        of_fold = (data.folds == t.fold) | (classes < 10)
                        pool = np.flatnonzero(np.isin(data.labels, chosen) & of_fold)
                        order = generator.choice(pool, count, replace=False)
                        uniform.append(not variety(baseline, clips.features[order]).enough)
                        window = Measurement.sum(clips.measurements[i] for i in order)
                        alarm = alarms(baseline, thresholds[min(RATES)], clips.features[order][None]).any()
                        helps = not alarm or diagnose(evidence(t.reference, window)).kind in UPDATE_HELPS
                        refused.append(uniform[-1] or not helps)
                row[str(classes)] = (float(np.mean(uniform)), float(np.mean(refused)))
            rows.append(row)
    return rows


def run(data: DataSet) -> dict[str, Any]:
    """Every device on one data set."""
    plain = measured(data.front_end, data.waves)
    all_trainings = trainings(data, plain)
    train_means = {
        t.fold: [m for m, fold in zip(plain.frame_means, data.folds, strict=True) if fold != t.fold]
        for t in all_trainings
    }
    peers = {
        "Kolmogorov-Smirnov": cache(lambda fold: KolmogorovSmirnov(train_means[fold], RATE)),
        "ADWIN": cache(lambda fold: Adwin(train_means[fold], RATE)),
    }

    def deployed(shifts: Mapping[str, Shift], peers: Mapping[str, Any]) -> dict[str, Any]:
        results: dict[str, Any] = {}
        for name, shift in shifts.items():
            generator = np.random.default_rng(0)
            waves = [shift.device(wave, data.front_end.sample_rate, generator) for wave in data.waves]
            clips = plain if name == "none" else measured(data.front_end, waves)
            results[name] = run_shift(name, clips, all_trainings, peers)
            print(f"  {data.name}: {name}, {time.process_time():.0f} CPU-seconds so far", flush=True)
        return results

    if data.name == OTHER_DIGITS:
        return {"fresh": deployed(FRESH, {})}
    results = deployed(SHIFTS, peers)
    results[OTHER] = run_shift(OTHER, measured(data.front_end, data.others), all_trainings, peers)
    found = {
        "shifts": results,
        "false_alarms": false_alarms(plain, all_trainings),
        "refusals": refusals(data, plain, all_trainings),
    }
    # The digits have recordings that no rule was chosen on; of ESC-10 all were seen.
    return found if data.name == "digits" else {**found, "fresh": deployed(FRESH, {})}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="The page whose tables are to be replaced.")
    options = parser.parse_args()
    if not os.environ.get("SPECNORM_DATA"):
        parser.error("SPECNORM_DATA must name the folder with esc10/ and fsdd/")
    found = {data.name: run(data) for data in data_sets(Path(os.environ["SPECNORM_DATA"]))}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "deployments.json").write_text(json.dumps(found, indent=1) + "\n")
    text = tables(found)
    print(text)
    if options.write:
        page = options.write.read_text()
        begin, end = "<!-- deployments: begin -->", "<!-- deployments: end -->"
        before, after = page.split(begin)[0], page.split(end)[1]
        options.write.write_text(f"{before}{begin}\n\n{text}\n{end}{after}")


if __name__ == "__main__":
    main()
