"""Levels of one NumPy clip in blocks of frames that stay in the cache, with the kernels fused.

The result is the one of `FrontEnd.working_level` (a test compares them) without its large temporaries, which cost more
time in page faults than the arithmetic does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.front_end.bands.runs import BandRuns
from spectronorm.front_end.compress.compression import Compression
from spectronorm.front_end.fast.logarithm import LogarithmInPlace, compressed
from spectronorm.front_end.fast.padding import PaddedWave, padded_wave
from spectronorm.front_end.fast.power_spectra import cut_frames, power_spectra
from spectronorm.front_end.stft.stft import STFT
from spectronorm.front_end.waveform.waveform_level import WaveformLevel
from spectronorm.kernels.buffers import Workspace

_CELL_BYTES = 400_000
"""Bins times frames of a block in bytes, small enough for the second-level cache with its intermediate arrays."""
_MOST_VECTORS = 32
"""Largest number of vectors of frames in a block."""

LevelBlock = tuple[int, int, NDArray[Any]]
"""First frame, number of frames, and values `(band, frame)`, contiguous, whose further columns are meaningless."""


@dataclass(frozen=True, eq=False)
class LevelKernels:
    """A front end's slots, and its levels in blocks."""

    sample_rate: int
    waveform: WaveformLevel
    stft: STFT
    runs: BandRuns
    compress: Compression
    dtype: type[np.floating[Any]] = np.float64
    """Precision of the arithmetic; float32 is for inference only."""

    @cached_property
    def bands(self) -> int:
        """Number of bands of one channel."""
        return len(self.runs.first)

    @cached_property
    def block_compression(self) -> Compression | None:
        """The compression that blocks are compressed with, one after the other; None for one that needs whole clips.

        If the floor follows the clip's highest level, this is the compression without that floor.
        """
        return self.compress if self.compress.causal else self.compress.without_clip_floor()

    @cached_property
    def logarithm(self) -> LogarithmInPlace | None:
        """The logarithm that is all of the blocks' compression, if it is one."""
        compress = self.block_compression
        log = None if compress is None or not compress.framewise else compress.logarithm(self.stft.power)
        return None if log is None else LogarithmInPlace(log)

    @cached_property
    def floor_follows(self) -> bool:
        """True if `raw_blocks` leaves out the clip's floor, which `clip_floor` gives."""
        return self.block_compression is not self.compress and self.block_compression is not None

    def clip_floor(self, highest: float) -> float:
        """Return the floor of a clip whose highest level is this."""
        return self.compress.clip_floor(highest, self.stft.power)

    def frames(self, samples: int) -> int:
        """Return the number of frames of a waveform of `samples` samples."""
        return self.stft.frames(samples - self.waveform.shortens)

    def raw_blocks(self, samples: NDArray[Any], workspace: Workspace) -> Iterator[LevelBlock]:
        """Yield the level of a waveform `(sample,)` in blocks, which may lack the clip's floor (`floor_follows`).

        A block is valid until the next one is requested.
        """
        if self.block_compression is None:
            whole = np.empty((self.bands, self.frames(len(samples))))
            for start, count, block in self.values(samples, workspace):
                whole[:, start : start + count] = block[:, :count]
            yield 0, whole.shape[1], np.ascontiguousarray(self.compress(whole, self.stft.power))
            return
        if self.logarithm is not None:
            for start, count, values in self.values(samples, workspace):
                yield start, count, self.logarithm(values)
            return
        compress = BlockCompressor(self.block_compression, self.stft.power)
        for start, count, values in self.values(samples, workspace):
            yield start, count, compress(values, count)

    def blocks(self, samples: NDArray[Any], workspace: Workspace) -> Iterator[LevelBlock]:
        """Return the level of a waveform `(sample,)` in blocks; with a clip's floor there is one block."""
        if not self.floor_follows:
            return self.raw_blocks(samples, workspace)
        level = self.level(samples, workspace)
        return iter([(0, level.shape[1], level)])

    def level(self, samples: NDArray[Any], workspace: Workspace) -> NDArray[np.float64]:
        """Return the level `(band, frame)` of a waveform `(sample,)`."""
        level = np.empty((self.bands, self.frames(len(samples))))
        for start, count, block in self.raw_blocks(samples, workspace):
            level[:, start : start + count] = block[:, :count]
        if self.floor_follows:
            np.maximum(level, self.clip_floor(float(level.max())), out=level)
        return level

    def values(self, samples: NDArray[Any], workspace: Workspace) -> Iterator[LevelBlock]:
        """Return band values before the compression, in blocks."""
        padded, *change = padded_wave(samples, self.sample_rate, self.waveform, self.stft, workspace, self.dtype)
        return self.values_of_frames(padded, (change[0], change[1]), self.frames(len(samples)), workspace)

    def values_of_frames(
        self, padded: PaddedWave, change: tuple[float, float], frames: int, workspace: Workspace
    ) -> Iterator[LevelBlock]:
        """Yield band values of the first frames of `(padded - mean) · scale`, given that change, without padding."""
        stft = self.stft
        size = np.dtype(self.dtype).itemsize
        lanes = 64 // size
        # An odd number of vectors: with a power of two, all rows would compete for the same few cache lines.
        vectors = min(_MOST_VECTORS, _CELL_BYTES // size // stft.bins // (2 * lanes) * 2 + 2) - 1
        step = vectors * lanes
        cut, gathered = cut_frames(padded, change, stft, workspace.kept(self)), np.empty((0, 0))
        for start in range(0, frames, step):
            count = min(step, frames - start)
            values = power_spectra(cut, stft, start, count, workspace, self.dtype)
            if stft.power not in (1.0, 2.0):
                values **= stft.power / 2.0
            if not self.runs.identity:
                if gathered.shape[1] != values.shape[1]:
                    gathered = workspace.array("gathered", (self.bands, values.shape[1]), self.dtype)
                self.runs.gather(values, gathered)
                values = gathered
            yield start, count, values[: self.bands]


class BlockCompressor:
    """Compresses the blocks of one clip in order, and remembers what the compression must know of earlier ones."""

    def __init__(self, compress: Compression, power: float) -> None:
        self._compress, self._power = compress, power
        self._state: Any = None

    def __call__(self, values: NDArray[np.floating[Any]], count: int) -> NDArray[np.floating[Any]]:
        """Return the level of the next block, whose first `count` frames are meant; `values` may be overwritten."""
        if self._compress.framewise:
            return compressed(values, self._compress, self._power)
        whole = np.ascontiguousarray(values[:, :count], np.float64)
        level, self._state = self._compress.of_next_block(whole, self._power, self._state)
        return level
