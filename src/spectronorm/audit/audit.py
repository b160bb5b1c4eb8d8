"""Comparison of given statistics with a source: right, consistent, wrong in a known way, or wrong in an unknown one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio import Source
from spectronorm.audit.level_sums import LevelSums, Moments
from spectronorm.audit.likelihood import log_bayes_factor
from spectronorm.audit.measure_sums import measure_sums
from spectronorm.audit.mistakes import EXACT, PUBLISHED, Mistake, known_mistakes
from spectronorm.audit.variations import variations
from spectronorm.engines import Engine
from spectronorm.errors import ArgumentError
from spectronorm.features import open_for
from spectronorm.front_end import AnyFrontEnd
from spectronorm.passes.one_pass import MAX_BAD
from spectronorm.profile import BadFile
from spectronorm.runs.progress import Progress
from spectronorm.short_repr import with_bounded_repr, with_short_repr
from spectronorm.suggestion import known_keywords, known_settings

CONSISTENT, UNKNOWN = "consistent", "unknown"
_PARTS = 20
_CONSISTENT_AT = 2.5
"""Root mean square of differences in standard errors, below which another sample of equal data gives such numbers."""
_NEAREST_SHARE = 0.1
"""A mistake is named if its numbers are ten times closer than those of any other."""
_LIKELIER = math.log(20.0)
"""Factor by which numbers must be likelier by a random order than as another sample's; of 300 halves at most 5 were."""
_BY_CHANCE = 0.1
"""Share of its tolerance within which a mistake is named although another sample could give the numbers: these come so
close to it by chance a hundred times more rarely."""
_CLOSE, _ERRORS_OF_MISTAKES = 0.05, 1.5
"""Distance and standard errors up to which a mistake on another sample of such data is named."""
_SIMILAR = 0.15
_DEAD = 1e-6


@known_settings
@with_bounded_repr
@dataclass(frozen=True)
class Finding:
    """One explanation: its name and sentence, mean and std that it gives, and the distance of the numbers.

    `distance` is the largest difference in standard deviations (root mean square over bands), `errors` the root mean
    square of differences in standard errors.

    >>> import numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(20)]
    >>> found = sn.audit.audit((0.0, 1.0), sn.open_source(waves), sn.FrontEnd(bands=sn.Mel(40)))
    >>> found.right.name, round(found.right.mean), len(found.findings) > 3
    ('exact', -15, True)
    """

    name: str
    sentence: str
    mean: float
    std: float
    distance: float
    errors: float


@known_settings
@with_short_repr
@dataclass(frozen=True)
class Audited:
    """Result of `audit`.

    Attributes:
        verdict: `exact`, `consistent`, `unknown`, or the name of a mistake.
        sentence: The verdict in one or two sentences.
        mean: Given mean, averaged over bands.
        std: Given standard deviation, averaged over bands.
        right: The right numbers of these data.
        mean_se: Standard error of the right mean, averaged over bands.
        std_se: Standard error of the right standard deviation, averaged over bands.
        findings: Every explanation that was tried, nearest first.
        clips: Number of clips measured.
        bad: Files that were left out.

    >>> import numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(20)]
    >>> front_end = sn.FrontEnd(bands=sn.Mel(40))
    >>> figures = sn.fit(waves, front_end).overall
    >>> found = sn.audit.audit((figures.mean, 2 * figures.std), sn.open_source(waves), front_end)
    >>> found.verdict, found.clips, round(found.std / found.right.std, 3)
    ('2·std', 20, 2.0)
    """

    verdict: str
    sentence: str
    mean: float
    std: float
    right: Finding
    mean_se: float
    std_se: float
    findings: tuple[Finding, ...]
    clips: int
    bad: tuple[BadFile, ...]


