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

from spectronorm.kernels.fft.lanes import Value, data_of

PARTS = 48
"""Distance in the head from the start of a part to its end."""
HEAD = 2 * PARTS
"""Length of the head."""
_arrays: Any = arrayobj


def _place(context: Any, builder: Any, table: Any, array: Any, place: Value) -> Any:
    """Return the pointer to a whole number of the head."""
    data = data_of(context, builder, table, array)
    return builder.bitcast(builder.gep(data, [place.written]), ir.PointerType(ir.IntType(64)))


def _number(context: Any, builder: Any, table: Any, array: Any, place: Value) -> Any:
    """Return a whole number of the head."""
    return builder.load(_place(context, builder, table, array, place))


def _setting(typing: Any, table: Any, place: Any) -> Any:
    del typing, place

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del signature
        return _number(context, builder, table, arguments[0], Value(builder, arguments[1]))

    return types.intp(table, types.intp), generate


def _set_setting(typing: Any, table: Any, place: Any, value: Any) -> Any:
    del typing, place, value

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del signature
        place = _place(context, builder, table, arguments[0], Value(builder, arguments[1]))
        builder.store(arguments[2], place)
        return context.get_dummy_value()

    return types.void(table, types.intp, types.intp), generate


def _array(context: Any, builder: Any, kind: Any, data: Any, size: Any) -> Any:
    """Return a flat array of numbers of 8 bytes or fewer that borrows this memory."""
    width = kind.dtype.bitwidth // 8
    made = _arrays.make_array(kind)(context, builder)
    _arrays.populate_array(
        made,
        data=builder.bitcast(data, ir.PointerType(context.get_data_type(kind.dtype))),
        shape=[size],
        strides=[ir.IntType(64)(width)],
        itemsize=ir.IntType(64)(width),
        meminfo=None,
    )
    return made._getvalue()


def _view(number: Any) -> Any:
    """Return the code of a part as an array of these numbers, which borrows the memory of the table."""
    kind: Any = types.Array(number, 1, "C")

    def part(typing: Any, table: Any, place: Any) -> Any:
        del typing, place

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            del signature
            place = Value(builder, arguments[1])
            start, stop = (_number(context, builder, table, arguments[0], at) for at in (place, place + PARTS))
            data = data_of(context, builder, table, arguments[0])
            return _array(context, builder, kind, builder.gep(data, [start]), builder.sub(stop, start))

        return kind(table, types.intp), generate

    return part


def _flat(typing: Any, array: Any, size: Any) -> Any:
    del typing, size
    kind: Any = types.Array(array.dtype, 1, "C")

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del signature
        data = data_of(context, builder, array, arguments[0])
        return _array(context, builder, kind, data, arguments[1])

    return kind(array, types.intp), generate


def _is_plain(typing: Any, array: Any) -> Any:
    del typing

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del signature
        model, word = context.data_model_manager[array], ir.IntType(64)
        width = array.dtype.bitwidth // 8
        place = builder.ptrtoint(model.get(builder, arguments[0], "data"), word)
        stride = builder.extract_value(model.get(builder, arguments[0], "strides"), 0)
        aligned = builder.icmp_signed("==", builder.and_(place, word(width - 1)), word(0))
        return builder.and_(aligned, builder.icmp_signed("==", stride, word(width)))

    return types.boolean(array), generate


setting: Any = intrinsic(_setting)
"""`setting(table, place)`: a whole number of the head."""
numbers_of: Any = intrinsic(_view(types.float64))
"""`numbers_of(table, place)`: a part of floats."""
wholes_of: Any = intrinsic(_view(types.int64))
"""`wholes_of(table, place)`: a part of whole numbers, whose bits the table has."""
set_setting: Any = intrinsic(_set_setting)
"""`set_setting(table, place, value)`: write a whole number of the head."""
flat: Any = intrinsic(_flat)
"""`flat(array, size)`: the first numbers of a contiguous array, as a flat one."""
is_plain: Any = intrinsic(_is_plain)
"""`is_plain(array)`: True if a flat array's numbers follow one another in memory, each where its type may stand."""
