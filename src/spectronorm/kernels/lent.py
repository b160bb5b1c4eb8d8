"""Arrays that a kernel borrows from its caller, without numba's count of references, which costs a short call's time.

A caller holds its arguments until the call returns, so the kernel may read them in place. The layout of NumPy's arrays
in memory is part of NumPy's binary interface; it is checked once, and where it differs arrays are passed as usual.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import NativeValue, models, register_model, unbox
from numba.np import arrayobj

_DATA, _DIMENSIONS, _STRIDES = 16, 32, 40
"""Places of pointers in an array's object, in bytes."""
_arrays: Any = arrayobj


class Lent(types.Array):
    """The numba type of a borrowed array."""

    def __init__(self, dtype: Any, ndim: int, layout: Any) -> None:
        super().__init__(dtype, ndim, layout, name=f"Lent({dtype}, {ndim}, {layout})")


@register_model(Lent)
class _LentModel(models.ArrayModel):
    pass


@unbox(Lent)  # type: ignore[no-untyped-call, untyped-decorator]
def _borrow(kind: Any, found: Any, c: Any) -> NativeValue:
    """Read the pointer, the shape and the strides out of the array's object."""
    builder, word = c.builder, ir.IntType(64)
    start = builder.ptrtoint(found, word)

    def read(place: Any, at: int) -> Any:
        where = builder.add(place, ir.Constant(word, at))
        return builder.load(builder.inttoptr(where, ir.PointerType(word)))

    dimensions, strides = read(start, _DIMENSIONS), read(start, _STRIDES)
    made = _arrays.make_array(kind)(c.context, c.builder)
    number = c.context.get_data_type(kind.dtype)
    _arrays.populate_array(
        made,
        data=builder.inttoptr(read(start, _DATA), ir.PointerType(number)),
        shape=[read(dimensions, 8 * axis) for axis in range(kind.ndim)],
        strides=[read(strides, 8 * axis) for axis in range(kind.ndim)],
        itemsize=ir.Constant(word, kind.dtype.bitwidth // 8),
        meminfo=None,
    )
    return NativeValue(made._getvalue())  # type: ignore[no-untyped-call]


def lent(kind: Any) -> Any:
    """Return the type of a borrowed array for that of an array; the latter if arrays are laid out otherwise."""
    return Lent(kind.dtype, kind.ndim, kind.layout) if _layout_is_known() else kind


@cache
def _layout_is_known() -> bool:
    array = np.arange(12.0).reshape(3, 4)[:, ::2]
    size = ctypes.sizeof(ctypes.c_void_p)
    if size != 8 or array.__sizeof__() < _STRIDES + size:
        return False

    def read(place: int) -> int:
        return int(ctypes.c_int64.from_address(place).value)

    data, dimensions, strides = (read(id(array) + at) for at in (_DATA, _DIMENSIONS, _STRIDES))
    if data != array.ctypes.data or not dimensions or not strides:
        return False
    return [read(dimensions), read(dimensions + 8), read(strides), read(strides + 8)] == [*array.shape, *array.strides]
