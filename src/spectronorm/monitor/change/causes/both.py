"""Two causes, one after the other, as one hypothesis."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spectronorm.arrays import Floats
from spectronorm.monitor.change.causes.cause import FREE, Figures, Hypothesis

_TWO_AT_ONCE = -4.0
"""Logarithm of the prior weight of a second cause: two at once are rare, and eight kinds of a second one share it."""


def both(first: Hypothesis, p: Floats, second: Hypothesis, q: Floats) -> Hypothesis:
    """Combine two hypotheses, to be fitted from these parameters; the second cause acts on what the first makes."""
    count = len(p)

    def follows(given: Floats) -> Mapping[str, float]:
        one, other = first.follows(given[:count]), second.follows(given[count:])
        return {name: one.get(name, 0.0) + other.get(name, 0.0) for name in {**one, **other}}

    return Hypothesis(
        first.kind,
        lambda levels, given: second.moved(first.moved(levels, given[:count]), given[count:]),
        lambda given: f"{first.says(given[:count])} {second.says(given[count:])}",
        start=[*p, *q],
        deviation=[*first.deviation, *second.deviation],
        centre=[*_centre(first), *_centre(second)],
        figures=_added(first.figures, second.figures),
        weight=first.weight + second.weight + _TWO_AT_ONCE,
        follows=follows,
    )


def _centre(cause: Hypothesis) -> list[float]:
    return [float(value) for value in cause.centre or np.zeros(len(cause.deviation))]


def _added(one: Figures, other: Figures) -> Figures:
    """Expected changes added, deviations added as independent ones."""
    added = {}
    for name in {**one, **other}:
        (expected, free), (also, freely) = one.get(name, FREE[name]), other.get(name, FREE[name])
        added[name] = (_plain(np.add(expected, also)), _plain(np.hypot(free, freely)))
    return added


def _plain(values: Floats) -> float | list[float]:
    return [float(value) for value in values] if values.ndim else float(values)
