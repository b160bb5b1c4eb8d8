"""Averages over batches of clips: in the order of the files exactly, in a random order by expectation and spread."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.audit.level_sums import LevelSums, Moments
from spectronorm.audit.mistake import Mistake

_SIZES = (*range(2, 11), 12, 14, 16, 20, 24, 32, 40, 48, 50, 64, 96, 100, 128, 200, 256, 512, 1000)
_APART = (2, 3, 4, 6, 8, 10, 16, 20, 32, 50, 64, 100, 128, 256, 512, 1000)
"""Sizes whose averages in random orders differ by more than those of one size do."""
_ORDERS = 16
_TOLERANCE = 1e-3
"""Distance at which numbers are averages in the order of the files, which are computed and not estimated."""
_MOST_SPREAD = 0.05
"""Largest distance at which numbers are called averages over batches, however few and uneven the batches are."""
_EXACT_MEAN = 1e-4
"""Spread of the mean over random orders, in standard deviations, below which it is the right mean anyway."""


@dataclass(frozen=True)
class _Average:
    """A way to average over batches.

    Attributes:
        size: Number of clips in a batch.
        variances: True if the variances of batches are averaged, not their standard deviations.
        padded: True if each clip is padded with zeros to the longest of its batch, and the padding is counted.
        last: The last, smaller batch: `kept`, `dropped`, or `weighed` by its number of clips.
    """

    size: int
    variances: bool = False
    padded: bool = False
    last: str = "kept"

    def __call__(self, some: LevelSums, order: NDArray[np.int64]) -> Moments:
        """Averages over batches of clips in this order."""
        if self.last == "dropped":
            order = order[: max(len(order) // self.size, 1) * self.size]
        mean, variance, clips = some.batches(self.size, order, padded=self.padded)
        weights = clips if self.last == "weighed" else None
        middle = np.average(mean, axis=0, weights=weights)
        if self.variances:
            return middle, np.sqrt(np.average(variance, axis=0, weights=weights))
        return middle, np.average(np.sqrt(variance), axis=0, weights=weights)

    @property
    def name(self) -> str:
        of = "variances" if self.variances else "stds"
        return f"zero padding was counted, mean of batch {of}" if self.padded else f"mean of batch {of}"

    def sentence(self, order: str) -> str:
        """The mistake in one sentence; `order` says which clips a batch has."""
        what = "the root of the mean variance" if self.variances else "the mean of the stds"
        padded = ", each padded with zeros to its longest clip" if self.padded else ""
        last = {"dropped": "; the last, smaller batch was left out", "weighed": "; batches count by their clips"}
        return f"the std is {what} of batches of {self.size} clips {order}{padded}{last.get(self.last, '')}"


def averages_in_file_order(sums: LevelSums, view: Callable[[LevelSums], LevelSums]) -> Iterator[Mistake]:
    """Yield averages over batches of clips in the order of their names, and of the numbers in them (2 before 10).

    Args:
        sums: Sums of each clip and band.
        view: Pools the bands, or leaves them.
    """
    by_name = sorted(range(len(sums.names)), key=sums.names.__getitem__)
    by_number = sorted(by_name, key=lambda index: _numbered(sums.names[index]))
    orders = {"in the order of their names": np.array(by_name)}
    if by_number != by_name:
        orders["in the order of the numbers in their names"] = np.array(by_number)
    for order_name, order in orders.items():
        for average in _averages(len(order), uneven=bool(np.ptp(sums.frames) > 0)):
            moments = average(view(sums), order)
            yield Mistake(
                average.name,
                average.sentence(order_name),
                lambda _, moments=moments: moments,  # type: ignore[misc]
                _TOLERANCE,
                these_clips=True,
            )


def _averages(clips: int, *, uneven: bool) -> Iterator[_Average]:
    for size in _sizes(_SIZES, clips):
        for padded in (False, True) if uneven else (False,):
            for variances in (False, True):
                for last in ("kept", "dropped", "weighed") if clips % size else ("kept",):
                    yield _Average(size, variances, padded, last)


def averages_in_random_order(sums: LevelSums, view: Callable[[LevelSums], LevelSums]) -> Iterator[Mistake]:
    """Yield averages over batches of clips in a random order: their expectation, and their spread over orders.

    Args:
        sums: Sums of each clip and band.
        view: Pools the bands, or leaves them.
    """
    seen = view(sums)
    right, scale = seen.moments()
    scale = np.maximum(scale, 1e-10)
    rng = np.random.default_rng(0)
    orders = [rng.permutation(len(sums.frames)) for _ in range(_ORDERS)]
    for size in _sizes(_APART, len(sums.frames)):
        average = _Average(size)
        found = [np.stack(one) for one in zip(*(average(seen, order) for order in orders), strict=True)]
        mean, std = (one.mean(axis=0) for one in found)
        spread = found[0].std(axis=0), found[1].std(axis=0)
        kinds = [(mean, spread[0])]
        if float(np.mean(spread[0] / scale)) > _EXACT_MEAN:  # or only the std is averaged, and the mean is right
            kinds.append((right, np.zeros_like(right)))
        for centre, around in kinds:
            far = max(float(np.mean(one / scale)) for one in (around, spread[1]))
            yield Mistake(
                average.name,
                average.sentence("or about so many, in a random order"),
                lambda _, moments=(centre, std): moments,  # type: ignore[misc]
                min(max(5e-3, 4 * far), _MOST_SPREAD),
                spread=(around, spread[1]),
                these_clips=True,
            )


def _numbered(name: str) -> list[tuple[str, int]]:
    """The text of a name, each with the number that follows it."""
    return [(text, int(number or -1)) for text, number in re.findall(r"(\D*)(\d*)", name)]


def _sizes(known: tuple[int, ...], clips: int) -> list[int]:
    return [size for size in known if 2 * size <= clips]
