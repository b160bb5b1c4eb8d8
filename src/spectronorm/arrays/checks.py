"""Checks of arguments: floating point, and finite."""

from __future__ import annotations

import numpy as np

from spectronorm.arrays.namespace import Array, is_torch_array, namespace
from spectronorm.errors import ArgumentError, ShapeError


def require_floats(x: Array, what: str) -> None:
    """Check that `x` holds real floating-point numbers.

    Raises:
        ShapeError: if it does not.
    """
    xp = namespace(x)
    if not xp.isdtype(x.dtype, "real floating"):
        raise ShapeError(
            f"{what} has dtype {x.dtype}, but must be floating point in [-1, 1]: "
            "divide 16-bit integers by 32768 first (spectronorm.read does this)"
        )


def require_finite(x: Array, what: str) -> None:
    """Check that a NumPy array holds neither NaN nor infinity.

    Torch tensors are not checked: the check would wait for a GPU, and cannot be compiled (`spectronorm.nn` checks them
    where it can).

    Raises:
        ArgumentError: if a value is NaN or infinite.
    """
    if not is_torch_array(x) and not np.isfinite(x).all():
        raise ArgumentError(
            f"{int((~np.isfinite(x)).sum())} values of {what} are NaN or infinite, but every one must be finite; "
            "repair or leave out the clip"
        )
