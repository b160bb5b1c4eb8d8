"""Precision of a run's differences, as the power of its words needs it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from spectronorm.experiment.answer.power import Precision, detectable
from spectronorm.experiment.answer.statistics import PairedDifference

FEWEST_DF = 2.0
"""Fewest degrees of freedom, of three folds or three seeds, from which a run states what it can detect."""
TOO_FEW_UNITS = "two folds, or two seeds of one fold, do not tell how far such units lie apart; take at least three"
"""Reason for which a run does not state what it can detect."""

ALIKE_EVERYWHERE = "the arms agreed on every clip, which does not tell how far arms that differ would scatter"
"""Reason for which a run of arms that never disagreed does not state what it can detect."""


def has_too_few_units(precision: Precision) -> bool:
    """Tell if a run that found any difference has too few folds or seeds to know its own precision."""
    return precision.se > 0 and precision.df < FEWEST_DF


def stated_difference(differences: Sequence[PairedDifference], *, hits: bool = True) -> float | None:
    """Return the smallest difference that a run calls better four times in five; None if it cannot be said.

    Two folds, or two seeds of one fold, tell too little of how far folds or seeds lie apart: in simulated runs of two
    folds, the statement varied sixfold between its quartiles. Arms that agreed on every clip do not tell it either. A
    run whose words cannot be said at all has 1, the largest difference there is.

    Args:
        differences: Differences of all pairs of arms.
        hits: True for accuracy.
    """
    if differences[0].missing:
        return 1.0
    precision = precision_of(differences, hits=hits)
    return None if precision.se <= 0 or has_too_few_units(precision) else detectable(precision, len(differences))


def why_unstated(differences: Sequence[PairedDifference]) -> str:
    """Return the reason for which `stated_difference` returns None."""
    return ALIKE_EVERYWHERE if precision_of(differences).se <= 0 else TOO_FEW_UNITS


def precision_of(differences: Sequence[PairedDifference], *, hits: bool = True) -> Precision:
    """Return the typical precision of the differences of a run.

    The standard error is the median over pairs of the bootstrap's; the interval over folds or seeds is wider than it by
    the root of the mean ratio of the squared scales.

    Args:
        differences: Differences of all pairs of arms.
        hits: True for accuracy, whose differences cannot be larger than the share of clips on which arms disagree.
    """
    errors = np.array([difference.se for difference in differences])
    spreads = [d.spread for d in differences if d.spread is not None]
    se = float(np.median(errors))
    if not spreads or se <= 0:
        return Precision(se, 1.0)
    square = float(np.square(errors).mean())
    if spreads[0].units == "folds":
        widening = math.sqrt(float(np.square([spread.scale for spread in spreads]).mean()) / square)
        df = float(np.median([spread.df for spread in spreads]))
        discordance = float(np.median([difference.discordance for difference in differences])) if hits else 0.0
        return Precision(se, df, max(widening, 1e-3), discordance=discordance)
    (over_seeds, df), (over_recordings, _) = np.mean([spread.parts for spread in spreads], axis=0).tolist()
    actual = math.sqrt(float(np.square([spread.error for spread in spreads]).mean()) / square)
    widening, recordings = (max(math.sqrt(part / square), 1e-3) for part in (over_seeds, over_recordings))
    return Precision(se, df, widening, recordings, max(actual, 1e-3))


def planned_precision(
    variance: float, *, folds: int, seeds: int, overlap: float, apart: float = 0.0, discordance: float = 0.0
) -> Precision:
    """Return the precision to expect of a whole run, from the variance that its first block shows.

    A third of the variance is taken to stay over seeds (measured with tiny models on ESC-10). A shift common to all
    clips of one model cannot be seen in one block, so it is an assumption of its own.

    Args:
        variance: Variance of the difference over the recordings or speakers of all folds, with one seed.
        folds: Number of folds.
        seeds: Number of seeds.
        overlap: Tested clips for each training clip.
        apart: Standard deviation of the accuracy of trainings that differ only in their seed, beyond what the
            tested clips explain.
        discordance: For accuracy, the share of the recordings on which only one of two arms is right; else 0.
    """
    stays, noise = variance / 3, 2 / 3 * variance / seeds
    shifts = 2 * apart**2 / (folds * seeds)
    once = stays + noise + shifts
    # The bootstrap over recordings crossed with seeds counts the noise of both twice.
    se = math.sqrt(once + noise if seeds > 1 else variance)
    if se == 0:
        return Precision(0.0, max(folds - 1, 1))
    actual = math.sqrt(once) / se
    if folds > 1:
        widening = math.sqrt(1 + folds * overlap) * actual
        return Precision(se, folds - 1, widening, actual=actual, discordance=discordance)
    over_seeds, over_recordings = math.sqrt(noise + shifts) / se, math.sqrt(stays + noise) / se
    return Precision(se, seeds - 1, over_seeds, over_recordings, actual)
