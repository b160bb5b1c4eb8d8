"""One pass over a source that keeps the sums of each clip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio import ClipReference, Reader, Source
from spectronorm.audit.level_sums import LevelSums
from spectronorm.engines import Engine
from spectronorm.errors import AudioError
from spectronorm.front_end import AnyFrontEnd
from spectronorm.passes.clip_level import read_clip_level
from spectronorm.passes.one_pass import MAX_BAD, OneClip, one_pass
from spectronorm.profile import BadFile
from spectronorm.runs.progress import Progress

_BLOCK = 4096


@dataclass(frozen=True, eq=False)
class _Summed(OneClip):
    name: str
    frames: int = 0
    sums: NDArray[np.float64] | None = None
    bad: tuple[BadFile, ...] = ()


@dataclass(frozen=True)
class _Task:
    """Sums one clip's level: Σ, Σ² and cells on the floor, `(3, band)`; picklable."""

    front_end: AnyFrontEnd
    duration: float | None
    reader: Reader

    def __call__(self, clip: ClipReference) -> _Summed:
        _, found = read_clip_level(clip, self.front_end, self.reader, duration=self.duration)
        if isinstance(found, AudioError):
            return _Summed(clip.name, bad=(BadFile.of(clip.name, found),))
        level = found.level
        floor = self.front_end.clip_floor(float(level.max()))
        sums = np.zeros((3, level.shape[0]))
        for start in range(0, level.shape[1], _BLOCK):
            block = level[:, start : start + _BLOCK]
            near = block <= floor + 1e-9 * max(1.0, abs(floor))
            sums += np.stack([block.sum(axis=1), (block * block).sum(axis=1), near.sum(axis=1)])
        return _Summed(clip.name, level.shape[1], sums)


def measure_sums(
    source: Source,
    front_end: AnyFrontEnd,
    *,
    duration: float | None = None,
    max_bad: float = MAX_BAD,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> tuple[LevelSums, tuple[BadFile, ...]]:
    """Return the sums of each clip, sorted by name, and the bad files.

    Raises:
        TooManyBad: if the share of bad clips exceeds `max_bad`, or if all clips are bad.
    """
    task = _Task(front_end, duration, source.reader)
    with one_pass(source, task, source.clips, max_bad=max_bad, engine=engine, progress=progress) as results:
        found = sorted((one for one in results if one.sums is not None), key=lambda one: one.name)
    total, squares, on_floor = np.stack([one.sums for one in found if one.sums is not None], axis=1)
    frames = np.array([one.frames for one in found], dtype=np.float64)
    floor = front_end.clip_floor(float((total / frames[:, None]).max()))
    sums = LevelSums(tuple(one.name for one in found), frames, total, squares, on_floor, floor)
    return sums, results.bad
