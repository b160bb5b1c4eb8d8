"""Invertible affine map, the fitted form of almost every normalizer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spectronorm.arrays.checks import require_floats
from spectronorm.arrays.namespace import Array, beside
from spectronorm.errors import ArgumentError
from spectronorm.short_repr import with_bounded_repr
from spectronorm.suggestion import known_settings

LARGEST_IN_MAP = 1e30
"""Bound of shifts and scales: beyond all levels."""


@known_settings
@with_bounded_repr
@dataclass(frozen=True, eq=False)
class Affine:
    """The map `y = (x - shift) / scale`, with the exact inverse `x = y · scale + shift`.

    `shift` and `scale` broadcast against `x` `(..., band, frame)`. A data set's shift and scale are NumPy arrays, kept
    as float64 and validated; a clip's may be torch tensors, which stay on their device and carry gradients. The result
    keeps the library, dtype and device of `x`.

    Raises:
        ArgumentError: if a shift is not finite, or a scale is not finite and positive.

    >>> import numpy as np
    >>> Affine(np.array(10.0), np.array(2.0))(np.array([12.0, 14.0]))
    array([1., 2.])
    """

    shift: Array
    scale: Array

    def __post_init__(self) -> None:
        if not isinstance(self.shift, np.ndarray):
            return
        for name in ("shift", "scale"):
            value = np.asarray(getattr(self, name), dtype=np.float64)
            # Writable arrays are copied, so that they cannot change later; read-only arrays need no copy.
            if value.flags.writeable:
                value = value.copy()
                value.setflags(write=False)
            object.__setattr__(self, name, value)
        if not (np.isfinite(self.shift).all() and np.isfinite(self.scale).all() and (self.scale > 0).all()):
            raise ArgumentError(
                f"shift={self.shift.ravel()[:4]}, scale={self.scale.ravel()[:4]}: every shift must be finite and "
                "every scale finite and positive; measure the data again"
            )

    def __call__(self, x: Array) -> Array:
        """Map `x`.

        Raises:
            ShapeError: if `x` is not a floating-point array.
        """
        require_floats(x, "a level")
        return (x - beside(self.shift, x)) / beside(self.scale, x)

    def inverse(self, y: Array) -> Array:
        """Undo the map."""
        require_floats(y, "a normalized level")
        return y * beside(self.scale, y) + beside(self.shift, y)

    def then(self, other: Affine) -> Affine:
        """Return this map followed by `other`, as one map."""
        shift, scale = beside(other.shift, self.shift), beside(other.scale, self.scale)
        return Affine(self.shift + shift * self.scale, self.scale * scale)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Affine):
            return NotImplemented
        return np.array_equal(self.shift, other.shift) and np.array_equal(self.scale, other.scale)

    __hash__ = None  # type: ignore[assignment]
