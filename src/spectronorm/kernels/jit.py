"""Compilation of kernels with numba, which is kept from loading modules that no kernel needs."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numba


def _define_array_functions() -> None:
    """Let numba define its array functions without `scipy.linalg`, whose import takes 16 MB and up to a second.

    Before the first kernel, numba imports `scipy.linalg` to learn if there is a BLAS. There is one, since SciPy is
    required. Functions that use BLAS ask again when they are compiled, so `numpy.dot` works in kernels as before.
    """
    linalg: Any = import_module("numba.np.linalg")
    ensure_blas = getattr(linalg, "ensure_blas", None)
    if ensure_blas is None:  # Another version of numba may ask in another way.
        return
    linalg.ensure_blas = lambda: None
    try:
        arraymath: Any = import_module("numba.np.arraymath")  # This import asks.
    finally:
        linalg.ensure_blas = ensure_blas
    arraymath.ensure_blas = ensure_blas


_define_array_functions()

njit = numba.njit
"""`numba.njit`, unchanged."""
