"""The normalized spectrogram of a clip that is too long to be held, from its blocks into a `.npy` file."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from spectronorm.audio import ClipReference, LongClip, Reader, Streamed, stream
from spectronorm.front_end import FrontEnd
from spectronorm.passes.stores import Store
from spectronorm.pipeline import Pipeline
from spectronorm.profile import level_stretches, needs_all_first, streams
from spectronorm.storage.atomic import atomic_write


@dataclass(frozen=True)
class LongSpectrogram:
    """Writes one long clip; whether a clip is long is for its header to say.

    The blocks of the spectrogram wait in an unnamed file beside the output, because a `.npy` file says how many frames
    there are before the first, and may have each band's frames together.
    """

    pipeline: Pipeline
    reader: Reader
    store: Store
    duration: float | None

    def write(self, clip: ClipReference, path: Path) -> Streamed[int] | None:
        """The number of frames without padding of a clip that was written; None for one that can be held."""
        front_end = self.pipeline.front_end
        clipwise = self.pipeline.normalizer.normalizer.maps_clips
        if not isinstance(front_end, FrontEnd) or clipwise or len(front_end.level_shape) > 1:
            return None
        if not streams(front_end):
            return None

        def work(blocks: LongClip) -> int:
            return self._write(front_end, blocks, path)

        return stream(
            self.reader,
            clip,
            front_end.sample_rate,
            work,
            duration=self.duration,
            resampler=front_end.resampler,
            twice=needs_all_first(front_end),
        )

    def _write(self, front_end: FrontEnd, blocks: LongClip, path: Path) -> int:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent) as waiting:
            counts = []
            dtype: np.dtype[np.generic] = np.dtype(np.float32)
            for level in level_stretches(front_end, blocks):
                made = self.store.made(self.pipeline.normalizer(level))
                behind = self.store.made(self.pipeline.normalizer.padding_of(level))
                dtype = made.dtype
                waiting.write(made.tobytes())
                counts.append(level.shape[1])
            frames = sum(counts)
            total = frames
            if self.duration is not None:
                total = max(frames, front_end.frames(max(1, round(self.duration * front_end.sample_rate))))
            with atomic_write(path, None) as file:
                bands = front_end.n_bands
                shape = (bands, total) if self.store.layout == "ft" else (total, bands)
                head = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, head)
                if self.store.layout == "ft":
                    for row, end in zip(_rows(waiting, counts, bands, dtype.itemsize), behind.ravel(), strict=True):
                        file.write(row)
                        file.write(end.tobytes() * (total - frames))
                else:
                    waiting.seek(0)
                    shutil.copyfileobj(waiting, file)
                    file.write(behind.tobytes() * (total - frames))
        return frames


def _rows(waiting: BinaryIO, counts: list[int], bands: int, size: int) -> Iterator[bytes]:
    """Each band's frames together, from blocks `(band, frame)` that lie one behind the other."""
    starts = np.concatenate([[0], np.cumsum(counts)])[:-1] * bands * size
    descriptor = waiting.fileno()
    waiting.flush()
    for band in range(bands):
        yield b"".join(
            os.pread(descriptor, count * size, int(start) + band * count * size)
            for start, count in zip(starts, counts, strict=True)
        )
