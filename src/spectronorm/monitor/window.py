"""How far back a monitor looks."""

from __future__ import annotations

import math
from dataclasses import dataclass

from spectronorm.arrays import set_real_numbers, set_whole_numbers
from spectronorm.errors import ArgumentError

_LATEST = 1e12
"""Seconds since 1970 that no clock will show."""


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
        """Clips in a pane; in a window of seconds, the number that is expected."""
        return self.clips // self.panes

    def pane_of(self, clip: int, at: float | None) -> int:
        """The number of the pane that a clip falls into, given its own number and, by the clock, its time in seconds.

        Raises:
            ArgumentError: when the window is one of seconds and the clip comes without a time.
        """
        if self.seconds is None:
            return clip // self.pane_clips
        if at is None or not abs(at) <= _LATEST:
            raise ArgumentError(f"at={at}: a window of seconds needs each clip's time, such as time.time()")
        return math.floor(at / (self.seconds / self.panes))
