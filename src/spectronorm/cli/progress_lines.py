"""Progress as plain lines, for logs and pipes."""

from __future__ import annotations

import time
from collections.abc import Callable

_FIRST, _LONGEST = 1.0, 60.0


class ProgressLines:
    """Say how much is done: first after one second, then after twice the time, at last once a minute."""

    def __init__(self, what: str, say: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        """Begin to measure the time.

        Args:
            what: Name of the work.
            say: Called with each line.
            clock: Returns the time in seconds.
        """
        self._what, self._say, self._clock = what, say, clock
        self._begin = clock()
        self._next, self._said = self._begin + _FIRST, -1

    def __call__(self, done: int, total: int) -> None:
        """Take note of the number of items done, and say it if it is time."""
        now = self._clock()
        if now < self._next or done == self._said or done >= total:
            return
        spent = now - self._begin
        self._next, self._said = now + min(spent, _LONGEST), done
        left = f", about {spent / done * (total - done):,.0f} s left" if done else ""
        self._say(f"{self._what}: {done:,} of {total:,}{left}")
