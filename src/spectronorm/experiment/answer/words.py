"""One word for each difference of a family of tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from spectronorm.experiment.answer.chances import MARGIN
from spectronorm.experiment.answer.statistics import PairedDifference, holm

BETTER, WORSE, EQUIVALENT, ALIKE, UNRESOLVED = "better", "worse", "equivalent", "not significant", "unresolved"
UNSAID = "cannot be said from this"
_TURNED = {BETTER: WORSE, WORSE: BETTER}
_ALPHA = 0.05


@dataclass(frozen=True)
class ArmVerdict:
    """Difference of two arms, its p-value after Holm's correction, and the one word that sums it up."""

    difference: PairedDifference
    holm: float
    word: str

    @property
    def reversed(self) -> ArmVerdict:
        """Return the verdict of the second arm against the first."""
        return ArmVerdict(self.difference.reversed, self.holm, turned(self.word))


def turned(word: str) -> str:
    """Return the word for the second arm against the first."""
    return _TURNED.get(word, word)


def verdicts(differences: Sequence[PairedDifference], margin: float = MARGIN) -> tuple[ArmVerdict, ...]:
    """Classify each difference, after Holm's correction over all of them.

    *Better* or *worse* needs the bootstrap interval and the interval over folds (over seeds if there is one fold) clear
    of zero, and Holm's p below 0.05. Holm corrects the bootstrap's p-values, and with one fold the larger of the two
    intervals' p-values. If the two intervals disagree, or if Holm's correction removes the significance, the difference
    is *unresolved*. *Equivalent* needs both intervals within the margin, none narrower than the discordance allows.
    With one fold and one seed, or with too few recordings in a fold, the difference *cannot be said*.

    Args:
        differences: The differences of one family of tests.
        margin: Largest difference of accuracy that still counts as equivalent; 0 if there is no such difference.
    """
    adjusted = holm([_p(difference) for difference in differences])
    return tuple(ArmVerdict(d, p, _word(d, p, margin)) for d, p in zip(differences, adjusted, strict=True))


def lower_is_better(found: Sequence[ArmVerdict]) -> tuple[ArmVerdict, ...]:
    """Return the verdicts with better and worse exchanged, for a metric such as log-loss or an error rate."""
    return tuple(_turned_over(verdict) for verdict in found)


def _turned_over(verdict: ArmVerdict) -> ArmVerdict:
    chances = verdict.difference.chances
    difference = replace(verdict.difference, chances=None if chances is None else chances.turned)
    return replace(verdict, word=turned(verdict.word), difference=difference)


def _p(difference: PairedDifference) -> float:
    """The p-value that Holm's correction covers.

    With several folds the interval over folds guards each pair, and the rule is conservative without correcting it
    (measured by benchmarks/calibration.py). With one fold no such reserve exists.
    """
    spread = difference.spread
    if spread is None or spread.units == "folds":
        return difference.bootstrap.p
    return max(difference.bootstrap.p, spread.interval.p)


def _word(difference: PairedDifference, p: float, margin: float) -> str:
    bootstrap, units = difference.bootstrap, difference.units
    if difference.missing or units is None:
        return UNSAID
    if bootstrap.excludes_zero and units.excludes_zero and p < _ALPHA:
        return BETTER if difference.estimate > 0 else WORSE
    if bootstrap.excludes_zero or units.excludes_zero:
        return UNRESOLVED
    reach = abs(difference.estimate) + difference.floor
    small = all(-margin < part.low and part.high < margin for part in (bootstrap, units)) and reach < margin
    return EQUIVALENT if small else ALIKE
