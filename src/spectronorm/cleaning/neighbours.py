"""Distances between the spectra of clips, and from a clip to those most like it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NEAREST = 5
"""The neighbour whose distance counts: up to four alike are outliers all the same."""
FEWEST = 20
"""Fewest clips among which distances mean anything."""
_MOST_REFERENCES = 2000
_LEAST_SCALE_DB, _FARTHEST, _FARTHEST_REFERENCE = 1.0, 30.0, 10.0
_SHRINKAGE = 0.05
_AT_ONCE = 1024


class Neighbourhood:
    """Space of the band levels of a data set, in which each direction has the spread 1."""

    def __init__(self, levels: Floats) -> None:
        """Build the space of levels `(clip, band)`, NaN where a clip has no such band; at least `FEWEST` clips."""
        there = np.isfinite(levels)
        self._bands = np.flatnonzero(there.sum(axis=0) >= len(levels) / 2)
        kept = levels[:, self._bands]
        self._median: Floats = np.nanmedian(kept, axis=0)
        deviation = np.nanmedian(np.abs(kept - self._median), axis=0)
        self._scale: Floats = np.maximum(1.4826 * deviation, _LEAST_SCALE_DB)
        chosen = np.unique(np.linspace(0, len(levels) - 1, min(len(levels), _MOST_REFERENCES)).astype(int))
        references = self._standardized(levels[chosen], _FARTHEST_REFERENCE)
        values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(references.T)))
        self._whiten = vectors / np.sqrt(np.maximum(values, 0.0) + _SHRINKAGE * max(float(values.mean()), 1e-12))
        self._references: Floats = references @ self._whiten
        self._is_reference = set(chosen.tolist())

    def _standardized(self, levels: Floats, farthest: float) -> Floats:
        z = (levels[:, self._bands] - self._median) / self._scale
        return np.clip(np.nan_to_num(z, nan=0.0), -farthest, farthest)

    def distances(self, levels: Floats, *, own: bool) -> Floats:
        """Distance of each clip to its fifth nearest one; with `own`, the clips are those of the space itself."""
        found = []
        for begin in range(0, len(levels), _AT_ONCE):
            points = self._standardized(levels[begin : begin + _AT_ONCE], _FARTHEST) @ self._whiten
            squares = (points**2).sum(axis=1)[:, None] + (self._references**2).sum(axis=1)
            squares = np.sort(np.maximum(squares - 2.0 * points @ self._references.T, 0.0), axis=1)
            itself = [own and begin + row in self._is_reference for row in range(len(points))]
            nearest = np.minimum(NEAREST - 1 + np.asarray(itself, dtype=int), squares.shape[1] - 1)
            found.append(np.sqrt(squares[np.arange(len(points)), nearest]))
        return np.concatenate(found)


def robust_scores(distances: Floats) -> Floats:
    """The logarithm of each distance in robust standard deviations from the median."""
    logarithms = np.log(distances + 1e-3)
    median = np.median(logarithms)
    deviation = 1.4826 * float(np.median(np.abs(logarithms - median)))
    return np.asarray((logarithms - median) / max(deviation, 1e-3))
