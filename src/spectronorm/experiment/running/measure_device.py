"""The measurement of all clips as a simulated device records them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spectronorm.engines import Engine
from spectronorm.errors import AudioError
from spectronorm.experiment.clips.devices import SHIFTS
from spectronorm.experiment.clips.folds import LabelledClips
from spectronorm.experiment.clips.levels import Waves
from spectronorm.front_end import FrontEnd
from spectronorm.passes.one_pass import one_pass
from spectronorm.passes.units import CLIPS_IN_UNIT
from spectronorm.profile import BadFile, GroupKey, LevelCounter, Measurement, Profile, RunningSum
from spectronorm.runs.progress import Progress

_Unit = tuple[GroupKey, Sequence[int]]
"""A group, and the numbers of some of its clips."""


@dataclass(frozen=True)
class _Counted:
    key: GroupKey
    clips: int
    measurement: Measurement | None
    bad: tuple[BadFile, ...]


@dataclass(frozen=True)
class _Task:
    """Counts a unit's clips at the length and through the device that models are trained on; picklable."""

    waves: Waves
    front_end: FrontEnd
    device: str

    def __call__(self, unit: _Unit) -> _Counted:
        key, indices = unit
        counter, bad = LevelCounter(self.front_end), []
        for index in indices:
            try:
                counter.add(self.waves.wave(index, self.front_end, SHIFTS[self.device]))
            except AudioError as error:
                bad.append(BadFile.of(self.waves.source.clips[index].name, error, key))
        return _Counted(key, len(indices), counter.measurement(), tuple(bad))


def measure_device(
    clips: LabelledClips, waves: Waves, front_end: FrontEnd, device: str, engine: Engine | None, progress: Progress
) -> Profile:
    """Measure all clips as a device of `SHIFTS` records them, with the folds as groups.

    Raises:
        TooManyBad: if a clip that could be read before cannot be read any longer.
    """
    parts: dict[GroupKey, RunningSum] = {}
    task = _Task(waves, front_end, device)
    with one_pass(clips.source, task, list(_units(clips)), max_bad=0.0, engine=engine, progress=progress) as results:
        for result in results:
            if result.measurement is not None:
                parts.setdefault(result.key, RunningSum()).add(result.measurement)
    return Profile(front_end, {key: part.total() for key, part in parts.items()}, (), waves.seconds)


def _units(clips: LabelledClips) -> Iterator[_Unit]:
    """A few clips of one fold at a time."""
    for fold in dict.fromkeys(clips.fold_of(index) for index in range(len(clips.source))):
        indices = [index for index in range(len(clips.source)) if clips.fold_of(index) == fold]
        for start in range(0, len(indices), CLIPS_IN_UNIT):
            yield ((clips.fold_column, fold),), indices[start : start + CLIPS_IN_UNIT]
