"""Diagnosis of a change, in words, with advice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spectronorm.arrays import Floats
from spectronorm.counted import counted
from spectronorm.monitor.change.advice import advice_for
from spectronorm.monitor.change.evidence import Evidence
from spectronorm.monitor.change.kind import Kind

_HUM_HZ = 400.0
_MUTED = 0.15
FIRM_CLIPS = 32
"""Number of clips from which a diagnosis is firm; with fewer, content weighs too much relative to the device."""


@dataclass(frozen=True)
class Cause:
    """One cause that fits, with its weight: the weights of a diagnosis add up to 1."""

    kind: Kind
    weight: float
    because: str


@dataclass(frozen=True)
class Diagnosis:
    """Kind of change, the reason for the diagnosis, and advice; `firm` is false while there are few clips.

    `causes` holds every cause that fits, the named kind first: several devices may have changed at once.

    >>> import numpy as np, spectronorm as sn
    >>> rng = np.random.default_rng(0)
    >>> front_end = sn.FrontEnd(bands=sn.Mel(24))
    >>> profile = sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)], front_end)
    >>> silence = sn.fit([(np.zeros(8000), 16_000) for _ in range(20)], front_end)
    >>> found = sn.monitor.diagnose(sn.monitor.evidence(profile, silence.total))
    >>> found.kind.value, found.firm
    ('silence', False)
    """

    kind: Kind
    because: str
    advice: str
    clips: int
    firm: bool
    causes: tuple[Cause, ...] = ()

    def __str__(self) -> str:
        doubt = "" if self.firm else f" (provisional, from {counted(self.clips, 'clip')})"
        also = "".join(f" Also {c.kind.value} ({c.weight:.0%}): {c.because}" for c in self.causes[1:])
        return f"{self.kind.value}{doubt}: {self.because}{also} {self.advice}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        causes = [{**vars(cause), "kind": cause.kind.value} for cause in self.causes]
        return {**vars(self), "kind": self.kind.value, "causes": causes}


Sign = tuple[float, Kind, str]
"""Strength of a sign (1 is just enough), the kind, and the reason."""


def diagnose(evidence: Evidence) -> Diagnosis:
    """Return every explanation that fits; the named one is the most specific, and "unknown-change" if none fits.

    Of rules in one line of `_RULES` the stronger sign is named. A cause further down is told beside the named one if it
    fits about as well.

    >>> import numpy as np, spectronorm as sn
    >>> rng = np.random.default_rng(0)
    >>> front_end = sn.FrontEnd(bands=sn.Mel(24))
    >>> profile = sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)], front_end)
    >>> quieter = sn.fit([(0.01 * rng.standard_normal(8000), 16_000) for _ in range(20)], front_end)
    >>> diagnose(sn.monitor.evidence(profile, quieter.total)).kind.value
    'level-change'
    """
    found: list[Sign] = []
    for line in _RULES:
        found += sorted((sign for rule in line if (sign := rule(evidence)) is not None), reverse=True)
    if not found:
        return _diagnosis([_vague(evidence)], evidence)
    if found[0][1] in _ALONE:
        return _diagnosis(found[:1], evidence)
    return _diagnosis([sign for sign in found if sign[0] >= _LEAST_SHARE * found[0][0]], evidence)


def nothing(clips: int, moved: str = "") -> Diagnosis:
    """Return the diagnosis without an alarm, which does not mean that the clips are alike.

    Args:
        clips: Number of clips in the window.
        moved: What moved most, as a sentence.
    """
    because = moved or "Too few clips for an alarm." if clips else "No clip has come yet."
    return Diagnosis(Kind.NOTHING, because, advice_for(Kind.NOTHING), clips, clips >= FIRM_CLIPS)


def _diagnosis(found: Sequence[Sign], e: Evidence) -> Diagnosis:
    total = sum(strength for strength, _, _ in found)
    causes = tuple(Cause(kind, strength / total, because) for strength, kind, because in found)
    _, kind, because = found[0]
    return Diagnosis(kind, because, advice_for(kind), e.clips, e.clips >= FIRM_CLIPS, causes)


def _vague(e: Evidence) -> Sign:
    """Other content if the loud moments moved band by band, as no single cause moves them; else nothing is known."""
    if e.high is not None and float(np.std(e.high)) >= max(5.0, 4.0 * e.shape_se):
        return 1.0, Kind.CONTENT, "The loud moments of the bands moved apart in a way that no filter or noise explains."
    return 1.0, Kind.UNKNOWN, "The levels changed in a way that no single known cause explains."


def _silence(e: Evidence) -> Sign | None:
    if e.flat >= 0.5 or (e.rms <= -70.0 and e.rms_shift <= -30.0):
        return 1.0, Kind.SILENCE, f"{e.flat:.0%} of the clips are silent or constant; the mean RMS is {e.rms:.0f} dBFS."
    return None


def _clipping(e: Evidence) -> Sign | None:
    if e.same_peak >= 0.3 and e.crest_shift <= -3.0 and e.rms_shift > -3.0:
        return (
            e.same_peak / 0.3,
            Kind.CLIPPING,
            (f"Peaks are cut off at one level and stand {-e.crest_shift:.1f} dB less above the RMS than in training."),
        )
    return None


def _band_limit(e: Evidence) -> Sign | None:
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
    because = f"Everything {side} about {hz:.0f} Hz is gone; the other bands are as they were."
    return abs(steps[edge]) / 20.0, Kind.BAND_LIMIT, because


def _hum(e: Evidence) -> Sign | None:
    """Find a steady sound below 400 Hz: there the quiet moments rose far more than elsewhere, the loud ones did not."""
    low = e.hz < _HUM_HZ
    if e.low is None or e.high is None or not low.any() or low.sum() > len(low) // 2 or np.ptp(e.high) > 8.0:
        return None
    quiet, loud = (float(part[low].mean() - np.median(part[~low])) for part in (e.low, e.high))
    strength = quiet / max(15.0, 2.0 * e.tail_se)
    if (
        strength <= 1.0
        or loud > 0.3 * quiet
        or float(np.median(e.low[~low] - e.high[~low])) > max(9.0, 2.0 * e.tail_se)
    ):
        return None
    return strength, Kind.HUM, f"Below {_HUM_HZ:.0f} Hz the quiet moments rose by {quiet:.0f} dB more than elsewhere."


def _dynamics(e: Evidence) -> Sign | None:
    """Find gates and suppressors, which lower the quiet moments, and automatic gain, which raises them and the RMS."""
    if e.low is None or e.high is None or float(np.ptp(e.high)) > 8.0:
        return None
    loud = float(np.median(e.high))
    if e.floor_rise >= _MUTED and loud >= -3.0:  # What is muted counts no longer, so the quantiles of the rest rise.
        because = f"{e.floor_rise:.0%} more of the cells are silent and the loud moments stayed, as behind a gate."
        return e.floor_rise / _MUTED, Kind.DYNAMICS, because
    if abs(loud) > 3.0:
        return None
    tail = float(np.median(e.low - e.high))
    if tail <= -max(9.0, 1.5 * e.tail_se):
        because = f"The quiet moments fell by {-tail:.0f} dB against the loud ones, as behind a gate or suppressor."
        return -tail / max(9.0, 1.5 * e.tail_se), Kind.DYNAMICS, because
    alike = float(np.median(e.spread_ratio)) < 0.7
    if tail < 8.0 or e.crest_shift > -2.0 or e.same_peak >= 0.3 or alike:
        return None
    because = f"Quiet moments rose by {tail:.0f} dB against loud ones, and peaks fell: an automatic gain or compressor."
    return tail / 8.0, Kind.DYNAMICS, because


def _speed(e: Evidence) -> Sign | None:
    """Find a wrong speed: the training set's spectrum, moved along the frequencies, explains the bands better."""
    if e.middle is None or e.high is None or len(e.middle) < 4:
        return None
    moved = (e.middle + e.high) / 2
    rough = float(np.sqrt(np.mean((moved - _smooth(moved)) ** 2)))
    if float(np.ptp(moved)) < max(8.0, 7.0 * e.shape_se) or e.speed_rest > min(
        1.4 * rough, 0.35 * float(np.std(moved))
    ):
        return None
    because = f"The spectrum is that of the training set at {e.speed:.2g} times the speed."
    return rough / max(e.speed_rest, 0.1), Kind.SPEED, because


