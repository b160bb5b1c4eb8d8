"""Mapped levels of a batch: computed clip by clip in float64, and written to memory once.

The normalizer's map is applied while a block is written, so neither the level nor a float64 batch is ever stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spectronorm.engines import ThreadEngine
from spectronorm.front_end.fast.blocks import LevelKernels
from spectronorm.kernels.buffers import workspace_of_thread
from spectronorm.kernels.jit import kernel


@dataclass(frozen=True, eq=False)
class BandMap:
    """Map `(level - shift) / scale`, each `(channel, band)` in the dtype of the result; one channel stands for all.

    `padding` is the value of frames after a clip's end, mapped already: a number, or one for each band `(band, 1)`.
    """

    shift: NDArray[np.floating]
    scale: NDArray[np.floating]
    padding: float | NDArray[np.floating] = 0.0
    is_identity: bool = field(default=False, kw_only=True)
    """True if the level is written as it is."""

    @classmethod
    def unchanged(cls, bands: int, dtype: DTypeLike, padding: float = 0.0) -> BandMap:
        """Return the identity for levels of that many bands."""
        return cls(np.zeros((1, bands), dtype), np.ones((1, bands), dtype), padding, is_identity=True)


def mapped_levels(
    blocks: LevelKernels, waves: NDArray[Any], ends: Sequence[int] | None, band_map: BandMap, threads: int = 1
) -> NDArray[Any]:
    """Compute mapped levels `(clip, band, frame)` of waveforms `(clip, sample)`, in the dtype of the map.

    Args:
        blocks: The front end.
        waves: Finite float32 or float64 samples; channels of stacked clips follow one another.
        ends: Number of valid samples of each clip; None for all.
        band_map: The map, and the value of padding.
        threads: Number of threads that compute clips.
    """
    frames = blocks.frames(waves.shape[-1])
    levels = np.empty((len(waves), blocks.bands, frames), band_map.shift.dtype)

    def compute(clip: int) -> None:
        wave = np.ascontiguousarray(waves[clip] if ends is None else waves[clip, : ends[clip]])
        _write_clip(blocks, wave, band_map, clip % len(band_map.shift), levels[clip])

    if threads == 1 or len(waves) < 2:
        for clip in range(len(waves)):
            compute(clip)
    else:
        for _ in ThreadEngine(threads).map(compute, range(len(waves))):
            pass
    return levels


def _write_clip(
    blocks: LevelKernels, wave: NDArray[Any], band_map: BandMap, channel: int, into: NDArray[np.floating]
) -> None:
    log, shift, scale = blocks.logarithm, band_map.shift[channel], band_map.scale[channel]
    highest, written = -np.inf, 0
    # The clip's highest level is that before it is rounded.
    if band_map.is_identity and log and (not blocks.floor_follows or log.dtype_of(blocks.dtype) == into.dtype):
        for start, count, values in blocks.values(wave, workspace_of_thread()):
            log.write(values, count, into, start)
            written = start + count
            if blocks.floor_follows:
                highest = max(highest, float(into[:, start:written].max()))
    else:
        for start, count, level in blocks.raw_blocks(wave, workspace_of_thread()):
            write_mapped(level, count, shift, scale, into, start)
            if blocks.floor_follows:
                highest = max(highest, float(level[:, :count].max()))
            written = start + count
    if blocks.floor_follows:
        # Rounding and the map keep the order of numbers, so the floor may be applied after both.
        floor = (shift.dtype.type(blocks.clip_floor(highest)) - shift) / scale
        valid = into[:, :written]
        np.maximum(valid, floor[:, None], out=valid)
    into[:, written:] = band_map.padding


def _write_by_numpy(
    level: NDArray[Any],
    count: int,
    shift: NDArray[Any],
    scale: NDArray[Any],
    into: NDArray[Any],
    start: int,
) -> None:
    bands = len(shift)
    rounded = level.reshape(bands, -1)[:, :count].astype(shift.dtype)
    into.reshape(bands, -1)[:, start : start + count] = (rounded - shift[:, None]) / scale[:, None]


@kernel(_write_by_numpy, cache=True, nogil=True, error_model="numpy")
def _write_flat(
    level: NDArray[Any],
    count: int,
    shift: NDArray[Any],
    scale: NDArray[Any],
    into: NDArray[Any],
    start: int,
) -> None:
    """Write the mapped level; both arrays are flat."""
    columns, frames = level.size // shift.size, into.size // shift.size
    for band in range(shift.size):
        at, to = band * columns, band * frames + start
        for t in range(count):
            # Slices take longer to compile, and an index with a sign is not vectorized.
            rounded = shift.dtype.type(level[np.uint64(at + t)])
            into[np.uint64(to + t)] = (rounded - shift[band]) / scale[band]


def write_mapped(
    level: NDArray[Any],
    count: int,
    shift: NDArray[Any],
    scale: NDArray[Any],
    into: NDArray[Any],
    start: int,
) -> None:
    """Write the mapped level, rounded before it is mapped, as happens if both steps are separate.

    Both arrays are `(band, frame)` and contiguous.
    """
    _write_flat(level.reshape(-1), count, shift, scale, into.reshape(-1), start)
