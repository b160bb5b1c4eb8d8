"""How each band's mean moved over time, in a memory that does not grow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Floats

MAX_ROWS = 256


class History:
    """One row a stretch of clips: the shift of each band's mean in training deviations, clips, and the statistic.

    When it is full, rows are joined two by two, so that the whole past fits into `MAX_ROWS`.
    """

    def __init__(self, bands: int) -> None:
        self._shift = np.zeros((0, bands))
        self._clips: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._statistic = np.zeros(0)

    def add(self, shift: Floats, clips: int, statistic: float) -> None:
        """Append a row; the statistic is that of the moment when the stretch ended."""
        self._shift = np.concatenate([self._shift, shift[None]])
        self._clips = np.append(self._clips, clips)
        self._statistic = np.append(self._statistic, statistic)
        if len(self._clips) >= MAX_ROWS:
            self._join()

    def _join(self) -> None:
        weights = self._clips.reshape(-1, 2).astype(np.float64)
        pairs = self._shift.reshape(len(weights), 2, -1)
        self._shift = (pairs * weights[:, :, None]).sum(axis=1) / weights.sum(axis=1, keepdims=True)
        self._clips = self._clips.reshape(-1, 2).sum(axis=1)
        self._statistic = self._statistic.reshape(-1, 2).max(axis=1)

    @property
    def shift(self) -> Floats:
        """`(row, band)`, in standard deviations of the training set, oldest first."""
        return self._shift

    @property
    def clips(self) -> NDArray[np.int64]:
        """How many clips each row is about."""
        return self._clips

    @property
    def statistic(self) -> Floats:
        """The largest statistic of each row."""
        return self._statistic

    def to_tensors(self) -> dict[str, NDArray[Any]]:
        """What `from_tensors` takes."""
        return {"shift": self._shift, "clips": self._clips, "statistic": self._statistic}

    @classmethod
    def from_tensors(cls, bands: int, tensors: Mapping[str, NDArray[Any]]) -> History:
        """A history from its tensors; raises `ValueError` when they are not sound."""
        history = cls(bands)
        shift, clips, statistic = (tensors[name] for name in ("shift", "clips", "statistic"))
        sound = (
            shift.shape == (len(clips), bands)
            and len(clips) < MAX_ROWS
            and statistic.shape == clips.shape
            and clips.dtype == np.int64
            and bool((clips > 0).all() and np.isfinite(shift).all() and np.isfinite(statistic).all())
        )
        if not sound:
            raise ValueError("the history's tensors are off")
        history._shift, history._clips, history._statistic = shift, clips, statistic
        return history
