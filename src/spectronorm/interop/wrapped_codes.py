"""Codes of eight bits that wrapped around, and their number of turns.

A cast to eight bits that does not clip keeps a value's remainder modulo 256. Every value is at least that of silence,
so codes below silence's own code did not wrap below 0. What the other codes were follows from silence, which stands
in flat areas of one known code, and then from region to region, because neighbours seldom differ by half a turn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

TURN = 256
_LOUD = 96
"""Codes below this number may belong to values that wrapped around above 255; levels further above are not expected."""

_TYPED = 0.05
"""Codes that silence may be off by, because the range was rounded when it was printed or typed."""

_ALIKE = 48
"""Neighbouring cells whose codes differ by less than this number are one region, with one number of turns."""


@dataclass(frozen=True)
class WrappedCells:
    """Numbers of cells that wrapped around: silence, other cells below the range, and cells above it.

    Examples:
        >>> WrappedCells(silence=150, below=40, above=10, cells=1000).share
        0.2
    """

    silence: int
    below: int
    above: int
    cells: int

    @property
    def share(self) -> float:
        """Share of all cells that wrapped around."""
        return (self.silence + self.below + self.above) / self.cells


def codes_of_silence(floor: float) -> tuple[int, ...]:
    """Return the codes, before they wrap, that silence may have been cast to; none if silence does not wrap.

    Args:
        floor: Silence on the scale of the codes, before the cast.
    """
    lowest, highest = math.trunc(floor - _TYPED), math.trunc(floor + _TYPED)
    return tuple(range(lowest, highest + 1)) if highest < 0 else ()


def count_turns(codes: NDArray[np.int64], floor: float) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the number of turns of each cell, and which cells are silence that wrapped around.

    A code plus 256 times its number of turns is the value before the cast.

    Args:
        codes: Codes 0 … 255, `(band, frame)`.
        floor: Silence on the scale of the codes, before the cast.
    """
    fewest = -((codes - min(math.trunc(floor - _TYPED), 0)) // TURN)
    most = np.where(codes < _LOUD, 1, 0)
    silent = np.zeros(codes.shape, dtype=np.bool_)
    for code in codes_of_silence(floor):
        silent |= codes == code % TURN
    silent = _flat(silent)
    turns = np.where(silent, fewest, 0)
    open_cells = ~silent & (fewest < most)
    if open_cells.any():
        _decide_regions(codes, turns, open_cells, fewest, most)
    return turns, silent


def _flat(cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep cells in squares of 2 x 2 such cells: silence fills areas, and a sound's code stands alone or in a line."""
    square = cells[:-1, :-1] & cells[1:, :-1] & cells[:-1, 1:] & cells[1:, 1:]
    around = np.pad(square, 1)
    return around[:-1, :-1] | around[1:, :-1] | around[:-1, 1:] | around[1:, 1:]


def _decide_regions(
    codes: NDArray[np.int64],
    turns: NDArray[np.int64],
    open_cells: NDArray[np.bool_],
    fewest: NDArray[np.int64],
    most: NDArray[np.int64],
) -> None:
    """Write the turns of the cells that are open, region by region, from those that are known outwards.

    A region takes the number of turns at which its border differs least from the known cells beyond it. A region that
    touches no known cell stays as it stands.
    """
    flat, cells = codes.ravel(), np.arange(codes.size).reshape(codes.shape)
    pairs = np.concatenate(
        [np.stack([cells[:, :-1].ravel(), cells[:, 1:].ravel()]), np.stack([cells[:-1].ravel(), cells[1:].ravel()])], 1
    )
    undecided = open_cells.ravel().copy()
    one, other = pairs
    alike = undecided[one] & undecided[other] & (np.abs(flat[one] - flat[other]) < _ALIKE)
    links = coo_array((np.ones(alike.sum(), np.bool_), (one[alike], other[alike])), (codes.size, codes.size))
    regions, region = connected_components(links, directed=False)
    lowest, highest = np.full(regions, np.iinfo(np.int64).min), np.full(regions, np.iinfo(np.int64).max)
    np.maximum.at(lowest, region, fewest.ravel())
    np.minimum.at(highest, region, most.ravel())
    borders = np.concatenate([pairs[:, ~alike], pairs[::-1, ~alike]], 1)
    borders = borders[:, undecided[borders[0]]]
    options = np.arange(int(fewest.min()), 2)
    found = turns.ravel()
    while True:
        touching = ~undecided[borders[1]]
        mine, beyond = borders[:, touching]
        if not mine.size:
            break
        apart = flat[mine] - flat[beyond] - TURN * found[beyond]
        costs = np.stack([np.bincount(region[mine], np.abs(apart + TURN * k), regions) for k in options])
        allowed = (options[:, None] >= lowest) & (options[:, None] <= highest)
        reached = np.zeros(regions, dtype=np.bool_)
        reached[region[mine]] = True
        best = options[np.where(allowed, costs, np.inf).argmin(axis=0)]
        decided = undecided & reached[region]
        found[decided] = best[region[decided]]
        undecided &= ~decided
        borders = borders[:, undecided[borders[0]]]
    turns[...] = found.reshape(turns.shape)
