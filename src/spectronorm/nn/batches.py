"""Batches of waveforms on the CPU by the compiled kernels: the fast path behind `Spectrogram`.

Clips are computed one by one, in float64, in blocks of frames that stay in the cache; the normalizer's map is applied
while a block is written, so the batch is written to memory once. There is no gradient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spectronorm.engines import ThreadEngine
from spectronorm.front_end import FrontEnd
from spectronorm.kernels.buffers import workspace_of_thread
from spectronorm.kernels.jit import kernel


@dataclass(frozen=True, eq=False)
class BandMap:
    """Map `(level - shift) / scale` for each band `(band,)`, in the dtype of the result, and the value of padding."""

    shift: NDArray[np.floating]
    scale: NDArray[np.floating]
    padding: float | NDArray[np.floating]

    @classmethod
    def of_level(cls, front_end: FrontEnd, dtype: torch.dtype) -> BandMap:
        """Return the identity, with silence in the padding."""
        bands = front_end.level_shape[-1]
        shift, scale = torch.zeros(bands, dtype=dtype), torch.ones(bands, dtype=dtype)
        return cls(shift.numpy(), scale.numpy(), front_end.floor)


def mapped_levels(front_end: FrontEnd, waves: Tensor, lengths: Tensor | None, band_map: BandMap) -> Tensor:
    """Compute mapped levels `(..., band, frame)` of waveforms `(..., sample)` on the CPU, in their dtype.

    The dtype is float32 or float64.
    """
    clips = waves.detach().reshape(-1, waves.shape[-1]).numpy()
    ends = [waves.shape[-1]] * len(clips) if lengths is None else lengths.reshape(-1).tolist()
    frames, bands = front_end.frames(waves.shape[-1]), front_end.level_shape[-1]
    levels = torch.empty((len(clips), bands, frames), dtype=waves.dtype)
    into = levels.numpy()

    def compute(clip: int) -> None:
        for start, count, level in front_end.clip_blocks(clips[clip, : ends[clip]], workspace_of_thread()):
            _write(level, count, band_map.shift, band_map.scale, into[clip], start)
        into[clip, :, front_end.frames(ends[clip]) :] = band_map.padding

    for _ in ThreadEngine(torch.get_num_threads()).map(compute, range(len(clips))):
        pass
    return levels.reshape(*waves.shape[:-1], bands, frames)


def _write_by_numpy(
    level: NDArray[np.float64],
    count: int,
    shift: NDArray[Any],
    scale: NDArray[Any],
    into: NDArray[Any],
    start: int,
) -> None:
    rounded = level[:, :count].astype(shift.dtype)
    into[:, start : start + count] = (rounded - shift[:, None]) / scale[:, None]


@kernel(_write_by_numpy, cache=True, nogil=True, error_model="numpy")
def _write(
    level: NDArray[np.float64],
    count: int,
    shift: NDArray[Any],
    scale: NDArray[Any],
    into: NDArray[Any],
    start: int,
) -> None:
    """Round a level before mapping it, as happens when both steps are separate."""
    for band in range(level.shape[0]):
        row, place = level[band, :count], into[band, start : start + count]
        for t in range(row.size):
            place[t] = (shift.dtype.type(row[t]) - shift[band]) / scale[band]
