"""History of the shift of each band's mean, in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Floats

MAX_ROWS = 256


class History:
    """One row for each stretch of clips: shift of each band's mean in training deviations, clips, and the statistic.

    When the history is full, rows are joined in pairs, so the whole past fits into `MAX_ROWS`.
    """

    def __init__(self, bands: int) -> None:
        self._shift = np.zeros((0, bands))
        self._clips: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._statistic = np.zeros(0)

    def add(self, shift: Floats, clips: int, statistic: float) -> None:
        """Append a row, with the statistic at the end of the stretch."""
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
        """Shifts `(row, band)`, in standard deviations of the training set, oldest first."""
        return self._shift

    @property
    def clips(self) -> NDArray[np.int64]:
        """Number of clips in each row."""
        return self._clips

    @property
    def statistic(self) -> Floats:
        """Largest statistic of each row."""
        return self._statistic

    def to_tensors(self) -> dict[str, NDArray[Any]]:
        """Return the tensors that `from_tensors` reads."""
        return {"shift": self._shift, "clips": self._clips, "statistic": self._statistic}

    @classmethod
    def from_tensors(cls, bands: int, tensors: Mapping[str, NDArray[Any]]) -> History:
        """Build a history from its tensors.

        Raises:
            ValueError: if the tensors are not valid.
        """
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
            raise ValueError("the history's tensors are invalid")
        history._shift, history._clips, history._statistic = shift, clips, statistic
        return history
