"""How kernels are compiled: `numba.njit`, once numba has been kept from loading what no kernel here needs."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numba


def _define_array_functions() -> None:
    """Let numba define its array functions without `scipy.linalg`, whose import takes 16 MB and up to a second.

    At its first kernel, numba imports it to learn whether there is a BLAS. There is, since SciPy is required. Functions
    that use BLAS ask again when they are compiled, so `numpy.dot` works in kernels as it always did.
    """
    linalg: Any = import_module("numba.np.linalg")
    ensure_blas = getattr(linalg, "ensure_blas", None)
    if ensure_blas is None:  # a numba that asks in another way may ask
        return
    linalg.ensure_blas = lambda: None
    try:
        arraymath: Any = import_module("numba.np.arraymath")  # which asks
    finally:
        linalg.ensure_blas = ensure_blas
    arraymath.ensure_blas = ensure_blas


_define_array_functions()

njit = numba.njit
"""`numba.njit` as it is."""
