"""Arrays, tensors and numbers of a pickle, made from the names and arguments that the pickle holds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_STORAGE_TYPES = {"Float": "<f4", "Double": "<f8", "Half": "<f2", "Long": "<i8", "Int": "<i4"}
_ARRAY_TYPES = frozenset(("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"))
_MOST_AXIS = 1 << 24
_MOST_DEPTH = 16
_MOST_VISITS = 100_000
_MOST_BYTES = 1 << 23


class Global(str):
    """A name in a pickle, which stays a text."""

    __slots__ = ()


@dataclass(eq=False)
class Call:
    """Name and arguments of a call in a pickle, and the state that the result was given."""

    name: str
    arguments: tuple[Any, ...]
    state: Any = None


@dataclass(frozen=True, eq=False)
class Storage:
    """Bytes that tensors are views of."""

    kind: str
    data: bytes
    length: Any

    def values(self) -> Any:
        """The numbers `(number,)`."""
        dtype = np.dtype(_STORAGE_TYPES[self.kind.removeprefix("torch.").removesuffix("Storage")])
        if type(self.length) is not int or len(self.data) != self.length * dtype.itemsize:
            raise ValueError("a storage has another length than the pickle says")
        return np.frombuffer(self.data, dtype)


@dataclass
class _Budget:
    """Bounds of the work, since a pickle can hold one value many times."""

    visits: int = field(default=_MOST_VISITS)
    size: int = field(default=_MOST_BYTES)

    def spend(self, size: int = 0) -> None:
        self.visits -= 1
        self.size -= size
        if self.visits < 0 or self.size < 0:
            raise ValueError("the pickle unfolds to more than statistics need")


def plain_value(value: Any) -> Any:
    """The value with every call replaced by the array, tensor or number that it stands for.

    Raises:
        ValueError: if the value is nested too deeply, too large or damaged.
    """
    return _plain(value, _Budget(), 0)


def _plain(value: Any, budget: _Budget, depth: int) -> Any:
    budget.spend()
    if depth > _MOST_DEPTH:
        raise ValueError("the pickle is nested too deeply")
    if isinstance(value, Global | Storage):
        raise ValueError("the pickle holds a bare name")
    if isinstance(value, dict):
        return {key: _plain(one, budget, depth + 1) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one, budget, depth + 1) for one in value]
    if isinstance(value, Call):
        return _MAKERS[value.name.rpartition(".")[2]](value, budget, depth)
    return value


def _encoded(call: Call, _budget: _Budget, _depth: int) -> bytes:
    if call.arguments[1:] not in ((), ("latin1",)) or type(call.arguments[0]) is not str:
        raise ValueError("the pickle has a text in an unusual encoding")
    return call.arguments[0].encode("latin1")


def _array(call: Call, budget: _Budget, depth: int) -> Any:
    _, shape, dtype, fortran, raw = call.state
    kind = _dtype(dtype)
    if kind is None:
        if shape != () or len(raw) != 1:
            raise ValueError("the pickle holds an array of objects")
        return _plain(raw[0], budget, depth + 1)
    return _shaped(raw, kind, shape, "F" if fortran else "C", budget)


def _scalar(call: Call, budget: _Budget, _depth: int) -> Any:
    dtype, raw = call.arguments
    return _shaped(raw, _dtype(dtype), (), "C", budget)[()]


def _from_buffer(call: Call, budget: _Budget, _depth: int) -> Any:
    raw, dtype, shape, order = call.arguments
    return _shaped(raw, _dtype(dtype), shape, "F" if order == "F" else "C", budget)


def _tensor(call: Call, budget: _Budget, _depth: int) -> Any:
    storage, offset, size, stride = call.arguments[:4]
    numbers = (offset, *size, *stride)
    if not isinstance(storage, Storage) or not all(type(n) is int and 0 <= n < _MOST_AXIS for n in numbers):
        raise ValueError("the pickle holds a damaged tensor")
    values = storage.values()
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True)) if all(size) else 0
    if len(size) > 8 or math.prod(size) > values.size or last >= max(values.size, 1):
        raise ValueError("the pickle holds a tensor beyond its storage")
    budget.spend(math.prod(size) * values.itemsize)
    view = np.lib.stride_tricks.as_strided(values[offset:], size, [step * values.itemsize for step in stride])
    return view.copy()


_MAKERS = {
    "encode": _encoded,
    "_reconstruct": _array,
    "scalar": _scalar,
    "_frombuffer": _from_buffer,
    "_rebuild_tensor_v2": _tensor,
}


def _dtype(value: Any) -> Any:
    """The type of an array's numbers; None for objects."""
    if not isinstance(value, Call) or value.name != "numpy.dtype":
        raise ValueError("the pickle holds a damaged array")
    kind, state = value.arguments[0], value.state
    order = state[1] if isinstance(state, tuple) and len(state) > 1 else "="
    if kind in ("O", "O8"):
        return None
    if kind not in _ARRAY_TYPES or order not in ("<", ">", "|", "="):
        raise ValueError(f"the pickle holds an array of {kind!r:.40}")
    return np.dtype(order.replace("|", "=") + kind)


def _shaped(raw: Any, dtype: Any, shape: Any, order: Any, budget: _Budget) -> Any:
    if isinstance(raw, Call):
        raw = _plain(raw, budget, 0)
    if isinstance(raw, str):
        raw = raw.encode("latin1")
    known = isinstance(shape, tuple) and all(type(n) is int and 0 <= n < _MOST_AXIS for n in shape)
    if dtype is None or not known or len(shape) > 8 or not isinstance(raw, bytes):
        raise ValueError("the pickle holds a damaged array")
    if len(raw) != math.prod(shape) * dtype.itemsize:
        raise ValueError("the pickle holds an array of another length than it says")
    budget.spend(len(raw))
    return np.frombuffer(raw, dtype).reshape(shape, order=order)
