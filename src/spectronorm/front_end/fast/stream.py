"""Levels of a waveform that comes in pieces: each frame once its samples are there, with the whole clip's bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import require_clean
from spectronorm.audio.resample_stream import PieceResampler
from spectronorm.counted import counted
from spectronorm.errors import ArgumentError, ShapeError
from spectronorm.front_end.compress.compression import Compression
from spectronorm.front_end.fast.blocks import BlockCompressor, LevelKernels
from spectronorm.front_end.fast.padding import left_padding, right_padding
from spectronorm.kernels.buffers import workspace_of_thread

_Samples = NDArray[np.floating[Any]]
_Levels = NDArray[np.floating[Any]]


class LevelStream:
    """Gives the frames of one endless or finished waveform, piece by piece, in constant memory.

    All pieces and the flush together give the bits of the front end's call on the whole waveform. `latency` is the time
    in seconds from the middle of a frame to the sample that completes it; a waveform's first frames also wait for the
    shortest waveform that the front end takes.

    Args:
        blocks: The front end.
        channels: Number of channels of stacked channels, `(channel, sample)`; None for mono `(sample,)`.
        min_samples: Length of the shortest waveform that has a frame.
        resampler: Resampler from the rate of the pieces; None if they are at the front end's rate.

    Raises:
        ArgumentError: if the level of a frame depends on later samples, naming the setting and a causal choice.
    """

    def __init__(
        self, blocks: LevelKernels, channels: int | None, min_samples: int, resampler: PieceResampler | None
    ) -> None:
        self._channels = channels
        self._resampler = resampler
        self._parts = [_ChannelStream(blocks, min_samples) for _ in range(channels or 1)]
        self._dtype: np.dtype[Any] | None = None
        self._ended = False
        stft = blocks.stft
        behind = stft.frame_samples - stft.frame_samples // 2
        self.latency = max(behind, stft.hop if stft.frame_count == "floor" else 0) / blocks.sample_rate

    def add(self, samples: _Samples) -> _Levels:
        """Return the levels `(band, frame)` of frames that these samples complete; there may be none.

        Stacked channels come as `(channel, sample)` and give `(channel, band, frame)`.

        Raises:
            ShapeError: if the piece has another shape, dtype or number of channels than the stream.
            ArgumentError: if it holds NaN, infinity or integers as floats, or if the stream has been flushed.
        """
        piece = self._checked(samples)
        if self._resampler is not None:
            piece = self._resampler.add(piece)
        return self._made([part.add(row) for part, row in zip(self._parts, piece, strict=True)])

    def flush(self) -> _Levels:
        """End the waveform, and return the levels of the frames that its end completes.

        Raises:
            ShapeError: if samples were added, but fewer than the front end needs.
            ArgumentError: if the stream has been flushed already.
        """
        self._require_open()
        self._ended = True
        rest = np.empty((len(self._parts), 0), np.float32 if self._dtype is None else self._dtype)
        if self._resampler is not None:
            rest = self._resampler.flush(rest)
        return self._made([part.flush(row) for part, row in zip(self._parts, rest, strict=True)])

    def _made(self, levels: list[NDArray[np.float64]]) -> _Levels:
        dtype = np.float32 if self._dtype is None else self._dtype
        made = levels[0] if self._channels is None else np.stack(levels)
        return np.ascontiguousarray(made, dtype)

    def _require_open(self) -> None:
        if self._ended:
            raise ArgumentError("the stream has been flushed: its waveform is at its end; begin a new stream")

    def _checked(self, samples: _Samples) -> _Samples:
        """Return the piece as `(channel, sample)`."""
        self._require_open()
        if not isinstance(samples, np.ndarray) or not np.issubdtype(samples.dtype, np.floating):
            kind = samples.dtype if isinstance(samples, np.ndarray) else type(samples).__name__
            raise ShapeError(f"a piece of a stream is a NumPy array of floats in [-1, 1], but got {kind}")
        shape = ("sample",) if self._channels is None else (f"{self._channels} channels", "sample")
        if samples.ndim != len(shape) or (self._channels is not None and len(samples) != self._channels):
            raise ShapeError(f"a piece of shape {samples.shape} is not ({', '.join(shape)}{',' * (len(shape) == 1)})")
        if samples.dtype not in (np.float32, np.float64):
            raise ShapeError(f"a piece has dtype {samples.dtype}, but must be float32 or float64; convert it")
        if self._dtype is None:
            self._dtype = samples.dtype
        if samples.dtype != self._dtype:
            raise ShapeError(
                f"a piece has dtype {samples.dtype}, but the stream began with {self._dtype}; convert all to one dtype"
            )
        require_clean(samples)
        return samples[None] if samples.ndim == 1 else samples


class _ChannelStream:
    """One channel: the samples that frames to come still need, and the state of what looks back."""

    def __init__(self, blocks: LevelKernels, min_samples: int) -> None:
        self._blocks, self._min_samples = blocks, min_samples
        self._waveform = blocks.waveform.stream()
        self._compress = BlockCompressor(_causal(blocks.compress), blocks.stft.power)
        self._kept, self._last = np.empty(0), np.empty(0)
        self._skip = 0  # Samples to come that belong to no frame, with a hop longer than a frame.
        self._padded = blocks.stft.padding == 0
        self._total = self._frames = 0

    def add(self, samples: _Samples) -> NDArray[np.float64]:
        """Return the levels of the frames that these samples complete."""
        self._total += len(samples)
        self._keep(self._waveform.add(samples))
        stft = self._blocks.stft
        there = (len(self._kept) - stft.frame_samples) // stft.hop + 1 if self._padded else 0
        known = self._blocks.frames(self._total) if self._total >= self._min_samples else 0
        return self._levels(max(0, min(there, known - self._frames)))

    def flush(self, samples: _Samples) -> NDArray[np.float64]:
        """Return the levels of the frames that these last samples, and the end behind them, complete."""
        self._total += len(samples)
        if self._total == 0:
            return self._levels(0)
        if self._total < self._min_samples:
            raise ShapeError(
                f"a stream of {counted(self._total, 'sample')} is too short: this front end needs at least "
                f"{self._min_samples}, one window"
            )
        self._keep(np.concatenate([self._waveform.add(samples), self._waveform.flush()]))
        stft, rest = self._blocks.stft, self._blocks.frames(self._total) - self._frames
        right = right_padding(self._last, stft.pad_mode, stft.padding)[self._skip :]
        missing = max(0, (rest - 1) * stft.hop + stft.frame_samples - len(self._kept) - len(right))
        self._kept = np.concatenate([self._kept, right, np.zeros(missing)])
        return self._levels(rest)

    def _keep(self, samples: NDArray[np.float64]) -> None:
        stft = self._blocks.stft
        # The padding at the end mirrors the last samples, which may lie before the frames to come.
        self._last = np.concatenate([self._last, samples[-stft.padding - 1 :]])[-stft.padding - 1 :]
        skipped = min(self._skip, len(samples))
        self._skip -= skipped
        self._kept = np.concatenate([self._kept, samples[skipped:]])
        if not self._padded and len(self._kept) > stft.padding:
            left = left_padding(self._kept, stft.pad_mode, stft.padding)
            self._kept, self._padded = np.concatenate([left, self._kept]), True

    def _levels(self, frames: int) -> NDArray[np.float64]:
        """Return the levels of the next frames, and drop the samples before the frame after them."""
        blocks, hop = self._blocks, self._blocks.stft.hop
        level = np.empty((blocks.bands, frames))
        if frames == 0:
            return level
        for start, count, values in blocks.values_of_frames(self._kept, (0.0, 1.0), frames, workspace_of_thread()):
            level[:, start : start + count] = self._compress(values, count)[:, :count]
        used = frames * hop
        self._skip += max(0, used - len(self._kept))
        self._kept = self._kept[used:].copy()
        self._frames += frames
        return level


def _causal(compress: Compression) -> Compression:
    """The compression; raises `ArgumentError` if it looks at later frames."""
    if compress.causal:
        return compress
    if compress.floor_follows_highest:
        raise ArgumentError(
            f"compress={compress} has a floor below each clip's highest level, which a stream knows only at its end; "
            "use a fixed floor, such as Decibel(floor_db=-80.0)"
        )
    raise ArgumentError(f"compress={compress} looks at a whole clip, which a stream has only at its end; use another")
