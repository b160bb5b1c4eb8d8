"""Arrays whose numbers compiled kernels can read: NumPy arrays, and torch tensors on the CPU that need no gradient."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays.namespace import Array, is_torch_array
from spectronorm.errors import ShapeError


def readable_numbers(x: Array) -> NDArray[np.floating[Any]] | None:
    """Return the numbers of `x` as a float32 or float64 NumPy array, sharing its memory if it has this dtype.

    None for a tensor elsewhere, one whose gradient is needed, and one without numbers: while a graph is compiled,
    exported or traced, and inside `torch.func` transforms.
    """
    if is_torch_array(x):
        if not _can_be_read(x):
            return None
        x = x.detach().resolve_neg()
        x = (x.float() if x.dtype.itemsize < 4 else x).numpy()
    elif x.dtype.itemsize < 4:
        x = x.astype(np.float32)
    if x.dtype.itemsize > 8:
        with np.errstate(over="ignore"):
            return np.asarray(x, np.float64)
    return np.asarray(x, np.float32 if x.dtype == np.float32 else np.float64)


def in_kind_of(numbers: NDArray[Any], like: Array) -> Array:
    """Return a NumPy array as what `like` is, in its dtype."""
    if is_torch_array(like):
        return sys.modules["torch"].from_numpy(numbers).to(like.dtype)
    return numbers.astype(like.dtype, copy=False)


def torch_threads() -> int:
    """Return the number of threads that torch uses for one operation."""
    return int(sys.modules["torch"].get_num_threads())


def is_traced() -> bool:
    """True while torch compiles, exports or traces, so that values cannot be read."""
    torch = sys.modules["torch"]
    return bool(torch.compiler.is_compiling() or torch.jit.is_tracing())


def require_dense(wave: Array) -> None:
    """Raise `ShapeError` if a wave is a tensor with another layout than strides, such as a sparse or a nested one."""
    if not is_torch_array(wave) or is_traced():
        return
    if wave.layout == sys.modules["torch"].strided and not wave.is_nested:
        return
    remedy = "torch.nested.to_padded_tensor(wave, 0.0), with lengths" if wave.is_nested else "wave.to_dense()"
    kind = "nested" if wave.is_nested else str(wave.layout).removeprefix("torch.")
    raise ShapeError(f"a wave is a dense tensor, but got a {kind} one: pass {remedy}")


def has_values(x: Any) -> bool:
    """True if a tensor has values that can be read: not while tracing, inside torch.func transforms, or on `meta`."""
    if is_traced() or x.is_meta:
        return False
    try:
        x.data_ptr()
    except (RuntimeError, NotImplementedError):
        return False
    return True


def _can_be_read(x: Any) -> bool:
    """True if the values lie on this processor in one strided block, and nothing is differentiated by them."""
    torch = sys.modules["torch"]
    if is_traced() or x.device.type != "cpu" or (torch.is_grad_enabled() and x.requires_grad):
        return False
    if torch.autograd.forward_ad.unpack_dual(x).tangent is not None:
        return False
    return has_values(x) and bool(x.layout == torch.strided)
