"""The recordings that `benchmarks.deployments` deploys, and what their training folds are monitored with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import spectronorm as sn
from spectronorm.monitor import Baseline, Diagnosis, Kind, Reference, Window, diagnose, evidence
from spectronorm.monitor.clips.moments import FeatureMoments
from spectronorm.monitor.clips.recorded import as_recorded
from spectronorm.monitor.recent import Pane, SeenClip
from spectronorm.monitor.threshold import calibrate
from spectronorm.profile import Measurement, Profile

DEPLOYMENTS = 40  # of each fold
LENGTH = 80
WINDOW = Window()
RATES = (1 / 200, 1 / 1000, 1 / 5000)
OTHER_DIGITS = "digits, other recordings"


@dataclass(frozen=True)
class Clips:
    """What the monitor knows of each clip of a data set behind one device."""

    features: NDArray[np.float64]
    measurements: Sequence[Measurement]
    frame_means: Sequence[NDArray[np.float32]]

    def diagnosed(self, training: Training, order: NDArray[np.int64], *, by_profile: bool = False) -> Kind:
        """The kind that is diagnosed from these clips, by the training clips or by their profile alone."""
        return self.diagnosis(training, order, by_profile=by_profile).kind

    def diagnosis(self, training: Training, order: NDArray[np.int64], *, by_profile: bool = False) -> Diagnosis:
        """The diagnosis of these clips."""
        known = Reference(training.profile) if by_profile else training.reference
        window = Measurement.sum(self.measurements[i] for i in order)
        return diagnose(evidence(known, window, FeatureMoments.of(self.features[order])))


@dataclass(frozen=True)
class DataSet:
    """Waves with their folds, labels and speakers (or recordings), and the waves of the other data set."""

    name: str
    front_end: sn.FrontEnd
    waves: Sequence[NDArray[np.float32]]
    folds: NDArray[np.int64]
    labels: NDArray[Any]
    speakers: NDArray[Any]
    others: Sequence[NDArray[np.float32]]


def data_sets(data: Path) -> Iterator[DataSet]:
    """ESC-10 with waveform normalization, which hides the gain; digits as recorded."""
    esc = sn.open_source(data / "esc10")
    folds = np.array([int(clip.columns["fold"]) for clip in esc])
    recordings = sorted((data / "fsdd" / "recordings").glob("*.wav"))
    digits, other_digits = recordings[::3], recordings[1::3]
    mel = sn.FrontEnd(16_000, sn.waveform.StandardizeWaveform(), sn.STFT(1024, hop_length=512), sn.Mel(64))
    long = [path for path in digits if len(sn.read(path, 16_000)) >= mel.min_samples]
    yield DataSet(
        "ESC-10",
        mel,
        [sn.read(clip.path, 16_000) for clip in esc],
        folds,
        np.array([clip.columns["label"] for clip in esc]),
        np.array([clip.columns["src_file"] for clip in esc]),
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
            np.array([path.stem.split("_")[1] for path in paths]),
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
        measurements.append(
            Pane(front_end, None, (clip,), np.zeros(0, np.int64), FeatureMoments.of(row), clip.sums).measurement
        )
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


def trainings(data: DataSet, clips: Clips, rates: Sequence[float] = RATES) -> list[Training]:
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
                Reference(profile, baseline),
                baseline,
                {rate: calibrate(baseline, WINDOW.pane_clips, WINDOW.panes, rate) for rate in rates},
                made_up,
                {rate: calibrate(made_up, WINDOW.pane_clips, WINDOW.panes, rate) for rate in rates},
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
