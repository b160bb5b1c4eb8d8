"""Oddities of a clip beside the others of its data set: unusual lengths, sample rates and spectra."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from spectronorm.cleaning.facts import SoundFacts
from spectronorm.cleaning.limits import InspectionLimits
from spectronorm.cleaning.neighbours import FEWEST, Neighbourhood, robust_scores
from spectronorm.cleaning.oddity import FoundOddity, Oddity
from spectronorm.cleaning.spectrum import BANDS_HZ

STANDARD_RATES = (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000)
_HIGHEST_UNSEEN = 48_000
"""Highest rate in Hz that is suspected although no file of the data set has it."""
_COMMON = 0.5
"""Share of clips of one length or rate from which it is the common one."""
_RARE = 0.1
_CLOSE = 0.01
"""Relative difference up to which lengths count as equal."""
_CLOSER = 0.003
"""Relative difference up to which a length at another rate is the common one."""
_LENGTH_SPREADS = 4.0
_NEARER = 1.25
"""Factor by which a clip must lie nearer to the others at another rate."""
_FARTHER = 1.5
"""Factor by which an outlier lies farther from others than is usual, however alike all others are."""


def oddities_beside_others(facts: Mapping[str, SoundFacts], limits: InspectionLimits) -> Iterator[FoundOddity]:
    """Yield suspected rates, odd lengths and outliers; silent and constant clips do not count."""
    heard = {name: one for name, one in facts.items() if not one.flat}
    if not heard:
        return
    levels = np.array([one.level for one in heard.values()], dtype=np.float64)
    space = Neighbourhood(levels) if len(heard) >= FEWEST and not np.isnan(levels).all() else None
    suspected = dict(_rates(heard, levels, space))
    for name, detail in suspected.items():
        yield FoundOddity(name, Oddity.WRONG_RATE, detail)
    for found in _lengths(heard, limits):
        if found.clip not in suspected:
            yield found
    if space is not None:
        yield from _outliers(list(heard), space.distances(levels, own=True), limits.outlier_distance)


def _rates(
    facts: Mapping[str, SoundFacts], levels: NDArray[np.float64], space: Neighbourhood | None
) -> Iterator[tuple[str, str]]:
    common = _common_length(list(facts.values()))
    present = Counter(one.sample_rate for one in facts.values())
    rate, count = present.most_common(1)[0]
    rates = sorted({*(rate for rate in STANDARD_RATES if rate <= _HIGHEST_UNSEEN), *present})
    for row, (name, one) in enumerate(facts.items()):
        other = None if common is None else _rate_of_length(one, common, rates)
        if other is not None:
            now = f"its header says {one.sample_rate} Hz, {one.seconds:.4g} s"
            yield name, f"{now}; at {other} Hz it had {common:.4g} s, as most clips have"
        elif one.sample_rate == rate or count < (1 - _RARE) * len(facts):
            continue
        elif one.sample_rate not in STANDARD_RATES:
            yield name, f"its header says {one.sample_rate} Hz, an unusual rate; most clips have {rate} Hz"
        elif space is not None and common is None and _nearer_at(rate, one, levels[row], space):
            now = f"its header says {one.sample_rate} Hz"
            yield name, f"{now}; at {rate} Hz, as most clips have, it sounds more like them"


def _common_length(facts: Sequence[SoundFacts]) -> float | None:
    """The length in seconds that at least half of the clips have; None without one."""
    lengths = np.sort([one.seconds for one in facts])
    middle = float(lengths[len(lengths) // 2])
    alike = np.abs(lengths - middle) <= _CLOSE * middle
    return middle if len(lengths) > 2 and alike.mean() >= _COMMON else None


def _rate_of_length(one: SoundFacts, common: float, rates: Sequence[int]) -> int | None:
    """The rate at which a clip would have the common length; None if it has it already, or there is none."""
    if abs(one.seconds - common) <= _CLOSE * common:
        return None
    close = (rate for rate in rates if abs(one.samples / rate - common) <= _CLOSER * common)
    return next(close, None)


def _nearer_at(rate: int, one: SoundFacts, level: NDArray[np.float64], space: Neighbourhood) -> bool:
    """Tell if a clip lies nearer to the others when it is played at another rate."""
    places = np.log2(BANDS_HZ[:-1])
    shifted = np.interp(places, places + np.log2(rate / one.sample_rate), level, left=np.nan, right=np.nan)
    now, then = space.distances(np.stack([level, shifted]), own=False)
    return bool(now > _NEARER * then)


def _lengths(facts: Mapping[str, SoundFacts], limits: InspectionLimits) -> Iterator[FoundOddity]:
    octaves = np.log2([one.seconds for one in facts.values()])
    median = float(np.median(octaves))
    deviation = 1.4826 * float(np.median(np.abs(octaves - median)))
    limit = max(np.log2(limits.length_factor), _LENGTH_SPREADS * deviation)
    for (name, one), octave in zip(facts.items(), octaves.tolist(), strict=True):
        if abs(octave - median) > limit:
            kind = Oddity.TOO_LONG if octave > median else Oddity.TOO_SHORT
            detail = f"{one.seconds:.4g} s, while the median is {2.0**median:.4g} s"
            yield FoundOddity(name, kind, detail, abs(octave - median))


def _outliers(names: Sequence[str], distances: NDArray[np.float64], limit: float) -> Iterator[FoundOddity]:
    usual = float(np.median(distances))
    for name, distance, score in zip(names, distances.tolist(), robust_scores(distances).tolist(), strict=True):
        if score > limit and distance > _FARTHER * usual:
            detail = f"its spectrum is {distance / max(usual, 1e-9):.1f} times as far from other clips as usual"
            yield FoundOddity(name, Oddity.OUTLIER, detail, score)
