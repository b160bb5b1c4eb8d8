"""One unit of a pass over files of levels: read and counted, to the integers of a `Meter`."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from spectronorm.audio import ClipReference
from spectronorm.errors import AudioError, BadAudioReason
from spectronorm.features import read_stamped_level, stamp_of_level
from spectronorm.front_end import Levels
from spectronorm.front_end.axes import unconfirmed
from spectronorm.passes.measured import Measured, UnitTask
from spectronorm.passes.units import Unit
from spectronorm.profile import BadFile, LevelClip, LevelCounter


@dataclass(frozen=True)
class MeasureLevelsTask(UnitTask):
    """Measures a unit of clips whose levels lie in files; picklable, so that any engine can run it."""

    front_end: Levels

    @override
    def __call__(self, unit: Unit) -> Measured:
        counter = LevelCounter(self.front_end)
        bad: list[BadFile] = []
        flagged: list[BadFile] = []
        stamps: list[bytes] = []
        layouts: list[str | None] = []
        for clip in unit.clips:
            read = read_stamped_level(clip, self.front_end, duration=self.duration, with_stamp=self.with_stamps)
            stamps.append(read.stamp)
            try:
                counted = LevelClip.of(read.level_or_raise(), self.front_end)
                if counted.flat and self.reader.skip_flat:
                    raise AudioError(BadAudioReason.CONSTANT, "its values are all alike")  # noqa: TRY301
                counted.count_in(counter, self.front_end)
                layouts.append(_unconfirmed(counted, self.front_end))
            except AudioError as error:
                bad.append(BadFile.of(clip.name, error, unit.key))
                continue
            if counted.flat:
                flagged.append(BadFile(clip.name, *_flatness(counted, self.front_end), unit.key))
        reason = None if None in layouts else next(iter(layouts), None)
        return Measured(
            unit.key, len(unit.clips), counter.measurement(), tuple(bad), tuple(flagged), tuple(stamps), reason
        )

    @override
    def stamp(self, clip: ClipReference) -> bytes:
        return stamp_of_level(clip, self.reader)


def _unconfirmed(clip: LevelClip, levels: Levels) -> str | None:
    sizes = {"c": levels.channels, "f": levels.bands, "t": clip.frames}
    return unconfirmed(tuple(sizes[axis] for axis in levels.layout), levels.layout)


def _flatness(clip: LevelClip, levels: Levels) -> tuple[BadAudioReason, str]:
    if clip.highest <= levels.grid.integer(levels.floor):
        return BadAudioReason.SILENT, "all its values lie on the floor; it was counted"
    return BadAudioReason.CONSTANT, "all its values are equal; it was counted"
