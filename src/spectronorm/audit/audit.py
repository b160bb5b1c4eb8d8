"""Comparison of given statistics with a source: right, consistent, wrong in a known way, or wrong in an unknown one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from spectronorm.audio import Source
from spectronorm.audit.explanations import finding_of, known_explanations
from spectronorm.audit.level_sums import LevelSums, Moments
from spectronorm.audit.likelihood import independent_bands, log_bayes_factor
from spectronorm.audit.measure_sums import measure_sums
from spectronorm.audit.mistake import Mistake
from spectronorm.audit.result import Audited, Finding
from spectronorm.audit.variations import variations
from spectronorm.audit.verdict import CONSISTENT, UNKNOWN, Tried, judge
from spectronorm.engines import Engine
from spectronorm.errors import ArgumentError
from spectronorm.features import open_for
from spectronorm.front_end import AnyFrontEnd
from spectronorm.passes.one_pass import MAX_BAD
from spectronorm.runs.progress import Progress
from spectronorm.suggestion import known_keywords


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
    seen = sums if per_band else sums.pooled()
    scale = seen.moments()[1]
    known = known_explanations(sums, front_end, per_band=per_band)
    tried = [
        Tried(finding_of(one, given, expected, scale, error), one.tolerance, one.spread is None, one.these_clips)
        for one, expected, error in known
    ]
    right, expected, errors = known[0]
    likelier, independent = -math.inf, independent_bands(seen)
    for right_mean in (False, True):
        orders = [
            (numbers, one.spread)
            for one, numbers, _ in known
            if one.spread is not None and one.spread[0].any() != right_mean
        ]
        if orders:
            likelier = max(likelier, log_bayes_factor(given, orders, expected, errors, scale, independent))
    for name, sentence, found in others:
        mistake = Mistake(name, sentence, right.moments)
        tried.append(Tried(finding_of(mistake, given, mistake.moments(found), scale, errors), mistake.tolerance))
    verdict, sentence = judge(tried, likelier)
    mean, std, mean_se, std_se = (float(np.mean(one)) for one in (*given, *errors))
    return Audited(verdict, sentence, mean, std, tried[0].finding, mean_se, std_se, _listed(tried), len(sums.names), ())


def _listed(tried: Sequence[Tried]) -> tuple[Finding, ...]:
    """The findings, nearest first; of averages over batches, which are many, the nearest of each name."""
    named: dict[tuple[str, int], Finding] = {}
    for number, one in enumerate(sorted(tried, key=lambda one: one.finding.distance)):
        named.setdefault((one.finding.name, -1 if one.these_clips else number), one.finding)
    return tuple(named.values())


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
