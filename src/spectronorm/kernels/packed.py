"""Many arrays in one: parts of a table of float64, for kernels that would otherwise take twenty arguments.

Each array costs a call of a kernel a tenth of a microsecond. The table begins with a head of whole numbers, which says
where a part starts and ends. Slices with the checks of numba would take seconds to compile.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np import arrayobj

from spectronorm.kernels.fft.lanes import Value

PARTS = 32
"""Distance in the head from the start of a part to its end."""
HEAD = 2 * PARTS
"""Length of the head."""
_arrays: Any = arrayobj


def _number(context: Any, builder: Any, table: Any, array: Any, place: Value) -> Any:
    """Return a whole number of the head."""
    data = context.data_model_manager[table].get(builder, array, "data")
    return builder.load(builder.bitcast(builder.gep(data, [place.written]), ir.PointerType(ir.IntType(64))))


def _setting(typing: Any, table: Any, place: Any) -> Any:
    del typing, place

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del signature
        return _number(context, builder, table, arguments[0], Value(builder, arguments[1]))

    return types.intp(table, types.intp), generate


def _view(number: Any) -> Any:
    """Return the code of a part as an array of these numbers, which borrows the memory of the table."""
    kind: Any = types.Array(number, 1, "C")

    def part(typing: Any, table: Any, place: Any) -> Any:
        del typing, place

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            del signature
            place = Value(builder, arguments[1])
            start, stop = (_number(context, builder, table, arguments[0], at) for at in (place, place + PARTS))
            data = context.data_model_manager[table].get(builder, arguments[0], "data")
            wanted = ir.PointerType(context.get_data_type(number))
            made = _arrays.make_array(kind)(context, builder)
            _arrays.populate_array(
                made,
                data=builder.bitcast(builder.gep(data, [start]), wanted),
                shape=[builder.sub(stop, start)],
                strides=[ir.IntType(64)(8)],
                itemsize=ir.IntType(64)(8),
                meminfo=None,
            )
            return made._getvalue()

        return kind(table, types.intp), generate

    return part


setting: Any = intrinsic(_setting)
"""`setting(table, place)`: a whole number of the head."""
numbers_of: Any = intrinsic(_view(types.float64))
"""`numbers_of(table, place)`: a part of floats."""
wholes_of: Any = intrinsic(_view(types.int64))
"""`wholes_of(table, place)`: a part of whole numbers, whose bits the table has."""
