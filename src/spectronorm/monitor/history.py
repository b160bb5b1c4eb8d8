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
        self._rows = 0
        self._shift = np.zeros((MAX_ROWS, bands))
        self._clips: NDArray[np.int64] = np.zeros(MAX_ROWS, dtype=np.int64)
        self._statistic = np.zeros(MAX_ROWS)

    def add(self, shift: Floats, clips: int, statistic: float) -> None:
        """Append a row, with the statistic at the end of the stretch."""
        self._shift[self._rows], self._clips[self._rows], self._statistic[self._rows] = shift, clips, statistic
        self._rows += 1
        if self._rows >= MAX_ROWS:
            self._join()

    def _join(self) -> None:
        weights = self._clips.reshape(-1, 2).astype(np.float64)
        pairs = self._shift.reshape(len(weights), 2, -1)
        rows = self._rows = len(weights)
        self._shift[:rows] = (pairs * weights[:, :, None]).sum(axis=1) / weights.sum(axis=1, keepdims=True)
        self._clips[:rows] = self._clips.reshape(-1, 2).sum(axis=1)
        self._statistic[:rows] = self._statistic.reshape(-1, 2).max(axis=1)

    @property
    def shift(self) -> Floats:
        """Shifts `(row, band)`, in standard deviations of the training set, oldest first."""
        return self._shift[: self._rows]

    @property
    def clips(self) -> NDArray[np.int64]:
        """Number of clips in each row."""
        return self._clips[: self._rows]

    @property
    def statistic(self) -> Floats:
        """Largest statistic of each row."""
        return self._statistic[: self._rows]

    def to_tensors(self) -> dict[str, NDArray[Any]]:
        """Return the tensors that `from_tensors` reads."""
        return {"shift": self.shift, "clips": self.clips, "statistic": self.statistic}

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
        rows = history._rows = len(clips)
        history._shift[:rows], history._clips[:rows], history._statistic[:rows] = shift, clips, statistic
        return history
