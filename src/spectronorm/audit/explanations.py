"""Everything that could explain numbers: what it gives, the standard errors of that, and the distance to numbers."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spectronorm.audit.level_sums import LevelSums, Moments
from spectronorm.audit.likelihood import live_bands
from spectronorm.audit.mistake import Mistake
from spectronorm.audit.mistakes import known_mistakes
from spectronorm.audit.result import Finding
from spectronorm.front_end import AnyFrontEnd

_PARTS = 20


@lru_cache(maxsize=4)
def known_explanations(
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
    found: list[Moments] = []
    for one in known:
        if one.these_clips:  # leaving clips out changes the batches, and costs much
            found.append(found[0])
            continue
        values = [one.moments(some) for some in left]
        mean, std = (_jackknife(np.stack([value[k] for value in values])) for k in (0, 1))
        found.append((mean, std))
    return found


def _jackknife(values: NDArray[np.float64]) -> NDArray[np.float64]:
    parts = len(values)
    spread = ((values - values.mean(axis=0)) ** 2).sum(axis=0)
    return np.asarray(np.sqrt(spread * (parts - 1) / parts))


def finding_of(
    mistake: Mistake, given: Moments, expected: Moments, scale: NDArray[np.float64], errors: Moments
) -> Finding:
    """Distance of given numbers from the numbers of an explanation, in deviations `scale` and in standard errors."""
    live = live_bands(scale)
    live = live if live.any() else np.ones_like(live)
    unit = np.maximum(scale[live], 1e-10)
    differences = [np.abs(one - other)[live] for one, other in zip(given, expected, strict=True)]
    far = max(float(np.sqrt(np.mean((difference / unit) ** 2))) for difference in differences)
    spread = [np.sqrt(2.0) * np.broadcast_to(one, scale.shape)[live] for one in errors]
    relative = [d / np.maximum(e, 1e-9 * unit) for d, e in zip(differences, spread, strict=True)]
    in_errors = float(np.sqrt(np.mean(np.concatenate(relative) ** 2)))
    mean, std = (float(np.mean(one)) for one in expected)
    return Finding(mistake.name, mistake.sentence, mean, std, far, in_errors)
