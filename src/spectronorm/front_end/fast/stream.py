"""Levels of a waveform that comes in pieces: each frame once its samples are there, with the whole clip's bits."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import require_clean
from spectronorm.audio.resample_stream import PieceResampler
from spectronorm.errors import ArgumentError, ShapeError
from spectronorm.front_end.fast.blocks import LevelKernels
from spectronorm.front_end.fast.channel_stream import ChannelStream
from spectronorm.front_end.fast.frame_writer import FrameWriter
from spectronorm.front_end.fast.mapped import BandMap

if TYPE_CHECKING:
    from spectronorm.front_end.fast.frame_writer import AddPiece
    from spectronorm.front_end.fast.piece_table import PieceTable

_ARRAY, _EMPTY = np.ndarray, np.empty
_MANY = 8
"""Least number of frames of a piece that are computed side by side."""
_Samples = NDArray[np.floating[Any]]
_Levels = NDArray[np.floating[Any]]


class LevelStream:
    """Gives the frames of one endless or finished waveform, piece by piece, in constant memory.

    All pieces and the flush together give the bits of the front end's call on the whole waveform. `latency` is the time
    in seconds from the middle of a frame to the sample that completes it; a waveform's first frames also wait for the
    shortest waveform that the front end takes. A copy or a pickle continues by itself, unless pieces are resampled.

    Args:
        blocks: The front end.
        channels: Number of channels of stacked channels, `(channel, sample)`; None for mono `(sample,)`.
        min_samples: Length of the shortest waveform that has a frame.
        resampler: Resampler from the rate of the pieces; None if they are at the front end's rate.
        map_of: Function that returns the map of levels for the dtype of the pieces.

    Raises:
        ArgumentError: if the level of a frame depends on later samples, naming the setting and a causal choice.
    """

    def __init__(
        self,
        blocks: LevelKernels,
        channels: int | None,
        min_samples: int,
        resampler: PieceResampler | None,
        map_of: Callable[[np.dtype[Any]], BandMap],
    ) -> None:
        self._blocks, self._channels, self._map_of = blocks, channels, map_of
        self._resampler = resampler
        self._parts = [ChannelStream(blocks, min_samples) for _ in range(channels or 1)]
        self._dtype: np.dtype[Any] | None = None
        self._ended = False
        # The kernels of pieces have the samples while there is a table: then `_kind` is the dtype, which they take.
        self._table: PieceTable | None = None
        self._kind: np.dtype[Any] | None = None
        self._numbers, self._ahead = np.empty(0), 0
        self._few: AddPiece | None = None
        self._many: AddPiece | None = None
        self._clean_first = resampler is not None or not self._parts[0].sees_samples
        stft = blocks.stft
        self._bands, self._hop = blocks.bands, stft.hop
        behind = stft.frame_samples - stft.frame_samples // 2
        self.latency = max(behind, stft.hop if stft.frame_count == "floor" else 0) / blocks.sample_rate

    def add(self, samples: _Samples) -> _Levels:
        """Return the levels `(band, frame)` of frames that these samples complete; there may be none.

        Stacked channels come as `(channel, sample)` and give `(channel, band, frame)`.

        Raises:
            ShapeError: if the piece has another shape, dtype or number of channels than the stream.
            ArgumentError: if it holds NaN, infinity or integers as floats, or if the stream has been flushed.
        """
        kind = self._kind
        if kind is not None and type(samples) is _ARRAY and samples.dtype is kind and samples.ndim == 1:
            ahead = self._ahead + len(samples)
            frames = ahead // self._hop
            add_piece = self._few if frames < _MANY else self._many
            level = _EMPTY((self._bands, frames), kind)
            if add_piece is not None and add_piece(samples, self._numbers, level):
                self._ahead = ahead - frames * self._hop
                return level
        self._take_back()
        piece = self._checked(samples)
        if self._resampler is not None:
            piece = self._resampler.add(piece)
        # Every channel is looked at before one of them is changed: the stream continues after a refused piece.
        clean = True
        for part, row in zip(self._parts, piece, strict=True):
            clean &= part.offer(row)
        if not clean:
            require_clean(samples)
        frames = 0
        for part, row in zip(self._parts, piece, strict=True):
            frames = part.take(row)
        level = self._written(frames)
        if self._channels is None and self._resampler is None:
            self._lend(many=frames >= _MANY)
        return level

    def flush(self) -> _Levels:
        """End the waveform, and return the levels of the frames that its end completes.

        Raises:
            ShapeError: if samples were added, but fewer than the front end needs.
            ArgumentError: if the stream has been flushed already.
        """
        self._require_open()
        self._take_back()
        self._ended = True
        if self._dtype is None:
            self._begin(np.dtype(np.float32))
        if self._resampler is not None:
            rest = self._resampler.flush(np.empty((len(self._parts), 0), self._dtype))
            for part, row in zip(self._parts, rest, strict=True):
                part.offer(row)
                part.take(row)
        frames = 0
        for part in self._parts:
            frames = part.end()
        return self._written(frames)

    def __copy__(self) -> Self:
        """Return a stream that continues from here by itself."""
        return deepcopy(self)

    def __getstate__(self) -> dict[str, Any]:
        """Return the samples and settings that a copy or a pickle continues with.

        Raises:
            ArgumentError: if pieces are resampled and the stream has begun.
        """
        self._take_back()
        return self.__dict__ | {"_few": None, "_many": None}

    def _lend(self, *, many: bool) -> None:
        """Leave the next pieces to the compiled kernel that does all of the work of a piece, if there is one."""
        (part,) = self._parts
        table = part.lend()
        if table is None or self._dtype is None:
            return
        self._table, self._kind, self._numbers, self._ahead = table, self._dtype, table.numbers, part.ahead
        if many and self._many is None:
            self._many = table.kernel(self._dtype, many=True)
        if not many and self._few is None:
            self._few = table.kernel(self._dtype, many=False)

    def _take_back(self) -> None:
        """Take the samples back from the compiled kernel."""
        if self._table is not None:
            self._parts[0].take_back(self._table)
            self._table = self._kind = None

    def _begin(self, dtype: np.dtype[Any]) -> None:
        """Set the dtype of pieces and levels."""
        self._dtype, band_map = dtype, self._map_of(dtype)
        for number, part in enumerate(self._parts):
            channel = number % len(band_map.shift)
            part.writer = FrameWriter(
                self._blocks, part.compress, band_map.shift[channel], band_map.scale[channel], part.change, part.history
            )

    def _written(self, frames: int) -> _Levels:
        """Return the next frames."""
        if self._channels is None:
            level = np.empty((self._blocks.bands, frames), self._dtype)
            self._parts[0].write(level)
            return level
        level = np.empty((self._channels, self._blocks.bands, frames), self._dtype)
        for part, into in zip(self._parts, level, strict=True):
            part.write(into)
        return level

    def _require_open(self) -> None:
        if self._ended:
            raise ArgumentError("the stream has been flushed: its waveform is at its end; begin a new stream")

    def _checked(self, samples: _Samples) -> _Samples:
        """Return the piece as `(channel, sample)`; its numbers are left to `offer` where that reads all of them."""
        shape = (self._channels,) if self._channels is not None else ()
        known = self._dtype is not None and isinstance(samples, np.ndarray) and samples.dtype == self._dtype
        if not known or samples.ndim == 0 or samples.shape[:-1] != shape:
            self._check_kind(samples)
        self._require_open()
        if self._clean_first:
            require_clean(samples)
        return samples[None] if self._channels is None else samples

    def _check_kind(self, samples: object) -> None:
        """Check type, dtype and axes; the first piece sets the dtype."""
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
            self._begin(samples.dtype)
        if samples.dtype != self._dtype:
            raise ShapeError(
                f"a piece has dtype {samples.dtype}, but the stream began with {self._dtype}; convert all to one dtype"
            )
