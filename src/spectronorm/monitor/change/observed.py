"""Observed change, as one vector with its covariance when nothing changed; every cause has to explain it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spectronorm.arrays import Floats
from spectronorm.monitor.change.evidence import Evidence
from spectronorm.monitor.change.within import Within
from spectronorm.short_repr import with_short_repr

_TAIL = np.array([0.5, 0.0, -0.5])
_REACH = 2.5
_INEXACT = 0.12
_ALONE_DB = 0.7
_FEWEST_GROUPS_SHARE = 0.02
_RELATIVE = ("flux", "steadiest")


@with_short_repr
@dataclass(frozen=True, eq=False)
class Observed:
    """A change as a vector.

    Attributes:
        levels: Quiet moments, middle and loud moments `(clip, range, 3)` of training clips, in dB; of a profile without
            clips, one row of quantiles over all.
        moved: The change: that of the mean levels `(range, 3)` in one row, then the known figures.
        then: The training set's mean of each figure that is told as a ratio; 1 for the others.
        covariance: Covariance of `moved` if nothing changed, with what inexact models need.
        of_a_clip: Covariance between single clips.
        hz: Centre frequency of each range, in Hz.
        floor: The floor, in dB.
        gain_reaches: True if a gain reaches the levels.
        clips: Number of clips.
        places: Places of the known figures.
        by_chance: Squared change of the levels to be expected if nothing changed, summed over ranges and moments.
    """

    levels: Floats
    moved: Floats
    then: Floats
    covariance: Floats
    of_a_clip: Floats
    hz: Floats
    floor: float
    gain_reaches: bool
    clips: int
    places: Mapping[str, slice]
    by_chance: float

    @property
    def ranges(self) -> int:
        """Number of ranges."""
        return len(self.hz)

    @property
    def shift(self) -> Floats:
        """Change of the levels `(range, 3)`, in dB."""
        return self.moved[: 3 * self.ranges].reshape(self.ranges, 3)

    def figure(self, name: str) -> Floats:
        """Change of a figure; empty if it is not known."""
        return self.moved[self.places[name]] if name in self.places else np.empty(0)

    @classmethod
    def of(cls, e: Evidence) -> Observed | None:
        """Collect the evidence; None if levels cannot be converted to decibels."""
        if e.then is None or e.now is None:
            return None
        return _of_histograms(e, e.then, e.now) if e.within is None else _of_clips(e, e.within)


def _of_clips(e: Evidence, within: Within) -> Observed:
    """The change of clips' features, with the training clips' own covariance."""
    known = within.known
    ranges = len(known.hz)
    parts = (len(within.moved) - 3 * ranges - 3) // 2
    spreads = np.concatenate([within.quiet_spread, within.loud_spread])
    moved = np.concatenate([within.moved, spreads])
    sizes = {"flux": parts, "steadiest": parts, "rms": 1, "crest": 1, "onset": 1}
    sizes |= {"quiet spread": len(within.quiet_spread), "loud spread": len(within.loud_spread)}
    places, at = {}, 3 * ranges
    for name, size in sizes.items():
        places[name] = slice(at, at + size)
        at += size
    then = np.ones(len(moved))
    for name in _RELATIVE:
        then[places[name]] = np.maximum(known.mean[places[name]], 0.1)
    size = len(within.moved)
    of_a_clip = np.zeros((len(moved), len(moved)))
    of_a_clip[:size, :size] = known.covariance
    share = 1.0 / e.clips + max(known.between_groups, _FEWEST_GROUPS_SHARE / 10)
    chance = share * of_a_clip
    chance[range(size, len(moved)), range(size, len(moved))] = 0.5 / max(e.clips - 1, 1) + 0.05**2
    of_a_clip[range(size, len(moved)), range(size, len(moved))] = 3.0
    covariance = chance + np.diag(_inexact(moved, ranges, then))
    return Observed(
        known.levels,
        moved,
        then,
        covariance,
        of_a_clip,
        known.hz,
        e.floor,
        e.gain_reaches,
        e.clips,
        places,
        float(np.trace(chance[: 3 * ranges, : 3 * ranges])),
    )


def _inexact(moved: Floats, ranges: int, then: Floats) -> Floats:
    variance = np.square(0.03 * then)
    variance[: 3 * ranges] = _ALONE_DB**2 + np.square(_INEXACT * moved[: 3 * ranges])
    return variance


def _of_histograms(e: Evidence, then: Floats, now: Floats) -> Observed:
    """The change of the quantiles of all clips together, with a covariance made of what a profile knows."""
    chosen = [0, then.shape[1] // 2, then.shape[1] - 1]
    levels, shift = then[:, chosen], (now - then)[:, chosen]
    ranges = len(levels)
    near = np.exp(-np.abs(np.subtract.outer(np.arange(ranges), np.arange(ranges))) / _REACH)
    shape = max(e.shape_se, 0.1) ** 2
    common = max(e.level_se**2 - shape, 0.01)
    tail = max(e.tail_se, 0.1) ** 2 * (0.5 + 0.5 * near)
    of_levels = np.kron(common + shape * near, np.ones((3, 3))) + np.kron(tail, np.outer(_TAIL, _TAIL))
    errors = [max(e.rms_se, 0.3), max(4.0 / math.sqrt(e.clips), 0.3)]
    moved = np.concatenate([shift.reshape(-1), [e.rms_shift, e.crest_shift]])
    chance = np.zeros((len(moved), len(moved)))
    chance[: 3 * ranges, : 3 * ranges] = of_levels
    chance[range(3 * ranges, len(moved)), range(3 * ranges, len(moved))] = np.square(errors)
    places = {"rms": slice(3 * ranges, 3 * ranges + 1), "crest": slice(3 * ranges + 1, 3 * ranges + 2)}
    return Observed(
        levels[None],
        moved,
        np.ones(len(moved)),
        2.0 * chance + np.diag(_inexact(moved, ranges, np.ones(len(moved)))),
        chance * e.clips,
        e.hz,
        e.floor,
        e.gain_reaches,
        e.clips,
        places,
        float(np.trace(of_levels)),
    )