@known_keywords
def audit(
    numbers: tuple[Any, Any],
    source: str | Path | Source,
    front_end: AnyFrontEnd,
    *,
    duration: float | None = None,
    one_pass_only: bool = False,
    max_bad: float = MAX_BAD,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Audited:
    """Measure a source and say what given means and standard deviations are.

    Args:
        numbers: Mean and standard deviation: one number each, or one for each band.
        source: The data that the numbers should be of.
        front_end: The front end that the numbers are used with.
        duration: Crop longer clips to this many seconds.
        one_pass_only: Do not try other front ends, each of which costs a pass.
        max_bad: Largest accepted share of bad files.
        engine: Engine that runs the work.
        progress: Called with the number of clips done and the total number of clips.

    Raises:
        ArgumentError: if the numbers are not finite, or neither one nor one for each band.
        TooManyBad: if the share of bad files exceeds `max_bad`.

    >>> import numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(20)]
    >>> front_end = sn.FrontEnd(bands=sn.Mel(40))
    >>> figures = sn.fit(waves, front_end).overall
    >>> source = sn.open_source(waves)
    >>> audit((figures.mean, figures.std**2), source, front_end).verdict
    'variance taken for std'
    """
    given_moments(numbers, front_end.n_bands)
    opened = open_for(source, front_end)
    how: dict[str, Any] = {"duration": duration, "max_bad": max_bad, "engine": engine, "progress": progress}
    sums, bad = measure_sums(opened, front_end, **how)
    audited = replace(audit_sums(numbers, sums, front_end), bad=bad)
    if audited.verdict not in (CONSISTENT, UNKNOWN) or one_pass_only:
        return audited
    others: list[tuple[str, str, LevelSums]] = []
    for other in variations(front_end):
        others.append((other.name, other.sentence, measure_sums(opened, other.front_end, **how)[0]))
        varied = audit_sums(numbers, sums, front_end, others)
        if varied.verdict == other.name:
            return replace(varied, bad=bad)
    return replace(audit_sums(numbers, sums, front_end, others), bad=bad)


def audit_sums(
    numbers: tuple[Any, Any],
    sums: LevelSums,
    front_end: AnyFrontEnd,
    others: Sequence[tuple[str, str, LevelSums]] = (),
) -> Audited:
    """The audit of numbers against sums that are measured already, and sums of other front ends by name."""
    given = given_moments(numbers, front_end.n_bands)
    per_band = given[0].size > 1
    scale = (sums if per_band else sums.pooled()).moments()[1]
    known = _explanations(sums, front_end, per_band=per_band)
    tried = [
        _Tried(_finding(one, given, expected, scale, error), one.tolerance, one.spread is None)
        for one, expected, error in known
    ]
    right, expected, errors = known[0]
    orders = [(numbers, one.spread) for one, numbers, _ in known if one.spread is not None]
    likelier = log_bayes_factor(given, orders, expected, errors, scale) if orders else -math.inf
    for name, sentence, found in others:
        mistake = Mistake(name, sentence, right.moments)
        tried.append(_Tried(_finding(mistake, given, mistake.moments(found), scale, errors), mistake.tolerance))
    verdict, sentence = _judge(tried, likelier)
    mean, std, mean_se, std_se = (float(np.mean(one)) for one in (*given, *errors))
    findings = tuple(sorted((one.finding for one in tried), key=lambda one: one.distance))
    return Audited(verdict, sentence, mean, std, tried[0].finding, mean_se, std_se, findings, len(sums.names), ())


def given_moments(numbers: tuple[Any, Any], bands: int) -> Moments:
    """Mean and standard deviation as arrays of equal shape; raises `ArgumentError` if they do not fit the bands."""
    try:
        shift, scale = (np.asarray(one, dtype=np.float64).reshape(-1) for one in numbers)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"mean and std must be numbers ({error})") from None
    size = max(shift.size, scale.size)
    if size not in (1, bands) or {shift.size, scale.size} - {1, size}:
        raise ArgumentError(
            f"{shift.size} means and {scale.size} stds are neither one number nor one for each of the {bands} bands "
            "of the front end; use the front end that the numbers are used with"
        )
    if not (np.isfinite(shift).all() and np.isfinite(scale).all() and (scale > 0).all()):
        raise ArgumentError("mean and std must be finite numbers, with a positive std")
    return np.broadcast_to(shift, (size,)), np.broadcast_to(scale, (size,))


@lru_cache(maxsize=4)
def _explanations(
    sums: LevelSums, front_end: AnyFrontEnd, *, per_band: bool
) -> tuple[tuple[Mistake, Moments, Moments], ...]:
    """Each known mistake with the numbers that it gives and their standard errors; computed once for the same sums."""
    known = list(known_mistakes(sums, front_end, per_band=per_band))
    found = zip(known, _standard_errors(sums, known), strict=True)
    return tuple((one, one.moments(sums), errors) for one, errors in found)


