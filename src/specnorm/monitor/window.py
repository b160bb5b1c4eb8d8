"""What a monitor remembers: the newest clips, in panes that can be dropped one by one and added up."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnorm.errors import ArgumentError
from specnorm.front_end import FrontEnd
from specnorm.profile import Counter, Measurement


@dataclass(frozen=True)
class Window:
    """How far back a monitor looks: over `clips`, or over `seconds` where panes are to end by the clock.

    The window moves on by whole `panes`. With `decay` below 1 each pane counts that much less than the next newer one
    in the figures of drift (a decaying window); the alarm counts all alike.

    Raises:
        ArgumentError: when a number breaks its rule.
    """

    clips: int = 32
    panes: int = 8
    seconds: float | None = None
    decay: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.panes <= 64:
            raise ArgumentError(f"panes={self.panes} must lie in 1 … 64")
        if self.clips < 8 or self.clips % self.panes:
            raise ArgumentError(
                f"a window of {self.clips} clips must hold at least 8, and a whole number in each of {self.panes} panes"
            )
        if self.seconds is not None and not 0 < self.seconds < math.inf:
            raise ArgumentError(f"a window of {self.seconds} seconds must be positive")
        if not 0 < self.decay <= 1:
            raise ArgumentError(f"decay={self.decay} must be above 0 and at most 1 (1 counts all panes alike)")

    @property
    def pane_clips(self) -> int:
        """Clips in a pane; in a window of seconds, the number that is expected."""
        return self.clips // self.panes

    def pane_of(self, clip: int, at: float | None) -> int:
        """The number of the pane that a clip falls into, given its own number and, by the clock, its time in seconds.

        Raises:
            ArgumentError: when the window is one of seconds and the clip comes without a time.
        """
        if self.seconds is None:
            return clip // self.pane_clips
        if at is None or not math.isfinite(at):
            raise ArgumentError(f"at={at}: a window of seconds needs each clip's time, such as time.time()")
        return math.floor(at / (self.seconds / self.panes))


@dataclass(frozen=True, eq=False)
class Pane:
    """Some clips in a row: what was counted about them, and the sums of their scores."""

    measurement: Measurement
    scores: NDArray[np.int64]

    @property
    def clips(self) -> int:
        """How many clips."""
        return self.measurement.clips

    @classmethod
    def sum(cls, panes: Iterable[Pane]) -> Pane:
        """The clips of all panes together."""
        several = list(panes)
        total: NDArray[np.int64] = np.sum([pane.scores for pane in several], axis=0)
        return cls(Measurement.sum(pane.measurement for pane in several), total)


class Panes:
    """The panes of a window: the newest is being filled, the oldest is dropped; memory does not grow."""

    def __init__(self, front_end: FrontEnd, window: Window) -> None:
        self._front_end = front_end
        self._window = window
        self._full: dict[int, Pane] = {}
        self._number = 0
        self._counter: Counter | None = None
        self._scores: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._clips = 0

    def open(self, number: int) -> Pane | None:
        """Make this pane the one that is filled, and return the one before, when it is full by that.

        A clip that comes late, by the clock, is counted in the pane that is open.
        """
        number = max(number, self._number)
        finished = None
        if number > self._number:
            finished = self._close()
            self._number = number
            self._full = {n: pane for n, pane in self._full.items() if n > number - self._window.panes}
        return finished

    def add(self, level: NDArray[np.float64], samples: NDArray[np.float32], scores: NDArray[np.int64]) -> None:
        """Count one clip in the pane that is open; raises `AudioError`, and counts nothing, when it cannot be."""
        counter = Counter(self._front_end) if self._counter is None else self._counter
        counter.add_level(level, samples)
        if self._counter is None:
            self._counter, self._scores = counter, np.zeros_like(scores)
        self._scores = self._scores + scores
        self._clips += 1

    def _close(self) -> Pane | None:
        pane = self._open_pane()
        self._counter, self._clips = None, 0
        if pane is None:
            return self._full.get(self._number)
        if self._number in self._full:  # what a merge brought, and what came since
            pane = Pane.sum([self._full[self._number], pane])
        self._full[self._number] = pane
        return pane

    def _open_pane(self) -> Pane | None:
        counted = None if self._counter is None else self._counter.measurement()
        if counted is None:
            return None
        narrow: Any = counted.histogram.astype(np.int32, copy=False)
        return Pane(replace(counted, histogram=narrow), self._scores)

    def newest_first(self) -> list[tuple[int, Pane]]:
        """Every pane with its number."""
        panes = dict(self._full)
        if (pane := self._open_pane()) is not None:
            panes[self._number] = Pane.sum([panes[self._number], pane]) if self._number in panes else pane
        return sorted(panes.items(), reverse=True)

    def score_sums(self) -> tuple[list[NDArray[np.int64]], list[int]]:
        """Sums of scores and numbers of clips of each pane, newest first, empty panes too; cheaper than the panes."""
        sums: list[NDArray[np.int64]] = []
        clips: list[int] = []
        for number in range(self._number, self._number - self._window.panes, -1):
            pane = self._full.get(number)
            total = np.zeros_like(self._scores) if pane is None else pane.scores
            count = 0 if pane is None else pane.clips
            if number == self._number and self._counter is not None:
                total, count = total + self._scores, count + self._clips
            if number >= 0:
                sums.append(total)
                clips.append(count)
        return sums, clips

    def take(self, number: int, pane: Pane) -> None:
        """Put a pane in that a saved or another monitor has counted; the scores must be as many."""
        known = self._full.get(number)
        self._full[number] = pane if known is None else Pane.sum([known, pane])
        self._scores = np.zeros_like(pane.scores) if self._counter is None else self._scores
        self._number = max(self._number, number)
