"""A hypothesis about the cause of a change, and what all of them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from spectronorm.arrays import Floats
from spectronorm.monitor.change.kind import Kind
from spectronorm.short_repr import with_short_repr

Figures = Mapping[str, tuple[float | Sequence[float], float | Sequence[float]]]
"""Expected change of each figure, and the deviation of it that the cause allows; of parts, one for all or each."""
FREE: Figures = {
    "rms": (0.0, 8.0),
    "crest": (0.0, 3.0),
    "flux": (0.0, 0.4),
    "steadiest": (0.0, 0.4),
    "quiet spread": (0.0, 0.2),
    "loud spread": (0.0, 0.2),
    "onset": (0.0, 1.0),
}
"""Freedom of the figures if a hypothesis does not mention them: flux and steadiest band as ratios, spreads beyond those
of the moved levels.
"""


def _none(_: Floats) -> Mapping[str, float]:
    return {}


@with_short_repr
@dataclass(frozen=True, eq=False)
class Hypothesis:
    """One hypothesis.

    Attributes:
        kind: Its name.
        moved: Levels `(clip, range, 3)` behind the cause, from levels before it and the parameters.
        says: Writes the fitted parameters in words.
        start: Parameters to start the fit from.
        deviation: Prior standard deviation of each parameter.
        centre: Prior mean of the parameters; zero if it is empty.
        figures: What is other than in `FREE`.
        weight: Logarithm of the prior weight among the variants of a kind.
        follows: Figures that follow from the parameters.
    """

    kind: Kind
    moved: Callable[[Floats, Floats], Floats]
    says: Callable[[Floats], str]
    start: Sequence[float] | Floats = ()
    deviation: Sequence[float] = ()
    centre: Sequence[float] = ()
    figures: Figures = field(default_factory=dict)
    weight: float = 0.0
    follows: Callable[[Floats], Mapping[str, float]] = _none


def raised(levels: Floats, by: float | Floats, floor: float) -> Floats:
    """Levels behind a gain, which nothing on the floor follows."""
    return np.asarray(np.where(levels <= floor + 0.5, levels, np.maximum(levels + by, floor)))


def curves_over(ranges: int, count: int) -> Floats:
    """Cosines over the ranges, the first constant: `(range, curve)`."""
    at = (np.arange(ranges) + 0.5) / ranges
    return np.stack([np.cos(np.pi * k * at) for k in range(min(count, ranges))], axis=1)


def fitted_curve(curves: Floats, values: Floats) -> Floats:
    """Weights of the curves that come nearest to the values."""
    return np.asarray(np.linalg.lstsq(curves, values, rcond=None)[0])
