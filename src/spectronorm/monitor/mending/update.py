"""Mending: a profile moved towards new audio, with the guards that keep it from making things worse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Floats, real_number, whole_number
from spectronorm.audio import ClipReference, Reader, Source
from spectronorm.engines import ThreadEngine
from spectronorm.errors import ArgumentError, AudioError, UpdateRefused
from spectronorm.features import open_for
from spectronorm.front_end import AnyFrontEnd
from spectronorm.monitor.change.diagnosis import UPDATE_HELPS, Diagnosis, Kind, diagnose, nothing
from spectronorm.monitor.change.evidence import evidence
from spectronorm.monitor.clips.baseline import Baseline
from spectronorm.monitor.clips.features import clip_features
from spectronorm.monitor.clips.variety import Variety, variety
from spectronorm.monitor.mending.shifted import counted_often, fixed_floor, moved_clips, shifted
from spectronorm.monitor.monitor import Monitor
from spectronorm.monitor.verdict import Verdict
from spectronorm.passes.clip_level import read_clip_level
from spectronorm.passes.one_pass import MAX_BAD, OneClip, one_pass
from spectronorm.profile import BadFile, LevelClip, LevelCounter, Measurement, Profile, Statistics
from spectronorm.profile.counting.clip_histograms import CELLS_PER_DB
from spectronorm.runs.progress import Progress

STATISTICS = ("mean", "mean+std")
MIN_CLIPS = 16
"""Fewer clips tell more of what they contain than of the device: in a pilot four took accuracy from 89 to 77 %."""
PRIOR_CLIPS = 1.0
_MOST_WEIGHT = 0.999


@dataclass(frozen=True, eq=False)
class NewAudio:
    """Unlabelled clips of the deployment, measured."""

    measurement: Measurement
    features: Floats
    bad: tuple[BadFile, ...]
    diagnosis: Diagnosis
    variety: Variety


@dataclass(frozen=True, eq=False)
class Update:
    """An updated profile, and how it came about.

    Attributes:
        profile: The new profile.
        shift: How far each band's levels moved, in the level's unit.
        mean_shift: How far each band's mean moved by that, silence included.
        rms_shift: How far the clips' RMS levels moved, in dB.
        peak_shift: How far their peaks moved, in dB.
        weight: How much of the way to the new audio was gone, 0 … 1.
        statistics: `mean` or `mean+std`.
        diagnosis: What had changed.
        objections: Why it should not have been done; only a forced update has any.
        clips: How many new clips it was made from.
    """

    profile: Profile
    shift: Floats
    mean_shift: Floats
    rms_shift: float
    peak_shift: float
    weight: float
    statistics: str
    diagnosis: Diagnosis
    objections: tuple[str, ...]
    clips: int

    def record(self) -> dict[str, Any]:
        """Plain JSON values, as the updated file keeps them."""
        return {
            "statistics": self.statistics,
            "weight": self.weight,
            "clips": self.clips,
            "why": str(self.diagnosis),
            "kind": self.diagnosis.kind.value,
            "objections": list(self.objections),
            "shift": self.shift.tolist(),
            "mean_shift": self.mean_shift.tolist(),
            "rms_shift": self.rms_shift,
            "peak_shift": self.peak_shift,
        }


def measure_new(
    source: str | Path | Source,
    profile: Profile,
    baseline: Baseline | None = None,
    *,
    max_bad: float = MAX_BAD,
    seed: int = 0,
    progress: Progress | None = None,
) -> NewAudio:
    """Read, measure and diagnose unlabelled audio of the deployment.

    Raises:
        SourceError: when the source cannot be opened or is empty.
        TooManyBad: when more clips are bad than `max_bad`, or all are.
        ArgumentError: when there are fewer than three clips.
    """
    front_end = profile.front_end
    baseline = Baseline.of_profile(profile, seed=seed) if baseline is None else baseline
    monitor = Monitor(profile, baseline, seed=seed)
    opened = open_for(source, front_end)
    counter, rows, alarms = LevelCounter(front_end), [], False
    # In random order: a folder sorted by label would alarm by its order alone.
    order = np.random.default_rng(whole_number(seed, "seed", 0)).permutation(len(opened))
    clips = [opened.clips[index] for index in order]
    task = _Listen(profile, opened.reader, counter)
    one_by_one = ThreadEngine(1)  # because a monitor listens to one clip after the other
    with one_pass(opened, task, clips, max_bad=max_bad, engine=one_by_one, progress=progress) as results:
        for heard in results:
            if not heard.bad:
                alarms = _verdict(monitor, heard).alarm or alarms
                rows.append(clip_features(heard.level, heard.samples))
    measurement = counter.measurement()
    if measurement is None or len(rows) < 3:
        raise ArgumentError(f"{len(rows)} clips are too few to update from: at least {MIN_CLIPS} are needed")
    features = np.stack(rows)
    found = diagnose(evidence(profile, measurement)) if alarms else nothing(len(rows))
    return NewAudio(measurement, features, results.bad, found, variety(baseline, features, seed=seed))


@dataclass(frozen=True)
class _Heard(OneClip):
    samples: NDArray[np.float32] | None = None
    level: Floats = field(default_factory=lambda: np.empty(0))
    bad: tuple[BadFile, ...] = ()


def _verdict(monitor: Monitor, heard: _Heard) -> Verdict:
    if heard.samples is None:
        return monitor.add_level(heard.level.reshape(*monitor.profile.front_end.level_shape, -1))
    return monitor.add(heard.samples, level=heard.level)


@dataclass(frozen=True)
class _Listen:
    """The samples and level of one clip, which is counted."""

    profile: Profile
    reader: Reader
    counter: LevelCounter

    def __call__(self, clip: ClipReference) -> _Heard:
        front_end = self.profile.front_end
        _, found = read_clip_level(clip, front_end, self.reader, duration=self.profile.duration)
        try:
            if isinstance(found, AudioError):
                raise found
            if found.samples is None:
                LevelClip.of(found.level, front_end).count_in(self.counter, front_end)
            else:
                self.counter.add_level(found.level, found.samples)
        except AudioError as error:
            return _Heard(bad=(BadFile.of(clip.name, error),))
        return _Heard(found.samples, found.level)


def update(
    profile: Profile,
    new: NewAudio,
    *,
    statistics: str = "mean",
    prior_clips: float = PRIOR_CLIPS,
    weight: float | None = None,
    force: bool = False,
) -> Update:
    """Move a profile's statistics towards new audio.

    The mean of what is above the floor goes `weight` of the way in each band: n / (n + `prior_clips`) for n new
    clips, or the exponential `weight` that is given. Silence stays silence, however much of it the new audio has.
    Levels move by whole histogram cells (a sixteenth of a decibel), which keeps everything exact integers. With `mean`
    the spread above the floor stays to the last digit; with `mean+std` the new clips are added as a group of their
    own, at the new mean, and count with that weight.

    Raises:
        UpdateRefused: when the diagnosis says that it harms, or the clips are too few or too alike, unless forced.
        ArgumentError: when a setting breaks its rule.
    """
    share = _weight(new.measurement.clips, prior_clips, weight)
    if statistics not in STATISTICS:
        raise ArgumentError(f"statistics={statistics!r} must be one of {', '.join(STATISTICS)}")
    objections = tuple(_objections(new))
    if objections and not force:
        raise UpdateRefused(
            f"not updated: {' '.join(objections)} Mend that first, or say that you want it all the same (--force)"
        )
    front_end, old = profile.front_end, profile.total
    grid = front_end.grid
    cells = np.rint(share * _apart(new.measurement, old, front_end) / grid.cell_width).astype(np.int64)
    rms, peak = (_moved_by(getattr(new.measurement, n), getattr(old, n), share) for n in ("rms", "peak"))
    groups = {
        key: replace(shifted(m, cells, front_end), rms=moved_clips(m.rms, rms), peak=moved_clips(m.peak, peak))
        for key, m in profile.groups.items()
    }
    if statistics == "mean+std":
        old_times, new_times = _times(profile.frames, new.measurement.frames, share)
        groups = {key: counted_often(m, old_times) for key, m in groups.items()}
        number = 1 + sum(key[0][0] == "update" for key in groups if key)
        groups[(("update", str(number)),)] = counted_often(_at_target(new.measurement, profile, cells), new_times)
    updated = replace(profile, groups=groups)
    return Update(
        updated,
        np.asarray(cells * grid.cell_width, dtype=np.float64),
        np.asarray(Statistics(updated.total, grid).mean - Statistics(old, grid).mean, dtype=np.float64),
        rms / CELLS_PER_DB,
        peak / CELLS_PER_DB,
        share,
        statistics,
        new.diagnosis,
        objections,
        new.measurement.clips,
    )


def restarted(monitor: Monitor, accepted: Update) -> Monitor:
    """A monitor that starts anew by an updated profile, with everything else as in this one."""
    return Monitor(
        accepted.profile,
        monitor.baseline.moved(accepted.mean_shift, accepted.rms_shift, accepted.peak_shift),
        window=monitor.window,
        false_alarms=monitor.false_alarms,
        seed=monitor.seed,
        threshold=monitor.threshold,
    )


def _weight(clips: int, prior_clips: float, weight: float | None) -> float:
    real_number(prior_clips, "prior_clips", 0, 1e9, of="clips")
    if weight is not None:
        real_number(weight, "weight", 1e-9, 1)
    return clips / (clips + prior_clips) if weight is None else weight


def _objections(new: NewAudio) -> list[str]:
    found = []
    if new.measurement.clips < MIN_CLIPS:
        found.append(f"{new.measurement.clips} clips are too few: at least {MIN_CLIPS} of mixed content are needed.")
    # Noise fills what was quiet and makes clips alike whatever they are: it is objected to as noise.
    if not new.variety.enough and new.diagnosis.kind is not Kind.NOISE:
        found.append(
            f"The clips are too alike (variety {new.variety.value:.2f}, as many training clips have at least "
            f"{new.variety.limit:.2f}): statistics of one or two kinds of sound ruin the others."
        )
    if new.diagnosis.kind not in UPDATE_HELPS:
        found.append(f"{new.diagnosis}")
    return found


def _moved_by(new: NDArray[np.int64], old: NDArray[np.int64], share: float) -> int:
    """By how many cells the clips' levels moved: so that their normal scores, which alarm, add up to nothing.

    Peaks are often cut off at full scale, and behind a filter they are not: equal means would leave them apart.
    """
    clips = old.sum()
    ranks = (np.cumsum(old) - old / 2 + 0.5) / (clips + 1)
    scores = np.array([NormalDist().inv_cdf(rank) for rank in ranks])
    cells = np.arange(len(old))
    low, high = -len(old), len(old)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if new @ scores[np.clip(cells - middle, 0, len(old) - 1)] > 0 else (low, middle)
    return round(share * high)


def _apart(new: Measurement, old: Measurement, front_end: AnyFrontEnd) -> Floats:
    """How far the means of what is above the floor are apart, by band; 0 where one of them is all silence."""
    floor = fixed_floor(front_end)
    means = [np.asarray(Statistics(m, front_end.grid, without_floor=floor).mean) for m in (new, old)]
    both_sound = (new.on_floor < new.count) & (old.on_floor < old.count)
    return np.where(both_sound, means[0] - means[1], 0.0)


def _at_target(new: Measurement, profile: Profile, cells: NDArray[np.int64]) -> Measurement:
    """The new clips at the updated mean, so that they change the std and not the mean."""
    front_end = profile.front_end
    apart = np.rint(_apart(new, profile.total, front_end) / front_end.grid.cell_width).astype(np.int64)
    return shifted(new, cells - apart, front_end)


def _times(old_frames: int, new_frames: int, share: float) -> tuple[int, int]:
    """How often old and new cells count, so that the new ones make up nearly `share` of all."""
    wanted = min(share, _MOST_WEIGHT) / (1.0 - min(share, _MOST_WEIGHT)) * old_frames / new_frames
    return (1, round(wanted)) if wanted >= 1.0 else (round(1.0 / wanted), 1)


def moved_baseline(baseline: Baseline, record: Mapping[str, Any]) -> Baseline:
    """The baseline of the training clips, moved as an update's record says that the profile was."""
    return baseline.moved(np.array(record["mean_shift"]), float(record["rms_shift"]), float(record["peak_shift"]))
