"""Pairs of recordings that share words of their fingerprints at one offset, found without comparing all pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.cleaning.fingerprint import Fingerprint

FEWEST_VOTES = 2
_NEIGHBOURS = 16
"""Number of following recordings with an equal word that each is paired with: frequent words say little."""


@dataclass(frozen=True, order=True)
class SharedWords:
    """Two recordings that share words.

    Attributes:
        first: Number of a recording.
        second: Number of another one, larger.
        offset: Number of frames by which the second one has the words later.
        votes: Number of words at this offset.
    """

    first: int
    second: int
    offset: int
    votes: int


def shared_words(fingerprints: Sequence[Fingerprint]) -> list[SharedWords]:
    """Return the pairs of recordings that share at least two words at one offset, each pair with its best offset.

    Takes memory and time in proportion to the number of words: they are sorted, and each is compared with the few next
    ones.
    """
    words, owners, frames = _table(fingerprints)
    order = np.lexsort((owners, words))
    words, owners, frames = words[order], owners[order], frames[order]
    found: list[NDArray[np.int64]] = []
    for step in range(1, _NEIGHBOURS + 1):
        same = np.flatnonzero(words[step:] == words[:-step])
        if not len(same):
            break
        first, second = owners[same], owners[same + step]
        other = first != second
        offsets = frames[same + step][other] - frames[same][other]
        found.append(np.stack([first[other], second[other], offsets], axis=1))
    return _best(np.concatenate(found)) if found else []


def _table(fingerprints: Sequence[Fingerprint]) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.int64]]:
    """Words, recordings and frames; a word counts once for each recording, however often it recurs there."""
    words, owners, frames = [np.zeros(0, np.uint32)], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for number, one in enumerate(fingerprints):
        distinct, first = np.unique(one.words, return_index=True)
        words.append(distinct)
        owners.append(np.full(len(distinct), number, np.int64))
        frames.append(one.frames[first].astype(np.int64))
    return np.concatenate(words), np.concatenate(owners), np.concatenate(frames)


def _best(pairs: NDArray[np.int64]) -> list[SharedWords]:
    """The offset of each pair with the most votes; neighbouring offsets vote together."""
    each, votes = np.unique(pairs, axis=0, return_counts=True)
    following = (each[1:, :2] == each[:-1, :2]).all(axis=1) & (each[1:, 2] == each[:-1, 2] + 1)
    together = votes.copy()
    together[:-1] += np.where(following, votes[1:], 0)
    best = np.lexsort((-together, each[:, 1], each[:, 0]))
    pair = each[best][:, :2]
    is_first = np.ones(len(best), bool)
    is_first[1:] = (pair[1:] != pair[:-1]).any(axis=1)
    rows = best[is_first]
    rows = rows[together[rows] >= FEWEST_VOTES]
    return [
        SharedWords(first, second, offset, votes)
        for (first, second, offset), votes in zip(each[rows].tolist(), together[rows].tolist(), strict=True)
    ]
