"""Mapped levels of a few frames, written by one call of a compiled kernel, or block by block with equal bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.front_end.compress.compression import Compression, Logarithm
from spectronorm.front_end.fast.blocks import BlockCompressor, LevelKernels
from spectronorm.front_end.fast.mapped import write_mapped
from spectronorm.front_end.fast.padding import unpadded
from spectronorm.kernels.buffers import workspace_of_thread
from spectronorm.kernels.fft import plan_of
from spectronorm.kernels.jit import kernel_of_module

_Row = NDArray[np.floating[Any]]
AddPiece = Callable[[_Row, NDArray[np.float64], _Row], bool]
"""Function that takes a piece, the numbers of a table, and room for the frames that the piece completes."""


class FrameWriter:
    """Writes mapped levels of consecutive frames of one waveform.

    Args:
        blocks: The front end, whose waveform level and padding have been applied to the samples.
        compress: Its compression, which looks at no later frame.
        shift: Subtracted from each band of the level, `(band,)`, in the dtype of the result.
        scale: Divides each band after that, `(band,)`.
        change: Offset and gain that the kernel of pieces applies to samples.
        history: Number of samples before the last one that the kernel of pieces keeps.
    """

    def __init__(
        self,
        blocks: LevelKernels,
        compress: Compression,
        shift: _Row,
        scale: _Row,
        change: tuple[float, float],
        history: int,
    ) -> None:
        self.blocks, self.shift, self.scale, self.change, self.history = blocks, shift, scale, change, history
        self.bands = blocks.bands
        self.compress = BlockCompressor(compress, blocks.stft.power)
        self.table: Any = None
        """The `PieceTable` of the compiled kernels of pieces, which their first call makes; None before."""
        stft = blocks.stft
        self.logarithm: Logarithm | None = compress.logarithm(stft.power) if compress.framewise else None
        fused = self.logarithm is not None and stft.power in {1, 2} and stft.n_fft > 1
        plan = plan_of(stft.n_fft) if fused else None
        self._in_lanes = plan is not None and plan.has_ends

    def write(self, samples: NDArray[np.float64], begin: int, end: int, into: _Row) -> None:
        """Write the levels `(band, frame)` of the frames of `samples[begin:end]`, all of which are complete."""
        (_write if self._in_lanes else write_in_blocks)(self, samples, begin, end, into)

    def __getstate__(self) -> dict[str, Any]:
        """Return all but the table, which says where the samples lie in memory: a copy's lie elsewhere."""
        return self.__dict__ | {"table": None}


def write_in_blocks(writer: FrameWriter, samples: NDArray[np.float64], begin: int, end: int, into: _Row) -> None:
    """Write by the kernels of whole clips, one after the other."""
    frames = into.shape[1]
    blocks = writer.blocks.values_of_frames(unpadded(samples[begin:end]), (0.0, 1.0), frames, workspace_of_thread())
    for start, count, values in blocks:
        write_mapped(writer.compress(values, count), count, writer.shift, writer.scale, into, start)


_write = kernel_of_module("spectronorm.front_end.fast.piece_table", "write_in_lanes", write_in_blocks)
