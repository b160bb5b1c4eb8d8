"""A way in which numbers can come about, and the numbers that it gives on measured data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from spectronorm.audit.level_sums import LevelSums, Moments


@dataclass(frozen=True, eq=False)
class Mistake:
    """A mistake, or the right way, with the numbers that it gives.

    Attributes:
        name: The mistake in a few words; mistakes of one name differ only in a parameter.
        sentence: The mistake in one sentence.
        moments: Mean and standard deviation that the mistake gives, from the sums of all clips or of some.
        tolerance: Largest distance, in standard deviations, at which the numbers still are those.
        spread: Standard deviations of mean and std over random orders of the clips, if the numbers depend on an order.
        these_clips: True if the numbers are of these clips in an order, and so say nothing about another sample.
    """

    name: str
    sentence: str
    moments: Callable[[LevelSums], Moments]
    tolerance: float = 2e-3
    spread: Moments | None = None
    these_clips: bool = False
