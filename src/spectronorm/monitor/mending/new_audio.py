"""New audio of a deployment: measured, diagnosed and judged for its diversity."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Floats, whole_number
from spectronorm.audio import ClipReference, Reader, Source
from spectronorm.audio.native_format import NativeFormat
from spectronorm.counted import counted
from spectronorm.engines import ThreadEngine
from spectronorm.errors import ArgumentError, AudioError
from spectronorm.features import open_for
from spectronorm.monitor.change.diagnosis import Diagnosis, diagnose
from spectronorm.monitor.change.evidence import Reference, evidence
from spectronorm.monitor.clips.baseline import Baseline
from spectronorm.monitor.clips.features import clip_features
from spectronorm.monitor.clips.moments import FeatureMoments
from spectronorm.monitor.clips.variety import Variety, variety
from spectronorm.monitor.monitor import Monitor
from spectronorm.monitor.verdict import Verdict, unalarmed
from spectronorm.passes.clip_level import read_clip_level
from spectronorm.passes.one_pass import MAX_BAD, OneClip, one_pass
from spectronorm.profile import BadFile, FormatCounts, LevelClip, LevelCounter, Measurement, Profile
from spectronorm.runs.progress import Progress
from spectronorm.short_repr import with_short_repr
from spectronorm.suggestion import known_keywords, known_settings

MIN_CLIPS = 16
"""Smallest number of clips for an update; fewer reveal their content more than the device: in a pilot, four clips
lowered accuracy from 89 to 77 %.
"""
_FEWEST_CLIPS = 3


@known_settings
@with_short_repr
@dataclass(frozen=True, eq=False)
class NewAudio:
    """Measurement and features of unlabelled clips of the deployment.

    >>> import numpy as np, spectronorm as sn
    >>> rng = np.random.default_rng(0)
    >>> front_end = sn.FrontEnd(bands=sn.Mel(24))
    >>> profile = sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)], front_end)
    >>> source = sn.open_source([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(20)])
    >>> new = sn.monitor.measure_new(source, profile)
    >>> new.features.shape[0], new.bad
    (20, ())
    """

    measurement: Measurement
    features: Floats
    bad: tuple[BadFile, ...]
    diagnosis: Diagnosis
    variety: Variety


@known_keywords
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

    Args:
        source: The new clips.
        profile: Profile to compare with.
        baseline: Features of the training clips; by default drawn from the profile.
        max_bad: Largest accepted share of bad files.
        seed: Seed of the random order of the clips.
        progress: Called with the number of clips done and the total number of clips.

    Raises:
        SourceError: if the source cannot be opened or is empty.
        TooManyBad: if the share of bad clips exceeds `max_bad`, or if all clips are bad.
        ArgumentError: if there are fewer than three clips.

    >>> import numpy as np, spectronorm as sn
    >>> rng = np.random.default_rng(0)
    >>> front_end = sn.FrontEnd(bands=sn.Mel(24))
    >>> profile = sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)], front_end)
    >>> source = sn.open_source([(0.01 * rng.standard_normal(8000), 16_000) for _ in range(20)])
    >>> new = measure_new(source, profile)
    >>> new.measurement.clips, new.diagnosis.kind.value
    (20, 'level-change')
    """
    front_end = profile.front_end
    baseline = Baseline.of_profile(profile, seed=seed) if baseline is None else baseline
    monitor = Monitor(profile, baseline, seed=seed)
    opened = open_for(source, front_end)
    counter, rows, formats, alarms = LevelCounter(front_end), [], [], False
    # Random order: a folder sorted by label would raise an alarm through its order alone.
    order = np.random.default_rng(whole_number(seed, "seed", 0)).permutation(len(opened))
    clips = [opened.clips[index] for index in order]
    task = _Listen(profile, opened.reader, counter)
    one_by_one = ThreadEngine(1)  # because a monitor listens to one clip after the other
    with one_pass(opened, task, clips, max_bad=max_bad, engine=one_by_one, progress=progress) as results:
        for heard in results:
            if not heard.bad:
                alarms = _verdict(monitor, heard).alarm or alarms
                rows.append(clip_features(heard.level, heard.samples))
                formats.append(heard.native)
    measurement = counter.measurement()
    if measurement is None or len(rows) < _FEWEST_CLIPS:
        raise ArgumentError(
            f"{counted(len(rows), 'clip is', 'clips are')} too few to update from: at least {MIN_CLIPS} are needed"
        )
    measurement = replace(measurement, formats=FormatCounts.of(formats))
    features = np.stack(rows)
    known = Reference(profile, baseline)
    found = (
        diagnose(evidence(known, measurement, FeatureMoments.of(features))) if alarms else unalarmed(monitor.verdict())
    )
    return NewAudio(measurement, features, results.bad, found, variety(baseline, features, seed=seed))


@dataclass(frozen=True)
class _Heard(OneClip):
    samples: NDArray[np.float32] | None = None
    level: Floats = field(default_factory=lambda: np.empty(0))
    bad: tuple[BadFile, ...] = ()
    native: NativeFormat | None = None


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
        return _Heard(found.samples, found.level, native=found.native)
