"""Two clips and their labels in one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Array, constant, namespace, require_floats, set_real_numbers, whole_numbers
from spectronorm.augment.augmentation import AUGMENTATIONS, Augmentation
from spectronorm.augment.batch import Shape, check_drawn, check_generator, clip_lengths, clip_shape
from spectronorm.errors import ShapeError


@dataclass(frozen=True, eq=False)
class Partners:
    """For each clip of a batch its own share, and which clip gives the rest."""

    share: NDArray[np.float64]
    partner: NDArray[np.int64]


class Mixed(NamedTuple):
    """Mixed clips, their labels, and how much of each is real (the longer of the two; int64, beside the clips)."""

    x: Array
    labels: Array
    lengths: Array


@AUGMENTATIONS.register("mixup")
@dataclass(frozen=True)
class Mixup(Augmentation):
    """`share · x[i] + (1 - share) · x[partner]`, and the labels likewise; share ~ Beta(alpha, alpha).

    Zhang et al. 2018, mixup: Beyond Empirical Risk Minimization. Partners are a random permutation of the batch.

    Raises:
        ArgumentError: when `alpha` is not positive.
    """

    alpha: float = 0.2

    def __post_init__(self) -> None:
        set_real_numbers(self, ("alpha",), 1e-3, 1e6)

    def draw(self, shape: Shape, generator: np.random.Generator) -> Partners:
        """Shares and partners for a batch of this shape, `(batch,)`; raises `ShapeError` for any other."""
        check_generator(generator)
        if len(shape) != 1:
            raise ShapeError(f"mixup is drawn for one batch axis, such as (64,), not {shape}")
        return Partners(np.asarray(generator.beta(self.alpha, self.alpha, size=shape)), generator.permutation(shape[0]))

    def apply(self, x: Array, labels: Array, drawn: Partners, lengths: Array | None = None) -> Mixed:
        """The mixed batch.

        Args:
            x: Waves or spectrograms with the batch in front, `(batch, ...)`.
            labels: Floating point `(batch, class)`: one-hot, or shares already.
            drawn: What `draw` gave.
            lengths: How much of each clip's last axis is real, `(batch,)`.

        Raises:
            ShapeError: when the labels are not such, or shapes do not fit.
        """
        clip_shape(x, 2, "a batch")
        shape = tuple(x.shape[:1])
        require_floats(labels, "one-hot labels (batch, class)")
        if labels.ndim != 2 or labels.shape[0] != x.shape[0]:
            raise ShapeError(
                f"labels of shape {tuple(labels.shape)} must be (batch, class) with {x.shape[0]} rows: one-hot encode "
                "class numbers first"
            )
        check_drawn(drawn.share, shape)
        ends = clip_lengths(lengths, shape, x.shape[-1])
        longer = np.maximum(ends, ends[drawn.partner])
        return Mixed(_mix(x, drawn), _mix(labels, drawn), whole_numbers(longer, x))

    def __call__(self, x: Array, labels: Array, generator: np.random.Generator, lengths: Array | None = None) -> Mixed:
        """Draw and apply."""
        return self.apply(x, labels, self.draw(tuple(x.shape[:1]), generator), lengths)


def _mix(x: Array, drawn: Partners) -> Array:
    share = constant(drawn.share.reshape(-1, *[1] * (x.ndim - 1)), x)
    return share * x + (1.0 - share) * namespace(x).take(x, whole_numbers(drawn.partner, x), axis=0)
