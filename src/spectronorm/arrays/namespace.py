"""Namespaces and dtypes: the seams where NumPy arrays and torch tensors must differ.

NumPy arrays are processed in float64 and returned in their own dtype, because a float32 FFT misses 1e-5 in each band on
real silence. Torch tensors are processed in their own dtype, on their own device.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from spectronorm.errors import ShapeError

Array = Any
"""A NumPy array or a torch tensor."""

Floats = NDArray[np.float64]
"""A NumPy array in double precision, such as sums over a data set."""

Integers = NDArray[np.int64]
"""A NumPy array of counts, positions or exact sums."""

Samples = NDArray[np.float32]
"""A NumPy array in single precision, such as a clip's samples or its level."""


def is_torch_array(x: object) -> bool:
    """True if `x` is a torch tensor; the check never imports torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.Tensor)


def namespace(*arrays: Array) -> Any:
    """Return the array API namespace that all arrays share.

    Raises:
        ShapeError: if the arrays are not all NumPy arrays or all torch tensors.
    """
    if arrays and all(is_torch_array(array) for array in arrays):
        # array_namespace caches its result, and torch.compile warns of the cache.
        from array_api_compat import torch  # noqa: PLC0415

        return torch
    try:
        return array_namespace(*arrays)
    except TypeError:
        kinds = ", ".join(sorted({type(array).__name__ for array in arrays}))
        raise ShapeError(f"got {kinds}; needed one NumPy array or torch tensor: wrap lists in np.asarray") from None


def working(x: Array) -> Array:
    """Convert `x` to the dtype of the arithmetic: float64 for NumPy, at least float32 for torch."""
    if is_torch_array(x):
        return x.float() if x.dtype.itemsize < 4 else x
    return np.asarray(x, dtype=np.float64)


def returned(y: Array, like: Array) -> Array:
    """Return `y`, contiguous and in the dtype of `like`."""
    if is_torch_array(y):
        return y.to(like.dtype).contiguous()
    return np.ascontiguousarray(y, dtype=like.dtype)


def constant(values: NDArray[Any], like: Array) -> Array:
    """Return NumPy `values` as a constant in the library, in the dtype and on the device of `like`."""
    if is_torch_array(like):
        copy = np.array(values, dtype=np.float64)  # torch warns of read-only arrays
        return namespace(like).asarray(copy, dtype=like.dtype, device=like.device)
    return np.asarray(values, dtype=like.dtype)


def beside(values: Array, like: Array) -> Array:
    """Return `values` ready for arithmetic with `like`: tensors unchanged, NumPy arrays as constants."""
    return values.to(like.dtype) if is_torch_array(values) else constant(values, like)


def whole_numbers(values: NDArray[Any], like: Array) -> Array:
    """Return NumPy integers as int64 in the library and on the device of `like`."""
    return namespace(like).asarray(np.array(values, dtype=np.int64), device=like.device)


def to_host(x: Array) -> NDArray[Any]:
    """Return `x` as a NumPy array; floats of a kind that NumPy does not have, such as bfloat16, become float32.

    Raises:
        ShapeError: if `x` is a tensor whose numbers cannot be read, such as a sparse one or one on `meta`, or a list of
            rows of different lengths.
    """
    if not is_torch_array(x):
        try:
            return np.asarray(x)
        except ValueError:
            raise ShapeError(f"a {type(x).__name__} of parts of different shapes is no array: pad them") from None
    try:
        tensor = x.detach().cpu()
        unknown = tensor.is_floating_point() and tensor.dtype.itemsize <= 2 and str(tensor.dtype) != "torch.float16"
        return np.asarray((tensor.float() if unknown else tensor).resolve_conj().resolve_neg().numpy())
    except (RuntimeError, TypeError):
        raise ShapeError(
            f"a tensor of {x.dtype} and layout {x.layout} on {x.device} has no numbers that can be read; pass a dense "
            "one with values, such as what to_dense() gives"
        ) from None


def as_single(x: NDArray[Any]) -> NDArray[np.float32]:
    """Return numbers as float32; those beyond its range become infinite, for a check that follows."""
    with np.errstate(over="ignore"):
        return np.asarray(x, dtype=np.float32)
