"""The verdict on numbers: which of the explanations that were tried holds, if one does."""

from __future__ import annotations

import math
from dataclasses import dataclass

from spectronorm.audit.mistakes import EXACT, PUBLISHED
from spectronorm.audit.result import Finding

CONSISTENT, UNKNOWN = "consistent", "unknown"
_CONSISTENT_AT = 2.5
"""Root mean square of differences in standard errors, below which another sample of equal data gives such numbers."""
_NEAREST_SHARE = 0.1
"""A mistake is named if its numbers are ten times closer than those of any other."""
_LIKELIER = math.log(100.0)
"""Factor by which numbers must be likelier by a random order than as another sample's right ones."""
_BY_CHANCE = 0.1
"""Share of its tolerance within which a mistake is named although another sample could give the numbers: these come so
close to it by chance a hundred times more rarely."""
_CLOSE, _ERRORS_OF_MISTAKES = 0.05, 1.5
"""Distance and standard errors up to which a mistake on another sample of such data is named."""
_SIMILAR = 0.15


@dataclass(frozen=True)
class Tried:
    """An explanation, the distance up to which it holds, and what its numbers depend on."""

    finding: Finding
    tolerance: float
    sharp: bool = True
    these_clips: bool = False

    @property
    def holds(self) -> bool:
        """True if the numbers are those of the explanation."""
        return self.finding.distance <= self.tolerance


def judge(tried: list[Tried], likelier: float) -> tuple[str, str]:
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
    on_any = [one.finding for one in tried if not one.these_clips]
    fitting = {one.name: one for one in on_any if one.errors <= _ERRORS_OF_MISTAKES and one.distance <= _CLOSE}
    if len(fitting) == 1:
        only = next(iter(fitting.values()))
        return only.name, f"on another sample of such data: {only.sentence}"
    nearest = min(findings, key=lambda one: one.distance)
    similar = f"; nearest is {nearest.name}" if nearest.distance <= _SIMILAR else ""
    return UNKNOWN, (
        f"none of the known mistakes; the numbers differ from those of these data by {right.errors:.1f} standard "
        f"errors{similar}: another data set or front end, or a mistake that is not known here"
    )


def _sharp(tried: list[Tried], share: float) -> Finding | None:
    """The mistake without a random order whose numbers these are, to a share of its tolerance, if there is one."""
    sharp = [one for one in tried if one.sharp]
    nearest = min(sharp, key=lambda one: one.finding.distance / one.tolerance)
    finding = nearest.finding
    rivals = [one.finding for one in sharp if one.finding.name != finding.name]
    others = [one.distance for one in rivals if not one.name.startswith(PUBLISHED)]
    near = finding.distance <= share * nearest.tolerance and finding.distance <= _NEAREST_SHARE * min(others)
    return finding if near else None
