"""Verdict after each clip, and report with the figures behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spectronorm.monitor.change.diagnosis import Diagnosis, nothing
from spectronorm.monitor.change.drift import Drift
from spectronorm.monitor.clips.features import meaning_of
from spectronorm.short_repr import with_bounded_repr, with_short_repr
from spectronorm.suggestion import known_settings


@known_settings
@with_bounded_repr
@dataclass(frozen=True)
class Verdict:
    """Judgement of a monitor after a clip.

    Attributes:
        clip: Number of the clip, from 1.
        statistic: Largest standardized deviation over horizons and features.
        threshold: Threshold of the statistic.
        feature: Name of the feature with the largest deviation.
        alarm: True if the statistic is above the threshold.
        onset: True if this clip raised the alarm after a window without one.

    >>> verdict = Verdict(clip=32, statistic=24.1, threshold=18.5, feature="RMS", alarm=True, onset=True)
    >>> verdict.alarm and verdict.statistic > verdict.threshold
    True
    """

    clip: int
    statistic: float
    threshold: float
    feature: str
    alarm: bool
    onset: bool


@known_settings
@with_short_repr
@dataclass(frozen=True)
class Report:
    """A verdict with the figures and the diagnosis behind it.

    >>> import numpy as np, spectronorm as sn
    >>> from spectronorm.monitor import Monitor
    >>> rng = np.random.default_rng(0)
    >>> profile = sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)], sn.FrontEnd(bands=sn.Mel(24)))
    >>> monitor = Monitor(profile)
    >>> for _ in range(8):
    ...     _ = monitor.add(0.1 * rng.standard_normal(8000))
    >>> report = monitor.report()
    >>> report.alarms, report.bad, report.drift.clips
    (0, 0, 8)
    """

    verdict: Verdict
    drift: Drift
    diagnosis: Diagnosis
    alarms: int
    bad: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            **vars(self.verdict),
            "alarms": self.alarms,
            "bad": self.bad,
            "diagnosis": self.diagnosis.to_dict(),
            "drift": self.drift.to_dict(),
        }


def unalarmed(verdict: Verdict) -> Diagnosis:
    """Return the diagnosis without an alarm: what moved most, and that the training groups differ as much."""
    feature = f"{verdict.feature} ({meaning_of(verdict.feature)})"
    moved = (
        f"This does not prove that the clips are like the training set's: {feature} moved most, with a statistic of "
        f"{verdict.statistic:.1f}, but the training set's own groups differ as much (threshold "
        f"{verdict.threshold:.1f})."
    )
    return nothing(verdict.clip, moved if verdict.statistic > 0 else "")
