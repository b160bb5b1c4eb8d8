"""Clips whose log-spectrograms (levels) lie in files, at equal lengths."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from spectronorm.arrays import Samples
from spectronorm.audio import ClipReference, Source
from spectronorm.engines import ThreadEngine
from spectronorm.errors import ArgumentError, AudioError, SourceError
from spectronorm.experiment.clips.levels import Device, Waves, repeated
from spectronorm.features import read_level
from spectronorm.front_end import AnyFrontEnd, Levels
from spectronorm.runs.progress import Progress, reported


class LevelFiles(Waves):
    """Levels of a source, cropped to a number of frames, or repeated up to it if they are shorter.

    There are no waves: augmentations and simulated devices that change waves are refused.
    """

    def __init__(self, source: Source, described: Levels, frames: int) -> None:
        self.source, self.described, self.frames = source, described, frames
        self.seconds = frames if described.frame_rate is None else frames / described.frame_rate
        self._levels: dict[tuple[str, str], Samples] = {}

    def wave(self, index: int, front_end: AnyFrontEnd, device: Device | None = None) -> Samples:  # noqa: ARG002
        """Raise `ArgumentError`: there are no waves."""
        raise ArgumentError(
            f"augmentations of waves, crops by power and simulated devices need waves, but {self.described.refusal}"
        )

    def _computed(self, described: AnyFrontEnd, device: Device | None, progress: Progress) -> Samples:
        if device is not None:
            self.wave(0, described, device)
        self.described.require_same(described, "an arm")
        levels = np.empty((len(self.source), self.described.n_bands, self.frames), dtype=np.float32)

        def compute(index: int) -> int:
            levels[index] = repeated(read_level(self.source.clips[index], self.described), self.frames)
            return index

        clips = range(len(self.source))
        for _ in reported(ThreadEngine().map(compute, clips), len(clips), progress):
            pass
        return levels.reshape(len(levels), *self.described.level_shape, self.frames)


def usual_frames(source: Source, described: Levels) -> int:
    """Return the median number of frames of the readable clips.

    Raises:
        SourceError: if no clip can be read.
    """
    lengths = [frames for frames in _lengths(source, described) if frames]
    if not lengths:
        raise SourceError(f"none of the {len(source)} clips can be read; spectronorm fit --levels says why of each")
    return max(1, round(float(np.median(lengths))))


def _lengths(source: Source, described: Levels) -> Iterator[int]:
    def frames(clip: ClipReference) -> int:
        try:
            return int(read_level(clip, described).shape[-1])
        except AudioError:
            return 0

    yield from ThreadEngine().map(frames, list(source))
