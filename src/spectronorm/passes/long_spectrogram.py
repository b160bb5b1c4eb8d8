"""The normalized spectrogram of a clip that is too long to be held, from its blocks into a file that waits on disk."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from spectronorm.audio import ClipReference, LongClip, Reader, Streamed, stream
from spectronorm.front_end import FrontEnd
from spectronorm.normalize.in_blocks import NormalizedBlocks
from spectronorm.passes.stores import SpooledArray, Store
from spectronorm.pipeline import Pipeline
from spectronorm.profile import LevelBlocks, needs_all_first, streams


@dataclass(frozen=True)
class LongSpectrogram:
    """Computes one long clip; whether a clip is long is for its header to say.

    The blocks of the spectrogram wait in a file, because stores say how many frames there are before the first, and may
    have each band's frames together.
    """

    pipeline: Pipeline
    reader: Reader
    store: Store
    duration: float | None

    def spooled(self, clip: ClipReference, folder: Path, stack: ExitStack) -> Streamed[tuple[SpooledArray, int]] | None:
        """The array of a clip and its number of frames without padding; None for a clip that can be held.

        Args:
            clip: The clip.
            folder: Folder of the unnamed file in which the blocks wait.
            stack: Closes that file, after which the array cannot be read.
        """
        front_end, normalizer = self.pipeline.front_end, self.pipeline.normalizer
        if not isinstance(front_end, FrontEnd) or not streams(front_end) or not NormalizedBlocks.possible(normalizer):
            return None

        def work(blocks: LongClip) -> tuple[SpooledArray, int]:
            folder.mkdir(parents=True, exist_ok=True)
            waiting: BinaryIO = stack.enter_context(tempfile.TemporaryFile(dir=folder))  # noqa: SIM115
            return self._spooled(front_end, blocks, waiting)

        return stream(
            self.reader,
            clip,
            front_end.sample_rate,
            work,
            duration=self.duration,
            resampler=front_end.resampler,
            twice=needs_all_first(front_end) or normalizer.normalizer.maps_clips,
        )

    def _spooled(self, front_end: FrontEnd, blocks: LongClip, waiting: BinaryIO) -> tuple[SpooledArray, int]:
        counts = []
        normalized = NormalizedBlocks(self.pipeline.normalizer, LevelBlocks(front_end, blocks))
        for x in normalized:
            waiting.write(self.store.made(x).tobytes())
            counts.append(x.shape[-1])
        frames = total = sum(counts)
        if self.duration is not None:
            total = max(frames, front_end.frames(max(1, round(self.duration * front_end.sample_rate))))
        padding = self.store.made(normalized.padding)
        axis = self.store.axis_of_frames
        shape = list(padding.shape)
        shape[axis] = total
        return SpooledArray(tuple(shape), padding.dtype, axis, waiting, counts, np.asarray(padding)), frames
