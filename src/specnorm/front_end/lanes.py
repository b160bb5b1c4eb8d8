"""Eight float64 numbers as one value in compiled kernels, so that eight frames are transformed at once.

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

WIDTH = 8
"""How many numbers there are in one value."""
_VECTOR = ir.VectorType(ir.DoubleType(), WIDTH)


class Lanes(types.Type):
    """The type of such a value, as numba knows it."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


_LANES: Any = Lanes()


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Lanes) -> None:
        super().__init__(manager, kind, _VECTOR)  # type: ignore[no-untyped-call]


def _define(operation: Callable[[Any, Any], Any], instruction: str) -> None:
    @type_callable(operation)
    def _type(context: Any) -> Any:
        del context
        return lambda a, b: _LANES if isinstance(a, Lanes) and isinstance(b, Lanes) else None

    @lower_builtin(operation, Lanes, Lanes)  # type: ignore[no-untyped-call, untyped-decorator]
    def _lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        return getattr(builder, instruction)(*arguments)


for _operation, _instruction in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul")):
    _define(_operation, _instruction)


def _address(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    # Taken out of the array's value: a proxy of it, numba's usual way, makes compilation take twice as long.
    place = builder.gep(context.data_model_manager[kind].get(builder, array, "data"), [index])
    return builder.bitcast(place, ir.VectorType(place.type.pointee, WIDTH).as_pointer())


def _load(typing: Any, array: Any, index: Any) -> Any:
    del typing, index

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = builder.load(_address(context, builder, signature.args[0], *arguments))
        value.align = signature.args[0].dtype.bitwidth // 8
        return builder.fpext(value, _VECTOR) if value.type != _VECTOR else value

    return _LANES(array, types.intp), generate


def _store(typing: Any, array: Any, index: Any, value: Any) -> Any:
    del typing, index, value

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, index, value = arguments
        builder.store(value, _address(context, builder, signature.args[0], array, index)).align = 8
        return context.get_dummy_value()

    return types.void(array, types.intp, _LANES), generate


def _fill(typing: Any, number: Any) -> Any:
    del typing, number

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        undefined, index = ir.Constant(_VECTOR, ir.Undefined), ir.IntType(32)
        first = builder.insert_element(undefined, arguments[0], ir.Constant(index, 0))
        return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(index, WIDTH), [0] * WIDTH))

    return _LANES(types.float64), generate


def _transpose(typing: Any, rows: Any) -> Any:
    del typing, rows

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        vectors = [builder.extract_value(arguments[0], i) for i in range(WIDTH)]
        for block in (1, 2, 4):
            kept = [i if not i & block else i - block + WIDTH for i in range(WIDTH)]
            moved = [i + block if not i & block else i + WIDTH for i in range(WIDTH)]
            for i in (i for i in range(WIDTH) if not i & block):
                pair = vectors[i], vectors[i + block]
                vectors[i], vectors[i + block] = (
                    builder.shuffle_vector(*pair, ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), mask))
                    for mask in (kept, moved)
                )
        result = arguments[0]
        for i, vector in enumerate(vectors):
            result = builder.insert_value(result, vector, i)
        return result

    eight = types.UniTuple(_LANES, WIDTH)  # type: ignore[no-untyped-call]
    return eight(eight), generate


load: Any = intrinsic(_load)
"""`load(array, index)`: eight numbers of a flat array of floats from `index` on; nothing checks that they are there."""
store: Any = intrinsic(_store)
"""`store(array, index, value)` into a flat float64 array from `index` on; nothing checks that there is room."""
fill: Any = intrinsic(_fill)
"""`fill(number)`: one number eight times."""
transpose: Any = intrinsic(_transpose)
"""`transpose(values)`: eight values with rows and columns exchanged, by swapping blocks of 1, 2 and 4."""
