"""Diagnosis of a change, in words, with advice."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from spectronorm.arrays import Floats
from spectronorm.counted import counted
from spectronorm.monitor.change.advice import advice_for
from spectronorm.monitor.change.evidence import Evidence
from spectronorm.monitor.change.kind import Kind

FIRM_CLIPS = 32
"""Number of clips from which a diagnosis is firm; with fewer, content weighs too much relative to the device."""


@dataclass(frozen=True)
class Diagnosis:
    """Kind of change, the reason for the diagnosis, and advice; `firm` is false while there are few clips."""

    kind: Kind
    because: str
    advice: str
    clips: int
    firm: bool

    def __str__(self) -> str:
        doubt = "" if self.firm else f" (provisional, from {counted(self.clips, 'clip')})"
        return f"{self.kind.value}{doubt}: {self.because} {self.advice}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**vars(self), "kind": self.kind.value}


def diagnose(evidence: Evidence) -> Diagnosis:
    """Return the first explanation that fits, from the most specific to the vaguest."""
    for rule in (_silence, _clipping, _band_limit, _level, _noise_or_equalization):
        found = rule(evidence)
        if found is not None:
            return _diagnosis(*found, evidence)
    because = "The levels changed in a way that no gain, filter or noise explains."
    return _diagnosis(Kind.CONTENT, because, evidence)


def nothing(clips: int, moved: str = "") -> Diagnosis:
    """Return the diagnosis without an alarm, which does not mean that the clips are alike.

    Args:
        clips: Number of clips in the window.
        moved: What moved most, as a sentence.
    """
    because = moved or "Too few clips for an alarm." if clips else "No clip has come yet."
    return Diagnosis(Kind.NOTHING, because, advice_for(Kind.NOTHING), clips, clips >= FIRM_CLIPS)


def _diagnosis(kind: Kind, because: str, e: Evidence) -> Diagnosis:
    return Diagnosis(kind, because, advice_for(kind), e.clips, e.clips >= FIRM_CLIPS)


def _silence(e: Evidence) -> tuple[Kind, str] | None:
    if e.flat >= 0.5 or (e.rms <= -70.0 and e.rms_shift <= -30.0):
        return Kind.SILENCE, f"{e.flat:.0%} of the clips are silent or constant; the mean RMS is {e.rms:.0f} dBFS."
    return None


def _clipping(e: Evidence) -> tuple[Kind, str] | None:
    if e.same_peak >= 0.3 and e.crest_shift <= -3.0 and e.rms_shift > -3.0:
        return Kind.CLIPPING, (
            f"Peaks are cut off at one level and stand {-e.crest_shift:.1f} dB less above the RMS than in training."
        )
    return None


def _band_limit(e: Evidence) -> tuple[Kind, str] | None:
    """Find a steep edge between two neighbouring ranges, beyond which the signal is lost."""
    if e.middle is None or e.high is None or len(e.middle) < 4:
        return None
    moved = (e.middle + e.high) / 2
    steps = moved[2:] - moved[:-2]
    edge = int(np.abs(steps).argmax())
    if abs(steps[edge]) < 20.0:
        return None
    lost = np.arange(len(moved)) > edge if steps[edge] < 0 else np.arange(len(moved)) <= edge + 1
    lost &= moved < np.median(moved[~lost]) - 15.0
    outside = lost[edge + 2 :] if steps[edge] < 0 else lost[: edge + 1]
    if not outside.all() or lost.all() or not lost.any():
        return None
    if not _same_spread(e, e.spread_ratio[~lost]):
        return None
    side = "above" if steps[edge] < 0 else "below"
    hz = e.hz[lost].min() if steps[edge] < 0 else e.hz[lost].max()
    return Kind.BAND_LIMIT, f"Everything {side} about {hz:.0f} Hz is gone; the other bands are as they were."


def _noise_or_equalization(e: Evidence) -> tuple[Kind, str] | None:
    """Noise raises the quiet levels and leaves the loud ones; a filter moves both. The stronger sign wins."""
    noise, equalization = _noise(e), _equalization(e)
    if noise is None or equalization is None:
        return (noise or equalization or (0.0, None))[1]
    return max(noise, equalization)[1]


def _noise(e: Evidence) -> tuple[float, tuple[Kind, str]] | None:
    """Measure the sign of noise: above 1 if the lower tail rose and the upper tail stayed."""
    if e.low is None or e.high is None:
        return None
    tail = float(np.median(e.low - e.high))
    strength = tail / max(6.0, 2.0 * e.tail_se)
    # Noise lowers nothing: neither the loud moments overall nor those of any band.
    if strength <= 1.0 or np.median(e.high) < -5.0 - e.level_se or e.high.min() < -15.0 - 2.0 * e.level_se:
        return None
    return strength, (Kind.NOISE, f"The quiet moments rose by {tail:.0f} dB against the loud ones.")


def _level(e: Evidence) -> tuple[Kind, str] | None:
    if abs(e.rms_shift) < max(3.0, 2.0 * e.rms_se):
        return None
    if e.beyond_gain is not None:
        apart, follows = float(np.ptp(_smooth(e.beyond_gain))), abs(float(np.median(e.beyond_gain)))
        # The part that a gain does not explain must be within the variation of content, or small against the gain.
        small = 0.3 * abs(e.rms_shift)
        if apart > max(_smallest_filter(e), small) or follows > max(4.5, 3.0 * e.level_se, small):
            return None
    if not _same_spread(e, e.spread_ratio):
        return None
    return Kind.LEVEL, f"All clips are {abs(e.rms_shift):.1f} dB {'louder' if e.rms_shift > 0 else 'quieter'}."


def _equalization(e: Evidence) -> tuple[float, tuple[Kind, str]] | None:
    """Measure the sign of a filter: above 1 if the bands moved smoothly, each as a whole."""
    if e.middle is None or e.high is None or len(e.middle) < 4:
        return None
    moved = (e.middle + e.high) / 2
    smooth = _smooth(moved)
    rough = float(np.sqrt(np.mean((moved - smooth) ** 2)))
    size = float(np.ptp(smooth))
    if size <= _smallest_filter(e) or rough > 0.15 * size or not _same_spread(e, e.spread_ratio):
        return None
    if abs(float(np.median(e.middle - e.high))) > max(4.0, 2.0 * e.level_se):
        return None
    low, high = int(smooth.argmin()), int(smooth.argmax())
    because = (
        f"Bands moved smoothly, from {smooth[low]:+.0f} dB at {e.hz[low]:.0f} Hz to {smooth[high]:+.0f} dB at "
        f"{e.hz[high]:.0f} Hz, each as a whole."
    )
    return size / max(6.0, 2.0 * e.level_se), (Kind.EQUALIZATION, because)


def _smallest_filter(e: Evidence) -> float:
    """Smallest difference between bands, in dB, at which a filter can be distinguished from the clips' content.

    The smooth curve has four coefficients, so its ends stray by several standard errors through chance alone.
    """
    return max(8.0, 7.0 * e.shape_se)


def _smooth(moved: Floats) -> Floats:
    """Fit a cubic across the ranges."""
    x = np.linspace(-1.0, 1.0, len(moved))
    return np.asarray(np.polynomial.Polynomial.fit(x, moved, min(3, len(moved) - 1))(x))


def _same_spread(e: Evidence, ratio: Floats) -> bool:
    """True if the clips differ from each other about as much as in training, since a device does not change that.

    The standard deviation of n clips has a relative uncertainty of `1 / sqrt(2 (n - 1))`, so few clips may differ more.
    """
    limit = 0.45 + 2.0 / math.sqrt(2.0 * max(e.clips - 1, 1))
    return bool(abs(math.log(max(float(np.median(ratio)), 1e-6))) <= limit)
