"""One clip's level as it is counted where no samples are known: on the grid, with extremes and a digest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from spectronorm.errors import AudioError, BadAudioReason
from spectronorm.front_end import AnyFrontEnd, Levels
from spectronorm.profile.counting.counter import LevelCounter, Recorded
from spectronorm.profile.counting.kernel import put_on_grid
from spectronorm.profile.counting.measurement import Measurement


@dataclass(frozen=True, eq=False)
class LevelClip:
    """A clip's level on the grid `(row, frame)`, and the digest of that: equal levels, equal digest."""

    gridded: NDArray[np.int32]
    lowest: int
    highest: int
    digest: bytes

    @classmethod
    def of(cls, level: NDArray[np.floating[Any]], front_end: AnyFrontEnd) -> LevelClip:
        """From a level `(row, frame)` in float32 or float64.

        Raises:
            AudioError: if it has no frames, holds NaN or infinity, or leaves the range of the front end.
        """
        if not level.shape[1]:
            raise AudioError(BadAudioReason.EMPTY, "it has no frames")
        grid, least = front_end.grid, _lowest(front_end)
        gridded = np.empty(level.shape, dtype=np.int32)
        found = put_on_grid(np.ascontiguousarray(level), level.shape[1], float(grid.steps), gridded, 0)
        lowest, highest = int(found[0]), int(found[1])
        if lowest < least * grid.steps or highest > grid.high * grid.steps:
            _refuse(level, front_end)
        return cls(gridded, lowest, highest, xxhash.xxh3_128_digest(gridded.astype("<i4", copy=False).data))

    @property
    def frames(self) -> int:
        """Number of frames."""
        return int(self.gridded.shape[1])

    @property
    def flat(self) -> bool:
        """True if all values are equal."""
        return self.lowest == self.highest

    def recorded(self, front_end: AnyFrontEnd) -> Recorded:
        """Facts counted about the clip besides its level: a length, and no waveform."""
        samples = self.frames if isinstance(front_end, Levels) else self.frames * front_end.stft.hop
        return Recorded(samples, 0.0, 0.0, self.flat, self.digest)

    def count_in(self, counter: LevelCounter, front_end: AnyFrontEnd) -> None:
        """Count the clip."""
        counter.add_gridded(self.gridded, self.lowest, self.highest, self.recorded(front_end))

    def measurement(self, front_end: AnyFrontEnd) -> Measurement | None:
        """The clip counted alone."""
        counter = LevelCounter(front_end)
        self.count_in(counter, front_end)
        return counter.measurement()


def _lowest(front_end: AnyFrontEnd) -> float:
    """The lowest level that can be counted, on the grid: no declared level lies below its floor."""
    grid = front_end.grid
    return float(grid.integer(front_end.floor) / grid.steps) if isinstance(front_end, Levels) else grid.low


def _refuse(level: NDArray[np.floating[Any]], front_end: AnyFrontEnd) -> None:
    finite = np.isfinite(level)
    if not finite.all():
        bad = int((~finite).sum())
        raise AudioError(BadAudioReason.NOT_FINITE, f"{bad} of its {level.size} values are NaN or infinite")
    low, high = _lowest(front_end), front_end.grid.high
    worst = float(level.min()) if level.min() < low else float(level.max())
    raise AudioError(
        BadAudioReason.OUT_OF_RANGE,
        f"it holds {worst:.6g} {front_end.unit}, outside {low:g} … {high:g}; check its unit, or declare a wider range",
    )
