"""One channel of a stream: the samples that frames to come still need, and the state of what looks back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.counted import counted
from spectronorm.errors import ArgumentError, ShapeError
from spectronorm.front_end.compress.compression import Compression
from spectronorm.front_end.fast.blocks import LevelKernels
from spectronorm.front_end.fast.frame_writer import FrameWriter
from spectronorm.front_end.fast.padding import left_padding, right_padding
from spectronorm.front_end.fast.sample_queue import SampleQueue, State
from spectronorm.front_end.waveform.waveform_level import ClipStatistics
from spectronorm.full_scale import MAX_PEAK
from spectronorm.kernels.jit import kernel

if TYPE_CHECKING:
    from spectronorm.front_end.fast.piece_table import PieceTable

_Samples = NDArray[np.floating[Any]]


class ChannelStream:
    """Samples of one channel, cut into frames as they come.

    A piece is offered, which changes nothing yet, and then taken; the frames that are complete with it are written.

    Args:
        blocks: The front end.
        min_samples: Length of the shortest waveform that has a frame.

    Raises:
        ArgumentError: if the level of a frame depends on later samples.
    """

    def __init__(self, blocks: LevelKernels, min_samples: int) -> None:
        self._blocks, self._min_samples = blocks, min_samples
        level, stft = blocks.waveform, blocks.stft
        self._waveform = level.stream()
        changed = level.is_change and not level.needs_statistics
        self._change = level.change(ClipStatistics(0.0, 0.0, 0.0, 0.0)) if changed else None
        self.change = (self._change.offset, self._change.scale) if self._change else (0.0, 1.0)
        self.compress = causal(blocks.compress)
        # The padding at the end mirrors the last samples, which may lie before the frames to come.
        self.history = max(stft.padding, stft.padding_behind) + 1
        self.queue = SampleQueue(stft.padding, self.history)
        self._padded = stft.padding == 0
        self._size, self._hop, self._floor = stft.frame_samples, stft.hop, stft.frame_count == "floor"
        self._total = self._frames = self._offered = 0
        self.writer: FrameWriter | None = None

    @property
    def sees_samples(self) -> bool:
        """True if `offer` looks at the numbers; waveform levels that are no map of single samples wait for `take`."""
        return self._change is not None

    def offer(self, samples: _Samples) -> bool:
        """Copy samples without taking them yet; False if one is NaN or far beyond full scale, if `sees_samples`."""
        self._offered = len(samples)
        if self._change is None:
            return True
        queue, (offset, scale) = self.queue, (self._change.offset, self._change.scale)
        queue.offer(samples)
        return _changed(queue.samples, queue.end, self._offered, MAX_PEAK, offset, scale)

    def take(self, samples: _Samples) -> int:
        """Take the samples that were offered last, and return the number of frames that are complete with them."""
        self._total += self._offered
        if self._change is None:
            self.queue.add(self._waveform.add(samples))
        else:
            self.queue.end += self._offered
        return self._complete()

    def lend(self) -> PieceTable | None:
        """Leave the samples to the kernels of pieces, whose table is returned, until `take_back`.

        None if there is no kernel that does all of the work, or before the first frames.
        """
        table: PieceTable | None = None if self._change is None or self.writer is None else self.writer.table
        if table is not None:
            table.hold(self.queue.samples, State(self.queue.begin, self.queue.end, self._total, self._frames))
        return table

    @property
    def ahead(self) -> int:
        """Number of samples that count for the next frame, one more for each sample: at one hop it is complete."""
        ahead = self.queue.end - self.queue.begin - self._size + self._hop
        return min(ahead, self._total - self._frames * self._hop) if self._floor else ahead

    def take_back(self, table: PieceTable) -> None:
        """Continue after the pieces that the kernels took."""
        self.queue.begin, self.queue.end, self._total, self._frames = table.state

    def end(self) -> int:
        """End the waveform, and return the number of frames that remain.

        Raises:
            ShapeError: if there were samples, but fewer than the front end needs.
        """
        if self._total == 0:
            return 0
        if self._total < self._min_samples:
            raise ShapeError(
                f"a stream of {counted(self._total, 'sample')} is too short: this front end needs at least "
                f"{self._min_samples}, one window"
            )
        queue, stft = self.queue, self._blocks.stft
        queue.add(self._waveform.flush())
        self._pad()
        rest = self._blocks.frames(self._total) - self._frames
        last = queue.samples[queue.end - stft.padding_behind - 1 : queue.end]
        queue.add(right_padding(last, stft.pad_mode, stft.padding_behind).copy())
        queue.add(np.zeros(max(0, queue.begin + (rest - 1) * self._hop + self._size - queue.end)))
        return rest

    def write(self, into: _Samples) -> None:
        """Write the next frames, one for each column, and give up the samples before the frame after them."""
        frames, queue = into.shape[1], self.queue
        if frames and self.writer is not None:
            self.writer.write(queue.samples, queue.begin, queue.end, into)
            queue.begin += frames * self._hop
            self._frames += frames

    def _complete(self) -> int:
        if not self._padded:
            self._pad()
        there = (self.queue.end - self.queue.begin - self._size) // self._hop + 1
        if there <= 0 or not self._padded or self._total < self._min_samples:
            return 0
        return min(there, self._blocks.frames(self._total) - self._frames) if self._floor else there

    def _pad(self) -> None:
        """Set the samples before the waveform once it is long enough."""
        queue, stft = self.queue, self._blocks.stft
        if not self._padded and queue.end > 2 * stft.padding:
            wave = queue.samples[stft.padding : queue.end]
            queue.samples[: stft.padding] = left_padding(wave, stft.pad_mode, stft.padding)
            self._padded = True


def causal(compress: Compression) -> Compression:
    """The compression; raises `ArgumentError` if it looks at later frames."""
    if compress.causal:
        return compress
    if compress.floor_follows_highest:
        raise ArgumentError(
            f"compress={compress} has a floor below each clip's highest level, which a stream knows only at its end; "
            "use a fixed floor, such as Decibel(floor_db=-80.0)"
        )
    raise ArgumentError(f"compress={compress} looks at a whole clip, which a stream has only at its end; use another")


def _changed_by_numpy(
    samples: NDArray[np.float64], start: int, count: int, limit: float, offset: float, scale: float
) -> bool:
    piece = samples[start : start + count]
    clean = bool(((piece >= -limit) & (piece <= limit)).all())
    piece[:] = (piece - offset) * scale
    return clean


@kernel(_changed_by_numpy, cache=True, nogil=True)
def _changed(samples: NDArray[np.float64], start: int, count: int, limit: float, offset: float, scale: float) -> bool:
    """Map samples to `(x - offset) · scale`; False if one of them was NaN or beyond the limit."""
    beyond = 0
    for i in range(start, start + count):
        x = samples[i]
        beyond += not (-limit <= x <= limit)
        samples[i] = (x - offset) * scale
    return beyond == 0
