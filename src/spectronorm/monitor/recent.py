"""Memory of a monitor: the newest clips, in panes that can be dropped one by one and added up.

Clips are put on the grid as they come, and counted into a histogram only on request or when a pane holds many: a few
clips are smaller than the histograms of all bands, and counting costs more than the rest of the work.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Floats, Integers
from spectronorm.errors import AudioError, BadAudioReason
from spectronorm.front_end import AnyFrontEnd, Grid, Levels
from spectronorm.monitor.clips.baseline import Baseline
from spectronorm.monitor.clips.features import clip_features_on_grid
from spectronorm.monitor.clips.moments import FeatureMoments
from spectronorm.monitor.scored import add_clip
from spectronorm.monitor.threshold import WindowReading, horizons, window_statistic
from spectronorm.monitor.window import Window
from spectronorm.profile import LevelCounter, Measurement
from spectronorm.profile.counting.counter import Recorded, require_on_grid

MAX_FRAMES = 64
"""Number of frames counted in a clip, evenly spaced: neighbours carry nearly equal information."""
_MOST_WAITING = 16


class SeenClip(NamedTuple):
    """Clip on the grid, `(band, frame)`, with at most `MAX_FRAMES` frames, and the sum of each band's.

    `top` is the highest level of all frames.
    """

    gridded: NDArray[np.int32]
    sums: Integers
    lowest: int
    highest: int
    top: int
    recorded: Recorded

    @classmethod
    def of(
        cls, front_end: AnyFrontEnd, grid: Grid, level: NDArray[np.floating[Any]], recorded: Recorded
    ) -> tuple[SeenClip, Floats]:
        """Put a level `(band, frame)` on the front end's `grid`, and return the clip with its features.

        Raises:
            AudioError: if the level is not finite or leaves the grid.
        """
        bands, frames = level.shape
        steps = float(grid.steps)
        gridded = np.empty((bands, -(-frames // -(-frames // MAX_FRAMES))), dtype=np.int32)
        sums = np.empty(bands, dtype=np.int64)
        features, lowest, highest, finite = clip_features_on_grid(level, recorded, steps, gridded, sums)
        if not finite:
            raise AudioError(BadAudioReason.NOT_FINITE, "its level holds NaN or infinite values")
        top = highest
        if gridded.shape[1] < frames and _floor_follows_highest(front_end):
            top = max(highest, round(min(float(level.max()) * steps, 2.0**30)))
        if not grid.low * steps <= lowest <= top <= grid.high * steps:
            require_on_grid(front_end, lowest, top)
        return cls(gridded, sums, lowest, highest, top, recorded), features


@dataclass(frozen=True, eq=False)
class Pane:
    """Consecutive clips: the measurement of the counted ones, those that wait for it, sums of scores, and moments.

    `waiting_sums` is the sum of each band over the clips that wait, on the grid.
    """

    front_end: AnyFrontEnd
    counted: Measurement | None
    waiting: tuple[SeenClip, ...]
    scores: Integers
    moments: FeatureMoments
    waiting_sums: Integers

    @property
    def clips(self) -> int:
        """Number of clips."""
        return len(self.waiting) + (0 if self.counted is None else self.counted.clips)

    @cached_property
    def measurement(self) -> Measurement:
        """Return the measurement of all clips."""
        counter = LevelCounter(self.front_end)
        _count(counter, self.waiting)
        parts = [part for part in (self.counted, _narrow(counter)) if part is not None]
        return parts[0] if len(parts) == 1 else Measurement.sum(parts)

    def band_mean(self) -> Floats:
        """Mean level of each band."""
        total, count = self.waiting_sums, sum([clip.gridded.shape[1] for clip in self.waiting])
        if self.counted is not None:
            total, count = total + self.counted.total, count + self.counted.count
        return np.asarray(total / (count * self.front_end.grid.steps))

    @classmethod
    def of_measurement(
        cls, front_end: AnyFrontEnd, measurement: Measurement, scores: Integers, moments: Integers
    ) -> Pane:
        """Return a pane without clips that wait."""
        found = FeatureMoments(measurement.clips, moments)
        return cls(front_end, measurement, (), scores, found, np.zeros(front_end.n_bands, dtype=np.int64))

    @classmethod
    def sum(cls, panes: Iterable[Pane]) -> Pane:
        """Combine the clips of all panes."""
        several = list(panes)
        total: Integers = np.sum([pane.scores for pane in several], axis=0)
        moments = FeatureMoments.sum(pane.moments for pane in several).sums
        measurement = Measurement.sum(pane.measurement for pane in several)
        return cls.of_measurement(several[0].front_end, measurement, total, moments)


class Panes:
    """Panes of a window: the newest is being filled, the oldest is dropped; memory is bounded."""

    def __init__(self, front_end: AnyFrontEnd, window: Window, baseline: Baseline) -> None:
        self._front_end = front_end
        self._window = window
        self._ranks, self._horizons = baseline.ranks, np.array(horizons(window.panes))
        self._sizes = len(baseline.columns), baseline.rows.shape[1], front_end.n_bands
        self._full: dict[int, Pane] = {}
        self._number = 0
        self._counter: LevelCounter | None = None
        self._waiting: list[SeenClip] = []
        self._scores, self._moments, self._band_sums = self._nothing()
        self._clips = 0
        self._sums: tuple[Integers, NDArray[np.int64]] | None = None

    def _nothing(self) -> tuple[Integers, Integers, Integers]:
        """Sums of scores, moments, and sums of the bands of clips that wait, before the first clip of a pane."""
        scores, features, bands = self._sizes
        return np.zeros(scores, np.int64), np.zeros((2, features), np.int64), np.zeros(bands, np.int64)

    def open(self, number: int) -> Pane | None:
        """Open this pane for filling, and return the previous pane if that closes it.

        A clip that comes late, by the clock, is counted in the open pane.
        """
        number = max(number, self._number)
        if number == self._number:
            return None
        finished, before = self._close(), self._number
        self._number = number
        for old in [n for n in self._full if n <= number - self._window.panes]:
            del self._full[old]
        if self._sums is not None and number == before + 1 and len(self._sums[1]) == self._window.panes:
            for sums in self._sums:
                sums[1:] = sums[:-1]
                sums[0] = 0
        else:
            self._sums = None
        return finished

    def add(self, clip: SeenClip, features: Floats) -> WindowReading:
        """Add one clip to the open pane, and return the statistic of the window with it."""
        sums = self._moments, self._scores, *self._score_sums()  # which still are those without the clip
        reading = add_clip(features, clip.sums, *self._ranks, self._band_sums, *sums, self._horizons)
        self._waiting.append(clip)
        self._clips += 1
        if len(self._waiting) > _MOST_WAITING:
            self._counter = LevelCounter(self._front_end) if self._counter is None else self._counter
            _count(self._counter, self._waiting)
            self._waiting, self._band_sums[:] = [], 0
        return WindowReading(*reading)

    def reading(self) -> WindowReading:
        """Return the statistic of the window."""
        return window_statistic(*self._score_sums(), self._horizons)

    def _close(self) -> Pane | None:
        pane = self._as_pane(self._scores, self._moments, self._band_sums) if self._clips else None
        self._counter, self._waiting, self._clips = None, [], 0
        self._scores, self._moments, self._band_sums = self._nothing()
        if pane is None:
            return self._full.get(self._number)
        if self._number in self._full:  # the clips from a merge, and those that came later
            pane = Pane.sum([self._full[self._number], pane])
        self._full[self._number] = pane
        return pane

    def filling(self) -> Pane | None:
        """The pane that is being filled, without clips from a merge; None if it is empty."""
        return self._as_pane(self._scores.copy(), self._moments.copy(), self._band_sums.copy()) if self._clips else None

    def _as_pane(self, scores: Integers, moments: Integers, band_sums: Integers) -> Pane:
        counted = None if self._counter is None else _narrow(self._counter)
        found = FeatureMoments(self._clips, moments)
        return Pane(self._front_end, counted, tuple(self._waiting), scores, found, band_sums)

    def newest_first(self) -> list[tuple[int, Pane]]:
        """Return every pane with its number."""
        panes = dict(self._full)
        if (pane := self.filling()) is not None:
            panes[self._number] = Pane.sum([panes[self._number], pane]) if self._number in panes else pane
        return sorted(panes.items(), reverse=True)

    def _score_sums(self) -> tuple[Integers, NDArray[np.int64]]:
        """Sums of scores `(pane, score)` and number of clips of each pane, newest first, including empty panes.

        They are kept up to date in place.
        """
        if self._sums is None:
            self._sums = self._sum_scores()
        return self._sums

    def _sum_scores(self) -> tuple[Integers, NDArray[np.int64]]:
        numbers = range(self._number, max(self._number - self._window.panes, -1), -1)
        sums = np.zeros((len(numbers), len(self._scores)), dtype=np.int64)
        clips = np.zeros(len(numbers), dtype=np.int64)
        for row, number in enumerate(numbers):
            if (pane := self._full.get(number)) is not None:
                sums[row], clips[row] = pane.scores, pane.clips
        sums[0] += self._scores
        clips[0] += self._clips
        return sums, clips

    def take(self, number: int, pane: Pane) -> None:
        """Insert a pane of a saved or another monitor; the number of scores must match."""
        known = self._full.get(number)
        self._full[number] = pane if known is None else Pane.sum([known, pane])
        self._number = max(self._number, number)
        self._sums = None


def _floor_follows_highest(front_end: AnyFrontEnd) -> bool:
    """True if a clip's floor lies below its highest level, which then must be that of all frames."""
    return not isinstance(front_end, Levels) and front_end.compress.floor_follows_highest


def _count(counter: LevelCounter, clips: Sequence[SeenClip]) -> None:
    for clip in clips:
        counter.add_gridded(clip.gridded, clip.lowest, clip.highest, clip.recorded, top=clip.top)


def _narrow(counter: LevelCounter) -> Measurement | None:
    """Return the measurement in half the memory; None for no clips."""
    counted = counter.measurement()
    if counted is None:
        return None
    narrow: Any = counted.histogram.astype(np.int32, copy=False)
    return replace(counted, histogram=narrow)
