"""Measuring that also lists each good file with the digest of its bytes, for a profile that names its data."""

from __future__ import annotations

from dataclasses import dataclass, replace

from typing_extensions import override

from spectronorm.passes.measured import Measured, UnitTask
from spectronorm.passes.units import Unit
from spectronorm.profile import ListedFile


@dataclass(frozen=True)
class ListingTask(UnitTask):
    """Measures units by another task, which stamps the content of each clip, and lists the clips that were counted."""

    task: UnitTask

    @classmethod
    def of(cls, task: UnitTask) -> ListingTask:
        """Return a task that lists what `task` measures."""
        return cls(task.front_end, task.duration, task.reader, with_stamps=True, task=replace(task, with_stamps=True))

    @override
    def __call__(self, unit: Unit) -> Measured:
        return _listed(unit, self.task(unit))

    @override
    def unpack(self, unit: Unit, payload: bytes) -> Measured | None:
        found = self.task.unpack(unit, payload)
        return None if found is None else _listed(unit, found)


def _listed(unit: Unit, measured: Measured) -> Measured:
    bad = {one.path for one in measured.bad}
    pairs = zip(unit.clips, measured.stamps, strict=True)
    files = (ListedFile(unit.key, clip.name, stamp.hex()) for clip, stamp in pairs if clip.name not in bad)
    return replace(measured, files=tuple(files))
