"""Explanations of a change: single causes, two causes one after the other, other content, or any change at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spectronorm.monitor.change.causes import causes
from spectronorm.monitor.change.causes.both import both
from spectronorm.monitor.change.causes.cause import Hypothesis
from spectronorm.monitor.change.kind import Kind
from spectronorm.monitor.change.likelihood import Fit, anything, content, distance, fitted
from spectronorm.monitor.change.observed import Observed

_FIRSTS, _SECONDS = 3, 4
"""Numbers of likeliest causes that are combined, and of causes that each is combined with."""


@dataclass(frozen=True)
class Cause:
    """One cause with its weight, its share of what the causes moved: the weights of an explanation add up to 1."""

    kind: Kind
    weight: float
    because: str


@dataclass(frozen=True)
class Explained:
    """An explanation with its logarithmic likelihood and the share of the change that it explains.

    Attributes:
        parts: Its causes, that with the largest weight first.
        likelihood: Logarithm of its likelihood.
        explains: Share of the levels' squared change, beyond the part that chance accounts for.
    """

    parts: tuple[Cause, ...]
    likelihood: float
    explains: float

    @property
    def kind(self) -> Kind:
        """Kind of the cause with the largest weight."""
        return self.parts[0].kind

    @property
    def because(self) -> str:
        """Words of all causes."""
        return " ".join(part.because for part in self.parts)

    @property
    def kinds(self) -> frozenset[Kind]:
        """Kinds of all causes."""
        return frozenset(part.kind for part in self.parts)


def explanations(o: Observed) -> list[Explained]:
    """The best variant of each kind and of each two kinds, the likeliest first, with other content and any change."""
    singles = _best(fitted(o, cause) for cause in causes(o))
    changed = [fit for fit in singles if fit.hypothesis.kind is not Kind.NOTHING]
    pairs = [pair for first in changed[:_FIRSTS] for pair in _pairs(o, first)]
    found = [
        Explained((Cause(Kind.CONTENT, 1.0, ""),), content(o), 0.0),
        Explained((Cause(Kind.UNKNOWN, 1.0, ""),), anything(o), 0.0),
        *(_explained(o, fit, [fit]) for fit in singles),
        *pairs,
    ]
    best: dict[frozenset[Kind], Explained] = {}
    for one in sorted(found, key=lambda one: -one.likelihood):
        best.setdefault(one.kinds, one)
    return list(best.values())


def _best(fits: Iterator[Fit]) -> list[Fit]:
    """The likeliest variant of each kind, the likeliest first."""
    best: dict[Kind, Fit] = {}
    for fit in sorted(fits, key=lambda fit: -fit.likelihood):
        best.setdefault(fit.hypothesis.kind, fit)
    return list(best.values())


def _pairs(o: Observed, first: Fit) -> Iterator[Explained]:
    """Combinations of a cause with the causes that explain most of what it leaves, fitted together."""
    unlike = {first.hypothesis.kind, Kind.NOTHING}
    rest = replace(o, levels=first.levels, moved=first.left, covariance=o.covariance + np.diag(np.square(first.free)))
    nearest: dict[Kind, Hypothesis] = {}
    for cause in sorted(causes(rest), key=lambda cause: distance(rest, cause)):
        nearest.setdefault(cause.kind, cause)
    seconds = _best(fitted(rest, cause) for kind, cause in nearest.items() if kind not in unlike)
    for second in seconds[:_SECONDS]:
        fit = fitted(o, both(first.hypothesis, first.parameters, second.hypothesis, second.parameters))
        count = len(first.parameters)
        p = fit.parameters
        alone = first.hypothesis.moved(o.levels, p[:count])
        yield _explained(
            o,
            fit,
            [
                replace(first, parameters=p[:count], levels=alone),
                replace(second, parameters=p[count:], levels=o.levels + fit.levels - alone),
            ],
        )


def _explained(o: Observed, fit: Fit, alone: Sequence[Fit]) -> Explained:
    """Put an explanation into words; `alone` holds each cause with the levels behind it."""
    sizes = np.array([_size(o, one) for one in alone]) + 1e-9
    parts = [
        Cause(one.hypothesis.kind, float(size / sizes.sum()), one.hypothesis.says(one.parameters))
        for one, size in zip(alone, sizes, strict=True)
    ]
    parts.sort(key=lambda part: -part.weight)
    return Explained(tuple(parts), fit.likelihood, _share(o, fit))


def _size(o: Observed, fit: Fit) -> float:
    """Norm of the movement by a cause; a gain that does not reach the levels counts as if it did."""
    moved = (fit.levels - o.levels).mean(axis=0)
    if fit.hypothesis.kind is Kind.LEVEL and not o.gain_reaches:
        moved = np.full_like(moved, fit.parameters[0])
    return float(np.linalg.norm(moved))


def _share(o: Observed, fit: Fit) -> float:
    """Share of the levels' squared change that a model explains, of the part that chance does not account for.

    If a model leaves more than half of the whole change, the share is that of the whole: where the levels moved no
    further than by chance, any model would explain all that is beyond it. A gain that waveform normalization hides from
    the levels counts as it would without: by RMS, in each of them.
    """
    moved = (fit.levels - o.levels).mean(axis=0)
    total, left = float(np.square(o.shift).sum()), float(np.square(o.shift - moved).sum())
    if fit.hypothesis.kind is Kind.LEVEL and not o.gain_reaches:
        total += moved.size * float(np.square(o.figure("rms")).sum())
    whole = 1.0 - left / max(total, 1e-9)
    if whole < 0.5:
        return whole
    return 1.0 - max(left - o.by_chance, 0.0) / max(total - o.by_chance, 1e-9)
