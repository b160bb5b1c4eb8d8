"""What a monitor says: a verdict after each clip, and a report with the figures behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spectronorm.monitor.change.diagnosis import Diagnosis
from spectronorm.monitor.change.drift import Drift


@dataclass(frozen=True)
class Verdict:
    """What the monitor thinks after a clip.

    Attributes:
        clip: The number of the clip, from 1.
        statistic: The largest standardized deviation over horizons and features.
        threshold: What it may be.
        feature: What deviates most.
        alarm: Whether the statistic is above the threshold.
        onset: Whether this clip raised the alarm: it was quiet for a window before.
    """

    clip: int
    statistic: float
    threshold: float
    feature: str
    alarm: bool
    onset: bool


@dataclass(frozen=True)
class Report:
    """A verdict with the figures and the diagnosis behind it."""

    verdict: Verdict
    drift: Drift
    diagnosis: Diagnosis
    alarms: int
    bad: int

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            **vars(self.verdict),
            "alarms": self.alarms,
            "bad": self.bad,
            "diagnosis": self.diagnosis.to_dict(),
            "drift": self.drift.to_dict(),
        }
