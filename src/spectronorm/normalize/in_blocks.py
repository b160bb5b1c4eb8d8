"""Normalization of one long clip, whose level comes in blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Affine
from spectronorm.normalize.normalizer import FittedNormalizer


class NormalizedBlocks:
    """The normalized level of one clip, a few frames at a time; each iteration goes through the level's blocks.

    A normalizer that measures the clip reads them twice. The values are those of normalizing the whole clip; for a
    normalizer that finds its map in the clip they agree within rounding of float64.
    """

    def __init__(self, fitted: FittedNormalizer, blocks: Iterable[NDArray[np.float64]]) -> None:
        self._fitted, self._blocks = fitted, blocks
        self._padding: NDArray[np.float64] | None = None

    @staticmethod
    def possible(fitted: FittedNormalizer) -> bool:
        """False if the normalizer needs the whole clip at once."""
        normalizer = fitted.normalizer
        return not normalizer.maps_clips or normalizer.clip_blocks(()) is not None

    @property
    def padding(self) -> NDArray[np.float64]:
        """The values `(..., band, 1)` of padding behind the clip; known after a whole iteration."""
        if self._padding is None:
            raise RuntimeError("the padding is known after a whole iteration")
        return self._padding

    def __iter__(self) -> Iterator[NDArray[np.float64]]:
        highest, shape, affine = -np.inf, (), Affine(np.zeros(1), np.ones(1))
        for level, affine in self._mapped():
            highest, shape = max(highest, float(level.max())), level.shape[:-1]
            yield np.asarray(affine(level))
        last = affine
        self._padding = self._fitted.padding_behind(shape, highest, lambda: last)

    def _mapped(self) -> Iterator[tuple[NDArray[np.float64], Affine]]:
        fitted = self._fitted
        if not fitted.normalizer.maps_clips:
            for level in self._blocks:
                yield level, fitted.affine_of(level)
            return
        for level, own in fitted.normalizer.clip_blocks(self._blocks) or ():
            both = fitted.normalizer.uses_data_set and fitted.affine is not None
            yield level, own.then(fitted.affine) if both and fitted.affine is not None else own
