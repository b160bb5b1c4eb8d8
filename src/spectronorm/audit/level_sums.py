"""Sums of each clip's level, from which every statistic of a data set, right or wrong, can be computed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Moments = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Mean and standard deviation: `(band,)`, or `(1,)` pooled."""


@dataclass(frozen=True, eq=False)
class LevelSums:
    """Sums over the frames of each clip, in the order of the source's names.

    Attributes:
        names: Name of each clip.
        frames: Number of frames of each clip, `(clip,)`.
        cells: Number of cells in one frame of one row: 1, or the number of bands once pooled.
        total: Σ level, `(clip, band)`.
        squares: Σ level², `(clip, band)`.
        on_floor: Number of cells on the floor, `(clip, band)`.
        floor: The floor.
    """

    names: tuple[str, ...]
    frames: NDArray[np.float64]
    total: NDArray[np.float64]
    squares: NDArray[np.float64]
    on_floor: NDArray[np.float64]
    floor: float
    cells: int = 1

    @property
    def count(self) -> NDArray[np.float64]:
        """Number of cells of each clip in one row, `(clip, 1)`."""
        return (self.frames * self.cells)[:, None]

    def pooled(self) -> LevelSums:
        """The sums of all bands together; they are added up once."""
        return self._pooled

    @cached_property
    def _pooled(self) -> LevelSums:
        sums = {name: getattr(self, name).sum(axis=1, keepdims=True) for name in ("total", "squares", "on_floor")}
        return replace(self, cells=self.cells * self.total.shape[1], **sums)

    def of(self, chosen: Any) -> LevelSums:
        """The sums of some clips, by index or mask."""
        arrays = {name: getattr(self, name)[chosen] for name in ("frames", "total", "squares", "on_floor")}
        names = np.asarray(self.names, dtype=object)[chosen]
        return replace(self, names=tuple(names), **arrays)

    def padded(self, frames: NDArray[np.float64], value: float) -> LevelSums:
        """The sums with each clip padded to so long a number of frames by cells of this value."""
        added = np.maximum(frames - self.frames, 0.0)
        cells = (added * self.cells)[:, None]
        return replace(
            self,
            frames=self.frames + added,
            total=self.total + cells * value,
            squares=self.squares + cells * value**2,
        )

    def without_floor(self) -> LevelSums:
        """The sums over the cells above the floor; the frames are no longer whole, so use `moments` only."""
        total, squares = self.total - self.on_floor * self.floor, self.squares - self.on_floor * self.floor**2
        return replace(self, total=total, squares=squares)

    def moments(self, count: NDArray[np.float64] | None = None) -> Moments:
        """Mean and standard deviation over all cells of a row."""
        cells = np.asarray((np.broadcast_to(self.count, self.total.shape) if count is None else count).sum(axis=0))
        cells = np.maximum(cells, 1.0)
        mean = self.total.sum(axis=0) / cells
        return mean, np.sqrt(np.maximum(self.squares.sum(axis=0) / cells - mean**2, 0.0))

    def clip_moments(self) -> Moments:
        """Mean and standard deviation of each clip, `(clip, band)`."""
        mean = self.total / self.count
        return mean, np.sqrt(np.maximum(self.squares / self.count - mean**2, 0.0))

    def batches(
        self, size: int, order: NDArray[np.int64], *, padded: bool = False
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Mean, variance and number of clips of each batch of clips in this order.

        Args:
            size: Number of clips in a batch; the last one may have fewer.
            order: Indices of the clips.
            padded: Count zeros that pad each clip to the longest of its batch.
        """
        starts = np.arange(0, len(order), size)
        total, squares = (np.add.reduceat(array[order], starts, axis=0) for array in (self.total, self.squares))
        clips = np.diff(np.append(starts, len(order))).astype(np.float64)
        if padded:
            cells = (np.maximum.reduceat(self.frames[order], starts) * clips * self.cells)[:, None]
        else:
            cells = np.add.reduceat(self.count[order], starts, axis=0)
        mean = total / cells
        return mean, np.maximum(squares / cells - mean**2, 0.0), clips
