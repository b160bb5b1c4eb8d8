"""Accepted rate of false alarms, written as `1/week`, `2/day` or `1/10000 clips`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from spectronorm.errors import ArgumentError
from spectronorm.suggestion import known_settings

_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "week": 604800.0, "month": 2629800.0}
_FORM = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(?:/|per|in)\s*(\d+(?:\.\d+)?)?\s*([a-z]*?)s?\s*$")
_EXAMPLES = "1/week, 2/day or 1/10000 clips"


@known_settings
@dataclass(frozen=True)
class FalseAlarms:
    """Expected number of false alarms for each incoming clip.

    Raises:
        ArgumentError: if the rate is not between 1e-9 and 0.1 per clip.

    >>> FalseAlarms.parse("1/week", clips_per_hour=60).per_clip == 1 / (7 * 24 * 60)
    True
    """

    per_clip: float = 1e-4

    def __post_init__(self) -> None:
        if not 1e-9 <= self.per_clip <= 0.1:
            raise ArgumentError(
                f"false alarms: {self.per_clip:.3g} a clip must lie in 1e-9 … 0.1; ask for a rate such as {_EXAMPLES}"
            )

    @classmethod
    def parse(cls, text: str, clips_per_hour: float | None = None) -> FalseAlarms:
        """Parse a rate; a rate per time needs the number of clips per hour.

        Raises:
            ArgumentError: if the text is not a rate, or is a rate per time without `clips_per_hour`.
        """
        found = _FORM.match(text.lower())
        unit = found[3] if found else ""
        if found is None or unit not in (*_SECONDS, "clip"):
            raise ArgumentError(f"false-alarms={text!r} must be a rate such as {_EXAMPLES}")
        number, span = float(found[1]), float(found[2] or 1)
        if span == 0:
            raise ArgumentError(f"false-alarms={text!r} is a rate per nothing; write one such as {_EXAMPLES}")
        if unit == "clip":
            return cls(number / span)
        if clips_per_hour is None or not 0 < clips_per_hour < math.inf:
            raise ArgumentError(
                f"false-alarms={text!r} is a rate per time, so say how many clips come in an hour "
                "(--clips-per-hour 360), or ask for a rate per clips such as 1/10000 clips"
            )
        return cls(number / (span * _SECONDS[unit] / 3600.0 * clips_per_hour))