def _noise(e: Evidence) -> Sign | None:
    """Measure the sign of noise: above 1 if the lower tail rose and the upper tail stayed."""
    if e.low is None or e.high is None:
        return None
    tail = float(np.median(e.low - e.high))
    strength = tail / max(6.0, 2.0 * e.tail_se)
    # Noise lowers nothing: neither the loud moments overall nor those of any band.
    if strength <= 1.0 or np.median(e.high) < -5.0 - e.level_se or e.high.min() < -15.0 - 2.0 * e.level_se:
        return None
    if float(np.std(e.high)) > max(2.5, 2.5 * e.shape_se) or e.floor_rise >= _MUTED:  # Noise fills silence.
        return None
    return strength, Kind.NOISE, f"The quiet moments rose by {tail:.0f} dB against the loud ones."


def _level(e: Evidence) -> Sign | None:
    if abs(e.rms_shift) < max(3.5, 2.0 * e.rms_se) or e.crest_shift < -2.5 - 0.1 * abs(e.rms_shift):
        return None
    if e.low is not None and e.high is not None:  # A gain leaves the ratio of quiet and loud moments.
        tail = float(np.median(e.low - e.high))
        if abs(tail) > max(8.0, 1.5 * abs(e.rms_shift)):
            return None
    if e.beyond_gain is not None:
        apart, follows = float(np.ptp(_smooth(e.beyond_gain))), abs(float(np.median(e.beyond_gain)))
        # The part that a gain does not explain must be within the variation of content, or small against the gain.
        small = 0.3 * abs(e.rms_shift)
        if apart > max(_smallest_filter(e), small) or follows > max(4.5, 3.0 * e.level_se, small):
            return None
    if not _same_spread(e, e.spread_ratio):
        return None
    because = f"All clips are {abs(e.rms_shift):.1f} dB {'louder' if e.rms_shift > 0 else 'quieter'}."
    return abs(e.rms_shift) / max(3.0, 2.0 * e.rms_se), Kind.LEVEL, because


def _equalization(e: Evidence) -> Sign | None:
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
    return size / max(6.0, 2.0 * e.level_se), Kind.EQUALIZATION, because


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


_ALONE = frozenset((Kind.SILENCE, Kind.CLIPPING, Kind.BAND_LIMIT, Kind.SPEED, Kind.HUM, Kind.DYNAMICS, Kind.LEVEL))
"""Kinds beside which the signs of others mean nothing, since they follow from them."""
_RULES = (
    (_silence,),
    (_clipping,),
    (_band_limit,),
    (_hum,),
    (_speed,),
    (_dynamics,),
    (_level,),
    (_noise, _equalization),
)
"""Rules from the most specific to the vaguest."""
_LEAST_SHARE = 0.4