def _standard_errors(sums: LevelSums, known: list[Mistake]) -> list[Moments]:
    """Standard errors of each explanation, clustered by clip: the jackknife that leaves a part of the clips out."""
    clips = len(sums.names)
    parts = min(_PARTS, clips)
    if parts < 2:
        return [(np.full(1, np.inf), np.full(1, np.inf)) for _ in known]
    part = np.random.default_rng(0).permutation(clips) % parts
    left = [sums.of(part != index) for index in range(parts)]
    found = []
    for one in known:
        values = [one.moments(some) for some in left]
        found.append(tuple(_jackknife(np.stack([value[k] for value in values])) for k in (0, 1)))
    return found  # type: ignore[return-value]


def _jackknife(values: NDArray[np.float64]) -> NDArray[np.float64]:
    parts = len(values)
    spread = ((values - values.mean(axis=0)) ** 2).sum(axis=0)
    return np.asarray(np.sqrt(spread * (parts - 1) / parts))


def _finding(
    mistake: Mistake, given: Moments, expected: Moments, scale: NDArray[np.float64], errors: Moments
) -> Finding:
    live = scale > _DEAD * scale.max()  # a band without a bin is always on the floor, and says nothing
    live = live if live.any() else np.ones_like(live)
    unit = np.maximum(scale[live], 1e-10)
    differences = [np.abs(one - other)[live] for one, other in zip(given, expected, strict=True)]
    far = max(float(np.sqrt(np.mean((difference / unit) ** 2))) for difference in differences)
    spread = [np.sqrt(2.0) * np.broadcast_to(one, scale.shape)[live] for one in errors]
    relative = [d / np.maximum(e, 1e-9 * unit) for d, e in zip(differences, spread, strict=True)]
    in_errors = float(np.sqrt(np.mean(np.concatenate(relative) ** 2)))
    mean, std = (float(np.mean(one)) for one in expected)
    return Finding(mistake.name, mistake.sentence, mean, std, far, in_errors)


@dataclass(frozen=True)
class _Tried:
    """An explanation, the distance up to which it holds, and if its numbers are free of any random order."""

    finding: Finding
    tolerance: float
    sharp: bool = True

    @property
    def holds(self) -> bool:
        """True if the numbers are those of the explanation."""
        return self.finding.distance <= self.tolerance


def _judge(tried: list[_Tried], likelier: float) -> tuple[str, str]:
    """The verdict and its sentence.

    A mistake is named if the numbers are within its tolerance (within a tenth of it, if another sample of equal data
    could have them), and ten times closer to it than to any other. A mistake that depends on a random order is named
    if the numbers are within its tolerance and much likelier by it than as another sample's (`likelier`, a logarithm).
    Numbers that another sample of equal data could have are consistent; numbers that only one mistake could have on
    another sample are named with that remark; everything else is unknown.
    """
    right = tried[0].finding
    if tried[0].holds:
        return EXACT, "the numbers are those of these data"
    could_be_right = right.errors <= _CONSISTENT_AT
    named = _sharp(tried, _BY_CHANCE if could_be_right else 1.0)
    if named is None and likelier >= _LIKELIER:
        by_order = [one for one in tried if one.holds and not one.sharp]
        named = min((one.finding for one in by_order), key=lambda one: one.distance, default=None)
    if named is not None:
        return named.name, named.sentence
    if could_be_right:
        return CONSISTENT, (
            f"the numbers differ from those of these data by {right.errors:.1f} standard errors, as numbers of another "
            "sample of such data would"
        )
    findings = [one.finding for one in tried]
    fitting = {one.name: one for one in findings if one.errors <= _ERRORS_OF_MISTAKES and one.distance <= _CLOSE}
    if len(fitting) == 1:
        only = next(iter(fitting.values()))
        return only.name, f"on another sample of such data: {only.sentence}"
    nearest = min(findings, key=lambda one: one.distance)
    similar = f"; nearest is {nearest.name}" if nearest.distance <= _SIMILAR else ""
    return UNKNOWN, (
        f"none of the known mistakes; the numbers differ from those of these data by {right.errors:.1f} standard "
        f"errors{similar}: another data set or front end, or a mistake that is not known here"
    )


def _sharp(tried: list[_Tried], share: float) -> Finding | None:
    """The mistake without a random order whose numbers these are, to a share of its tolerance, if there is one."""
    sharp = [one for one in tried if one.sharp]
    nearest = min(sharp, key=lambda one: one.finding.distance / one.tolerance)
    finding = nearest.finding
    rivals = [one.finding for one in sharp if one.finding.name != finding.name]
    others = [one.distance for one in rivals if not one.name.startswith(PUBLISHED)]
    near = finding.distance <= share * nearest.tolerance and finding.distance <= _NEAREST_SHARE * min(others)
    return finding if near else None
