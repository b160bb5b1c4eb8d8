"""Diagnosis of a change, in words, with advice."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spectronorm.counted import counted
from spectronorm.monitor.change.advice import advice_for
from spectronorm.monitor.change.evidence import Evidence
from spectronorm.monitor.change.explanations import Cause, Explained, explanations
from spectronorm.monitor.change.kind import Kind
from spectronorm.monitor.change.margins import surely_named
from spectronorm.monitor.change.observed import Observed
from spectronorm.short_repr import with_bounded_repr
from spectronorm.suggestion import known_settings

FIRM_CLIPS = 32
"""Number of clips from which a diagnosis is firm; with fewer, content weighs too much relative to the device."""


@known_settings
@with_bounded_repr
@dataclass(frozen=True)
class Diagnosis:
    """Kind of change, the reason for the diagnosis, and advice; `firm` is false while there are few clips.

    `causes` holds the causes that are named, one or two, with their shares of what moved, that of `kind` first; of an
    unknown change, the causes that come nearest.

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


_TEMPERATURE = 5.0
"""Logarithms of likelihoods are divided by this before they are told as weights, because no model is exact."""
_LEAST_WEIGHT = 0.1
_TOPS = 1.0
"""Peaks are cut off if the share of samples near the peak is above the training clips' by this power of ten."""


def diagnose(evidence: Evidence) -> Diagnosis:
    """Name the causes that explain the change well beyond their alternatives; else the change is unknown.

    Silence and cut peaks show directly. Every other cause has a model of what it does to the training set, and two of
    them may act one after the other. A cause of the likeliest explanation is named if that is likelier by a margin than
    every explanation without the cause, than other content and than any unmodelled change, and if it explains most of
    what moved.

    >>> import numpy as np, spectronorm as sn
    >>> rng = np.random.default_rng(0)
    >>> front_end = sn.FrontEnd(bands=sn.Mel(24))
    >>> profile = sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)], front_end)
    >>> quieter = sn.fit([(0.01 * rng.standard_normal(8000), 16_000) for _ in range(20)], front_end)
    >>> diagnose(sn.monitor.evidence(profile, quieter.total)).kind.value
    'level-change'
    """
    direct = shown_directly(evidence)
    if direct is not None:
        return _diagnosis([direct], evidence)
    observed = Observed.of(evidence)
    if observed is None:
        return _diagnosis([_by_waveform(evidence)], evidence)
    found = explanations(observed)
    return _diagnosis(surely_named(found) or _unknown(evidence, observed, found), evidence)


def shown_directly(e: Evidence) -> Cause | None:
    """Return silence or cut peaks, which show without a model; None if neither does."""
    return _silence(e) or _clipping(e)


def nothing(clips: int, moved: str = "") -> Diagnosis:
    """Return the diagnosis without an alarm, which does not mean that the clips are alike.

    Args:
        clips: Number of clips in the window.
        moved: What moved most, as a sentence.
    """
    because = moved or "Too few clips for an alarm." if clips else "No clip has come yet."
    return Diagnosis(Kind.NOTHING, because, advice_for(Kind.NOTHING), clips, clips >= FIRM_CLIPS)


def _diagnosis(causes: Sequence[Cause], e: Evidence) -> Diagnosis:
    total = sum(cause.weight for cause in causes)
    shared = tuple(replace(cause, weight=cause.weight / total) for cause in causes)
    first = shared[0]
    also = () if first.kind is Kind.UNKNOWN else tuple(cause.kind for cause in shared[1:])
    return Diagnosis(first.kind, first.because, advice_for(first.kind, *also), e.clips, e.clips >= FIRM_CLIPS, shared)


def _weighted(found: Sequence[Explained]) -> Iterator[Cause]:
    """Yield the causes with their weights over all explanations; what has no name takes the rest of 1."""
    sizes = [math.exp((e.likelihood - found[0].likelihood) / _TEMPERATURE) for e in found]
    likeliest: dict[Kind, Cause] = {}
    weights: dict[Kind, float] = {}
    for one, size in zip(found, sizes, strict=True):
        for part in one.parts:
            likeliest.setdefault(part.kind, part)
            weights[part.kind] = weights.get(part.kind, 0.0) + part.weight * size / sum(sizes)
    for kind, weight in sorted(weights.items(), key=lambda item: -item[1]):
        if likeliest[kind].because:
            yield replace(likeliest[kind], weight=weight)


def _unknown(e: Evidence, o: Observed, found: Sequence[Explained]) -> list[Cause]:
    """An unknown change, with what moved and the causes that come nearest."""
    near = [cause for cause in _weighted(found) if cause.weight >= _LEAST_WEIGHT][:3]
    nearest = f" Nearest: {', '.join(cause.kind.value for cause in near)}." if near else ""
    because = f"No known cause explains the change clearly better than all others: {_moved(e, o)}.{nearest}"
    causes = [replace(cause, weight=cause.weight / 2) for cause in near]
    return [Cause(Kind.UNKNOWN, 1.0 - sum(cause.weight for cause in causes), because), *causes]


def _moved(e: Evidence, o: Observed) -> str:
    """Write the movements in numbers."""
    quiet, _, loud = (float(part) for part in np.median(o.shift, axis=0))
    place = int(np.abs(o.shift[:, 1]).argmax())
    parts = [
        f"quiet moments {quiet:+z.0f} dB",
        f"loud ones {loud:+z.0f} dB",
        f"most of all {o.shift[place, 1]:+z.0f} dB at {o.hz[place]:.0f} Hz",
        f"RMS {e.rms_shift:+z.0f} dB",
        f"crest {e.crest_shift:+z.0f} dB",
    ]
    return ", ".join(parts)


def _silence(e: Evidence) -> Cause | None:
    if e.flat < 0.5 and not (e.rms <= -70.0 and e.rms_shift <= -30.0):
        return None
    because = f"{e.flat:.0%} of the clips are silent or constant; the mean RMS is {e.rms:.0f} dBFS."
    return Cause(Kind.SILENCE, 1.0, because)


def _clipping(e: Evidence) -> Cause | None:
    """Peaks cut off: many samples near the peak; without the training clips, peaks at one level close above the RMS."""
    if e.within is not None:
        cut = e.within.tops >= _TOPS + 4.0 * e.within.tops_deviation / math.sqrt(e.clips) and e.crest_shift <= -2.0
    else:
        cut = e.same_peak >= 0.3 and e.crest_shift <= -6.0 and e.rms_shift > -3.0
    if not cut:
        return None
    because = f"Peaks are cut off and exceed the RMS by {-e.crest_shift:.1f} dB less than in training."
    return Cause(Kind.CLIPPING, 1.0, because)


def _by_waveform(e: Evidence) -> Cause:
    """The diagnosis of levels that are not functions of single frames: a gain, or nothing that is known."""
    if abs(e.rms_shift) >= max(3.5, 4.0 * e.rms_se) and abs(e.crest_shift) <= 2.5:
        because = f"All clips are {abs(e.rms_shift):.1f} dB {'louder' if e.rms_shift > 0 else 'quieter'}."
        return Cause(Kind.LEVEL, 1.0, because)
    because = (
        "Each level depends on several frames, so only the waveform can be judged: "
        f"RMS {e.rms_shift:+z.0f} dB, crest {e.crest_shift:+z.0f} dB."
    )
    return Cause(Kind.UNKNOWN, 1.0, because)
