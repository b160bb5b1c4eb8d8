"""Measurement of the random clips that a tolerance of the mean takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from spectronorm.arrays import real_number
from spectronorm.audio import Source
from spectronorm.errors import ArgumentError
from spectronorm.passes.fit import Sample
from spectronorm.profile import Profile, standard_errors

FIRST_CLIPS = 40
"""Size of the first sample: from fewer, the error itself is rough."""
_MOST_GROWTH = 4.0
_NO_UNITS = frozenset(("fold", "split"))


@dataclass(frozen=True)
class Tolerance:
    """Half-width of a 95 % interval of the mean, in the level's unit or in standard deviations of the levels.

    >>> Tolerance.parse("0.5dB"), Tolerance.parse("0.05sd")
    (Tolerance(value=0.5, unit='dB'), Tolerance(value=0.05, unit='sd'))
    """

    value: float
    unit: str = ""

    @classmethod
    def parse(cls, text: str) -> Tolerance:
        """Parse `0.5dB`, `0.05sd`, or a number alone, which is in the level's unit.

        Raises:
            ArgumentError: if the text has another form, or the number is not positive.
        """
        number = text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
        try:
            value = float(number)
        except ValueError:
            raise ArgumentError(f"tolerance={text!r} must be a number with a unit, such as 0.5dB or 0.05sd") from None
        return cls(real_number(value, "tolerance", 1e-9, 1e9), text[len(number) :].strip())

    def of(self, profile: Profile) -> float:
        """Return the tolerance in the unit of a profile's levels.

        Raises:
            ArgumentError: if the unit is neither `sd` nor that of the levels, or if levels that are all equal have no
                standard deviation.
        """
        self.require_unit(profile.front_end.unit)
        if self.unit.casefold() == "sd":
            if not profile.overall.std > 0:
                raise ArgumentError(f"tolerance={self}: all levels are equal, so a standard deviation is no measure")
            return self.value * float(profile.overall.std)
        return self.value

    def require_unit(self, unit: str) -> None:
        """Check that the unit is `sd` or that of the levels, in capitals or not.

        Raises:
            ArgumentError: if it is another.
        """
        if self.unit.casefold() not in ("", "sd", unit.casefold()):
            raise ArgumentError(f"tolerance={self}: these levels are in {unit}, so give {unit} or sd")

    def __str__(self) -> str:
        return f"{self.value:g}{self.unit}"


def share_for(source: Source, tolerance: Tolerance, measure: Callable[[Sample], Profile], seed: int = 0) -> float:
    """Return the share of clips at which the mean's 95 % interval is within the tolerance, by every unit of sampling.

    Random samples that grow are measured until the error by clip, and by each column that the profile is grouped by
    except fold and split, is small enough; a column of which the sample shows one group has an unknown error.

    Args:
        source: The clips.
        tolerance: The tolerance.
        measure: Measures a random share of the clips.
        seed: Seed of the samples.

    Returns:
        The share; 1 if only all clips reach the tolerance, or not even these.
    """
    total = len(source)
    count = min(FIRST_CLIPS, total)
    while count < total:
        share = count / total
        profile = measure(Sample(share, seed))
        if reached(profile, tolerance):
            return share
        count = min(total, math.ceil(count * _growth(profile, tolerance)))
    return 1.0


def reached(profile: Profile, tolerance: Tolerance) -> bool:
    """True if the mean's 95 % interval is within the tolerance by every unit of sampling."""
    return _widest(profile) <= tolerance.of(profile)


def _growth(profile: Profile, tolerance: Tolerance) -> float:
    """Factor by which the sample grows: as its error asks for, and at most fourfold, since that error is rough."""
    return min(max((_widest(profile) / tolerance.of(profile)) ** 2, 1.25), _MOST_GROWTH)


def _widest(profile: Profile) -> float:
    return max(found.mean_half_width for found in standard_errors(profile) if found.unit not in _NO_UNITS)
