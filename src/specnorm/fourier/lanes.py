"""Eight float64 or sixteen float32 numbers as one value in compiled kernels: as many signals are transformed at once.

LLVM's own vectorizer gives up on a Fourier transform, whose stores it cannot prove apart. These few operations leave it
no choice: each is one vector instruction, or a few where the machine has narrower vectors. Every lane is computed as a
single number would be, in the order that is written: nothing is fused or reordered.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, lower_builtin, models, register_model, type_callable

DOUBLES, SINGLES = 8, 16
"""How many numbers of float64 and of float32 there are in one value."""


class Lanes(types.Type):
    """The type of such a value, as numba knows it."""

    def __init__(self, number: Any, width: int) -> None:
        self.number, self.width = number, width
        super().__init__(name=f"Lanes({width} x {number})")

    @property
    def vector(self) -> Any:
        """The type as LLVM knows it."""
        return ir.VectorType(ir.DoubleType() if self.number == types.float64 else ir.FloatType(), self.width)


_DOUBLES, _SINGLES = Lanes(types.float64, DOUBLES), Lanes(types.float32, SINGLES)


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Lanes) -> None:
        super().__init__(manager, kind, kind.vector)  # type: ignore[no-untyped-call]


def _define(operation: Callable[[Any, Any], Any], instruction: str) -> None:
    @type_callable(operation)
    def _type(context: Any) -> Any:
        del context
        return lambda a, b: a if isinstance(a, Lanes) and a == b else None

    @lower_builtin(operation, Lanes, Lanes)  # type: ignore[no-untyped-call, untyped-decorator]
    def _lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        return getattr(builder, instruction)(*arguments)


for _operation, _instruction in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul")):
    _define(_operation, _instruction)


def _of(array: Any) -> Lanes:
    """What an array of this type is handled in."""
    return _DOUBLES if array.dtype == types.float64 else _SINGLES


def _address(context: Any, builder: Any, kind: Any, array: Any, index: Any, width: int) -> Any:
    # Taken out of the array's value: a proxy of it, numba's usual way, makes compilation take twice as long.
    place = builder.gep(context.data_model_manager[kind].get(builder, array, "data"), [index])
    return builder.bitcast(place, ir.VectorType(place.type.pointee, width).as_pointer())


def _load_as(lanes: Lanes, array: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, index = arguments
        value = builder.load(_address(context, builder, signature.args[0], array, index, lanes.width))
        value.align = signature.args[0].dtype.bitwidth // 8
        return value if value.type == lanes.vector else builder.fpext(value, lanes.vector)

    return lanes(array, types.intp), generate


def _load(typing: Any, array: Any, index: Any) -> Any:
    del typing, index
    return _load_as(_of(array), array)


def _load_doubles(typing: Any, array: Any, index: Any) -> Any:
    del typing, index
    return _load_as(_DOUBLES, array)


def _store(typing: Any, array: Any, index: Any, value: Any) -> Any:
    del typing, index

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, index, value = arguments
        kind = signature.args[0]
        place = _address(context, builder, kind, array, index, signature.args[2].width)
        builder.store(value, place).align = kind.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.void(array, types.intp, value), generate


def _fill(typing: Any, like: Any, number: Any) -> Any:
    del typing
    lanes = _of(like)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        one = context.cast(builder, arguments[1], signature.args[1], lanes.number)
        undefined, index = ir.Constant(lanes.vector, ir.Undefined), ir.IntType(32)
        first = builder.insert_element(undefined, one, ir.Constant(index, 0))
        everywhere = ir.Constant(ir.VectorType(index, lanes.width), [0] * lanes.width)
        return builder.shuffle_vector(first, undefined, everywhere)

    return lanes(like, number), generate


def _width(typing: Any, like: Any) -> Any:
    del typing
    width = _of(like).width

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del builder, arguments
        return context.get_constant(signature.return_type, width)

    return types.intp(like), generate


def _transpose(typing: Any, rows: Any) -> Any:
    del typing
    width = rows.dtype.width

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        vectors = [builder.extract_value(arguments[0], i) for i in range(width)]
        block = 1
        while block < width:
            kept = [i if not i & block else i - block + width for i in range(width)]
            moved = [i + block if not i & block else i + width for i in range(width)]
            for i in (i for i in range(width) if not i & block):
                pair = vectors[i], vectors[i + block]
                vectors[i], vectors[i + block] = (
                    builder.shuffle_vector(*pair, ir.Constant(ir.VectorType(ir.IntType(32), width), mask))
                    for mask in (kept, moved)
                )
            block *= 2
        result = arguments[0]
        for i, vector in enumerate(vectors):
            result = builder.insert_value(result, vector, i)
        return result

    return rows(rows), generate


load: Any = intrinsic(_load)
"""`load(array, index)`: numbers of a flat array from `index` on; nothing checks that they are there."""
load_doubles: Any = intrinsic(_load_doubles)
"""`load_doubles(array, index)`: eight numbers of a flat array of floats, as float64."""
store: Any = intrinsic(_store)
"""`store(array, index, value)` into a flat array of the value's numbers; nothing checks that there is room."""
fill: Any = intrinsic(_fill)
"""`fill(like, number)`: one number in all the lanes that an array like this is handled in."""
width: Any = intrinsic(_width)
"""`width(like)`: how many lanes an array like this is handled in."""
transpose: Any = intrinsic(_transpose)
"""`transpose(values)`: as many values as each has lanes, rows and columns exchanged, by swapping ever larger blocks."""
