"""Normalization of each clip by its own mean and standard deviation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from spectronorm.arrays import (
    Affine,
    Array,
    at_least,
    mean_of_valid,
    namespace,
    require_choice,
    set_real_numbers,
    set_whole_numbers,
    working,
)
from spectronorm.arrays.rounding import CONSTANT_VARIANCE
from spectronorm.normalize.normalizer import NORMALIZERS, ClipNormalizer
from spectronorm.normalize.per import CLIP_SCOPES, check_scope
from spectronorm.short_repr import with_bounded_repr


@NORMALIZERS.register("per_clip")
@with_bounded_repr
@dataclass(frozen=True)
class PerClip(ClipNormalizer):
    """`(level - mean) / std` over each clip's own frames (and bands, with `per="global"`): utterance MVN.

    It needs nothing from the data set and forgets each clip's level; a constant clip becomes zero. The inverse needs
    the map that the clip got, which `FittedNormalizer.affine_of` gives. Of several channels each is a clip of its own.

    It is not causal: a stream refuses it. Of the causal ones, `SlidingStandardize(center=False)` is the nearest.

    Systems differ: `ddof` is 1 in torch's `std`, and an `epsilon` is added to the variance (SeamlessM4T: 1e-7) or, with
    `epsilon_of="std"`, to the standard deviation (NeMo: 1e-5).

    Raises:
        ArgumentError: if `per` is neither global nor band, or another setting is out of range.

    >>> import numpy as np, spectronorm as sn
    >>> front_end = sn.FrontEnd()
    >>> wave = 0.1 * np.random.default_rng(0).standard_normal(16_000)
    >>> x = sn.PerClip().fit(sn.fit([(wave, 16_000)], front_end))(front_end(wave))
    >>> bool(abs(x.mean()) < 1e-9 and abs(x.std() - 1) < 1e-9)
    True
    """

    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {"clip": {"per": "global"}, "clip-band": {"per": "band"}}

    per: str = field(default="global", metadata={"help": "global or band"})
    ddof: int = field(default=0, metadata={"help": "subtracted from the number of values: 0 or 1"})
    epsilon: float = field(default=0.0, metadata={"help": "added to the variance or the std"})
    epsilon_of: str = field(default="variance", metadata={"help": "what epsilon is added to: variance or std"})

    def __post_init__(self) -> None:
        check_scope(self.per, CLIP_SCOPES)
        set_whole_numbers(self, ("ddof",), 0, 1)
        set_real_numbers(self, ("epsilon",), 0, 1e3)
        require_choice(self.epsilon_of, "epsilon_of", ("variance", "std"))

    @override
    def clip_affine(self, level: Array, valid: Array | None = None) -> Affine:
        """Return mean and std of each clip of `level` `(..., band, frame)`; a std of zero counts as 1.

        With `valid` (boolean, broadcast against `level`), only the valid frames count.
        """
        xp = namespace(level)
        axes = (-1,) if self.per == "band" else (-2, -1)
        exact = working(level)
        mean = mean_of_valid(exact, valid, axes)
        variance = mean_of_valid((exact - mean) ** 2, valid, axes)
        if self.ddof:
            cells = math.prod(exact.shape[axis] for axis in axes)
            inside = xp.ones_like(mean) if valid is None else _share(valid, exact, axes)
            variance = variance * (inside * cells) / at_least(inside * cells - 1.0, 1.0)
        return self._standardizing(xp, mean, variance)

    @override
    def clip_blocks(self, blocks: Iterable[NDArray[np.float64]]) -> Iterator[tuple[NDArray[np.float64], Affine]]:
        axes = (-1,) if self.per == "band" else (-2, -1)
        count, mean, deviations = 0, np.zeros(1), np.zeros(1)
        for block in blocks:
            # Chan, Golub and LeVeque 1983: block by block without loss of precision.
            size = math.prod(block.shape[axis] for axis in axes)
            own = block.mean(axis=axes, keepdims=True)
            step, total = own - mean, count + size
            deviations = (
                deviations + ((block - own) ** 2).sum(axis=axes, keepdims=True) + step**2 * (count * size / total)
            )
            mean, count = mean + step * (size / total), total
        affine = self._standardizing(np, mean, deviations / max(1, count - self.ddof))
        for block in blocks:
            yield block, affine

    def _standardizing(self, xp: Any, mean: Array, variance: Array) -> Affine:
        # Rounding alone gives a constant clip a variance this small, and the root of zero has no gradient.
        flat = variance <= CONSTANT_VARIANCE * (1.0 + mean * mean)
        kept = xp.where(flat, xp.ones_like(variance), variance)
        if not self.epsilon:
            return Affine(mean, xp.sqrt(kept))
        if self.epsilon_of == "variance":
            return Affine(mean, xp.sqrt(kept + self.epsilon))
        return Affine(mean, xp.sqrt(kept) + self.epsilon)


def _share(valid: Array, level: Array, axes: tuple[int, ...]) -> Array:
    """Share of the cells that are valid, of each clip or band."""
    xp = namespace(level)
    return mean_of_valid(xp.astype(xp.broadcast_to(valid, level.shape), level.dtype), None, axes)
