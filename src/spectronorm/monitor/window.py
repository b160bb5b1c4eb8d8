"""Window of recent clips that a monitor looks at."""

from __future__ import annotations

import math
from dataclasses import dataclass

from spectronorm.arrays import set_real_numbers, set_whole_numbers
from spectronorm.errors import ArgumentError

_LATEST = 1e12
"""Seconds since 1970 that no clock will show."""


@dataclass(frozen=True)
class Window:
    """Window of recent clips: a number of `clips`, or `seconds` if panes should end by the clock.

    The window moves by whole `panes`. With `decay` below 1, the drift figures give each pane that weight relative to
    the next newer pane (a decaying window); the alarm weighs all panes equally.

    Raises:
        ArgumentError: if a number is out of range.

    >>> window = Window(clips=32, panes=8)
    >>> window.pane_clips
    4
    """

    clips: int = 32
    panes: int = 8
    seconds: float | None = None
    decay: float = 1.0

    def __post_init__(self) -> None:
        set_whole_numbers(self, ("panes",), 1, 64)
        set_whole_numbers(self, ("clips",), 1, 20_000)
        if self.clips < 8 or self.clips % self.panes:
            raise ArgumentError(
                f"a window of {self.clips} clips must hold at least 8, and a whole number in each of {self.panes} panes"
            )
        if self.seconds is not None:
            set_real_numbers(self, ("seconds",), 1e-3, 1e9, of="s")
        set_real_numbers(self, ("decay",), 1e-6, 1, of="(1 counts all panes alike)")

    @property
    def pane_clips(self) -> int:
        """Number of clips in a pane; in a window of seconds, the expected number."""
        return self.clips // self.panes

    def pane_of(self, clip: int, at: float | None) -> int:
        """Return the number of the pane that a clip falls into, from the clip's number or from its time in seconds.

        Raises:
            ArgumentError: if the window is one of seconds and the clip has no time.
        """
        if self.seconds is None:
            return clip // self.pane_clips
        if at is None or not abs(at) <= _LATEST:
            raise ArgumentError(f"at={at}: a window of seconds needs each clip's time, such as time.time()")
        return math.floor(at / (self.seconds / self.panes))
