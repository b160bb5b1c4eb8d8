"""Likelihood of each cause, by Laplace's approximation: a cause pays for parameters and freedoms that it does not need.

The residuals have a Student distribution rather than a normal one, because no model of a cause is exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spectronorm.arrays import Floats
from spectronorm.monitor.change.causes.cause import FREE, Figures, Hypothesis
from spectronorm.monitor.change.observed import Observed
from spectronorm.monitor.change.within import parts_of
from spectronorm.short_repr import with_short_repr

_DEGREES = 12.0
_STEPS = 8
_ENOUGH = 0.3
_FEW_CLIPS = (2.0, 4.0, 12.0)
"""Content that differs as so few training clips do."""
_ANY_DB = 8.0
_LEAST_SPREAD = 0.5
_SPREADS = {"quiet spread": 0, "loud spread": 2}


@with_short_repr
@dataclass(frozen=True, eq=False)
class Fit:
    """A hypothesis with its parameters fitted.

    Attributes:
        hypothesis: What was fitted.
        parameters: Its parameters.
        likelihood: Logarithm of its likelihood.
        levels: Levels `(clip, range, 3)` of the training clips behind it.
        left: The part of the change that it leaves, figures and all.
        free: Freedom of every entry that the hypothesis allows.
    """

    hypothesis: Hypothesis
    parameters: Floats
    likelihood: float
    levels: Floats
    left: Floats
    free: Floats


def fitted(o: Observed, cause: Hypothesis) -> Fit:
    """Fit a hypothesis to a change."""
    return _Residual(o, cause).fit()


def distance(o: Observed, cause: Hypothesis) -> float:
    """Squared distance, with the prior's, at the parameters that a fit starts from."""
    residual = _Residual(o, cause)
    now = residual(residual.start)
    return float(now @ now) + 2.0 * residual.half_determinant


class _Residual:
    """The part of a change that a hypothesis leaves, for its parameters."""

    def __init__(self, o: Observed, cause: Hypothesis) -> None:
        self.o, self.cause = o, cause
        self.expected, self.free = _freedom(o, cause.figures)
        covariance = o.covariance + np.diag(np.square(self.free))
        self.root = np.linalg.inv(np.linalg.cholesky(covariance))
        self.half_determinant = _half_determinant(covariance)
        self.start = np.array(cause.start, dtype=np.float64)
        self.scale = np.asarray(cause.deviation, dtype=np.float64)
        self.centre = np.asarray(cause.centre or np.zeros(len(self.scale)), dtype=np.float64)
        self.mean, self.parts = o.levels.mean(axis=0), _means_of_parts(o.ranges)
        self.before = np.log(o.levels.std(axis=0) + _LEAST_SPREAD)
        self.spreads = [(o.places[name], column) for name, column in _SPREADS.items() if name in o.places]

    def left(self, p: Floats) -> Floats:
        """The part that is left, entry by entry."""
        o = self.o
        left = o.moved - self.expected
        moved = self.cause.moved(o.levels, p)
        left[: 3 * o.ranges] -= (moved.mean(axis=0) - self.mean).reshape(-1)
        if self.spreads:
            ratio = self.parts @ (np.log(moved.std(axis=0) + _LEAST_SPREAD) - self.before)
            for place, column in self.spreads:
                left[place] -= ratio[:, column]
        for name, value in self.cause.follows(p).items():
            if name in o.places:
                left[o.places[name]] -= value * o.then[o.places[name]]
        return left

    def __call__(self, p: Floats) -> Floats:
        """The part that is left, and the parameters, in standard deviations."""
        return np.asarray(np.concatenate([self.root @ self.left(p), (p - self.centre) / self.scale]))

    def fit(self) -> Fit:
        """Fit the parameters."""
        p, now, jacobian = _minimized(self, self.start)
        curvature = (jacobian * self.scale).T @ (jacobian * self.scale)
        complexity = 0.5 * float(np.linalg.slogdet(curvature)[1])
        misfit = _student(float(now @ now), self.o.moved.size) + self.half_determinant
        likelihood = self.cause.weight - complexity - misfit
        return Fit(self.cause, p, likelihood, self.cause.moved(self.o.levels, p), self.left(p), self.free)


def _minimized(rest: Callable[[Floats], Floats], p: Floats) -> tuple[Floats, Floats, Floats]:
    """Parameters that leave the smallest squares, what they leave, and its slopes."""
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
    return p, now, _jacobian(rest, p, now)


def content(o: Observed) -> float:
    """Logarithm of the likelihood of content that differs as a few training clips differ."""
    covariances = (o.covariance + o.of_a_clip * max(1.0 / clips - 1.0 / o.clips, 0.0) for clips in _FEW_CLIPS)
    return max(_density(o.moved, covariance) for covariance in covariances)


def anything(o: Observed) -> float:
    """Logarithm of the likelihood of a change of some size that no model describes."""
    size, free = 3 * o.ranges, np.square(3.0 * _freedom(o, FREE)[1])
    near = np.exp(-np.abs(np.subtract.outer(np.arange(o.ranges), np.arange(o.ranges))) / 2.0)
    covariance = o.covariance + np.diag(free)
    covariance[:size, :size] += _ANY_DB**2 * np.kron(near, 0.6 + 0.4 * np.eye(3))
    return _density(o.moved, covariance)


def _means_of_parts(ranges: int) -> Floats:
    """Matrix `(part, range)` that averages the ranges of each part."""
    parts = parts_of(ranges)
    means = np.zeros((len(parts), ranges))
    for row, part in zip(means, parts, strict=True):
        row[part] = 1.0 / len(part)
    return means


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
