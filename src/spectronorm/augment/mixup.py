"""Mixup of two clips and their labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Array, constant, namespace, require_floats, set_real_numbers, whole_numbers
from spectronorm.augment.augmentation import AUGMENTATIONS, Augmentation
from spectronorm.augment.batch import Shape, check_drawn, check_generator, clip_lengths, clip_shape
from spectronorm.errors import ShapeError
from spectronorm.short_repr import with_bounded_repr


@dataclass(frozen=True, eq=False)
class Partners:
    """Share of each clip in its mix, and the index of the clip that provides the rest."""

    share: NDArray[np.float64]
    partner: NDArray[np.int64]


@with_bounded_repr
class Mixed(NamedTuple):
    """Mixed clips, their labels, and their valid lengths (the longer of both; int64, in the clips' library).

    >>> import numpy as np
    >>> from spectronorm.augment import Mixup
    >>> x, labels = np.zeros((4, 40, 10)), np.eye(4)
    >>> mixed = Mixup()(x, labels, np.random.default_rng(0), np.array([10, 5, 10, 5]))
    >>> mixed.x.shape, mixed.labels.sum(axis=1)
    ((4, 40, 10), array([1., 1., 1., 1.]))
    """

    x: Array
    labels: Array
    lengths: Array


@AUGMENTATIONS.register("mixup")
@dataclass(frozen=True)
class Mixup(Augmentation):
    """Mixes clips as `share · x[i] + (1 - share) · x[partner]`, and labels likewise; share ~ Beta(alpha, alpha).

    Zhang et al. 2018, mixup: Beyond Empirical Risk Minimization. Partners are a random permutation of the batch.

    Raises:
        ArgumentError: if `alpha` is not positive.

    >>> import numpy as np
    >>> labels = np.eye(2)
    >>> mixed = Mixup(alpha=0.4)(np.ones((2, 64, 100)), labels, np.random.default_rng(0))
    >>> mixed.x.shape, mixed.labels.sum(axis=1).tolist()
    ((2, 64, 100), [1.0, 1.0])
    """

    alpha: float = 0.2

    def __post_init__(self) -> None:
        set_real_numbers(self, ("alpha",), 1e-3, 1e6)

    def draw(self, shape: Shape, generator: np.random.Generator) -> Partners:
        """Draw shares and partners for a batch of shape `(batch,)`.

        Raises:
            ShapeError: if the shape has another number of axes.
        """
        check_generator(generator)
        if len(shape) != 1:
            raise ShapeError(f"mixup is drawn for one batch axis, such as (64,), not {shape}")
        return Partners(np.asarray(generator.beta(self.alpha, self.alpha, size=shape)), generator.permutation(shape[0]))

    def apply(self, x: Array, labels: Array, drawn: Partners, lengths: Array | None = None) -> Mixed:
        """Mix a batch.

        Args:
            x: Waveforms or spectrograms with the batch in front, `(batch, ...)`.
            labels: Floating-point labels `(batch, class)`: one-hot, or already shares.
            drawn: Result of `draw`.
            lengths: Valid length of each clip's last axis, `(batch,)`.

        Raises:
            ShapeError: if the labels or shapes do not fit.
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
