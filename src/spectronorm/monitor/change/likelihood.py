"""Likelihood of each cause, by Laplace's approximation: a cause pays for parameters and freedoms that it does not need.

The residuals have a Student distribution rather than a normal one, because no model of a cause is exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from spectronorm.arrays import Floats
from spectronorm.monitor.change.causes import causes
from spectronorm.monitor.change.causes.cause import FREE, Figures, Hypothesis
from spectronorm.monitor.change.kind import Kind
from spectronorm.monitor.change.observed import Observed
from spectronorm.monitor.change.within import parts_of

_DEGREES = 12.0
_STEPS = 8
_ENOUGH = 0.3
_FEW_CLIPS = (2.0, 4.0, 12.0)
"""Content that differs as so few training clips do."""
_ANY_DB = 8.0
_LEAST_SPREAD = 0.5
_SPREADS = {"quiet spread": 0, "loud spread": 2}


@dataclass(frozen=True)
class Explained:
    """A cause with its logarithmic likelihood, the share of the change that it explains, and its words."""

    kind: Kind
    likelihood: float
    explains: float
    because: str


def explanations(o: Observed) -> list[Explained]:
    """The best variant of each kind, the likeliest first, with content and an unknown change among them."""
    best: dict[Kind, Explained] = {}
    for found in (*_broad(o), *(_fitted(o, cause) for cause in causes(o))):
        if found.kind not in best or found.likelihood > best[found.kind].likelihood:
            best[found.kind] = found
    return sorted(best.values(), key=lambda found: -found.likelihood)


def _broad(o: Observed) -> Iterator[Explained]:
    """Changes without a model: content that differs as a few clips differ, and anything of some size."""
    size = 3 * o.ranges
    for clips in _FEW_CLIPS:
        covariance = o.covariance + o.of_a_clip * max(1.0 / clips - 1.0 / o.clips, 0.0)
        yield Explained(Kind.CONTENT, _density(o.moved, covariance), 0.0, "")
    free = np.square(3.0 * _freedom(o, FREE)[1])
    near = np.exp(-np.abs(np.subtract.outer(np.arange(o.ranges), np.arange(o.ranges))) / 2.0)
    covariance = o.covariance + np.diag(free)
    covariance[:size, :size] += _ANY_DB**2 * np.kron(near, 0.6 + 0.4 * np.eye(3))
    yield Explained(Kind.UNKNOWN, _density(o.moved, covariance), 0.0, "")


def _fitted(o: Observed, cause: Hypothesis) -> Explained:
    expected, free = _freedom(o, cause.figures)
    size, mean = 3 * o.ranges, o.levels.mean(axis=0)
    covariance = o.covariance + np.diag(np.square(free))
    root = np.linalg.inv(np.linalg.cholesky(covariance))
    scale = np.asarray(cause.deviation, dtype=np.float64)
    centre = np.asarray(cause.centre or np.zeros(len(scale)), dtype=np.float64)

    before, parts = np.log(o.levels.std(axis=0) + _LEAST_SPREAD), _means_of_parts(o.ranges)
    spreads = [(o.places[name], column) for name, column in _SPREADS.items() if name in o.places]

    def rest(p: Floats) -> Floats:
        left = o.moved - expected
        moved = cause.moved(p)
        left[:size] -= (moved.mean(axis=0) - mean).reshape(-1)
        if spreads:
            ratio = parts @ (np.log(moved.std(axis=0) + _LEAST_SPREAD) - before)
            for place, column in spreads:
                left[place] -= ratio[:, column]
        for name, value in cause.follows(p).items():
            if name in o.places:
                left[o.places[name]] -= value * o.then[o.places[name]]
        return np.asarray(np.concatenate([root @ left, (p - centre) / scale]))

    p = np.array(cause.start, dtype=np.float64)
    now = rest(p)
    jacobian = _jacobian(rest, p, now)
    for _ in range(_STEPS if len(p) else 0):
        step = np.linalg.lstsq(jacobian, -now, rcond=None)[0]
        tried = rest(p + step)
        if tried @ tried >= now @ now:
            step, tried = 0.3 * step, rest(p + 0.3 * step)
            if tried @ tried >= now @ now:
                break
        gained = now @ now - tried @ tried
        # Broyden's update: the slopes are computed again at the end only.
        jacobian = jacobian + np.outer(tried - now - jacobian @ step, step) / max(float(step @ step), 1e-12)
        p, now = p + step, tried
        if gained < _ENOUGH:
            break
    jacobian = _jacobian(rest, p, now)
    curvature = (jacobian * scale).T @ (jacobian * scale)
    complexity = 0.5 * float(np.linalg.slogdet(curvature)[1])
    likelihood = cause.weight - complexity - _student(float(now @ now), o.moved.size) - _half_determinant(covariance)
    return Explained(cause.kind, likelihood, _share(o, cause.moved(p).mean(axis=0) - mean), cause.says(p))


def _means_of_parts(ranges: int) -> Floats:
    """Matrix `(part, range)` that averages the ranges of each part."""
    parts = parts_of(ranges)
    means = np.zeros((len(parts), ranges))
    for row, part in zip(means, parts, strict=True):
        row[part] = 1.0 / len(part)
    return means


def _share(o: Observed, moved: Floats) -> float:
    """Share of the quantiles' squared change that a model explains."""
    total = float(np.square(o.shift).sum())
    return 1.0 - float(np.square(o.shift - moved).sum()) / max(total, 1e-9)


def _jacobian(rest: Callable[[Floats], Floats], p: Floats, now: Floats) -> Floats:
    columns = []
    for k in range(len(p)):
        moved = p.copy()
        moved[k] += 1e-4
        columns.append((rest(moved) - now) / 1e-4)
    return np.stack(columns, axis=1) if columns else np.zeros((len(now), 0))


def _freedom(o: Observed, figures: Figures) -> tuple[Floats, Floats]:
    """Expected value and freedom of every entry."""
    given = {**FREE, **figures}
    expected, free = np.zeros(o.moved.size), np.zeros(o.moved.size)
    for name, place in o.places.items():
        for array, value in zip((expected, free), given[name], strict=True):
            array[place] = value if isinstance(value, float) else value[: place.stop - place.start]
    return expected * o.then, free * o.then


def _density(left: Floats, covariance: Floats) -> float:
    white = np.linalg.solve(np.linalg.cholesky(covariance), left)
    return -_student(float(white @ white), len(left)) - _half_determinant(covariance)


def _student(square: float, size: int) -> float:
    return 0.5 * (_DEGREES + size) * math.log1p(square / _DEGREES)


def _half_determinant(covariance: Floats) -> float:
    return 0.5 * float(np.linalg.slogdet(covariance)[1])
