"""Result of an audit: its verdict, and the distance of the numbers from everything that was tried."""

from __future__ import annotations

from dataclasses import dataclass

from spectronorm.profile import BadFile
from spectronorm.short_repr import with_bounded_repr, with_short_repr
from spectronorm.suggestion import known_settings


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
