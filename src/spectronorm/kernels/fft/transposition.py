"""Transposition of square blocks of numbers, with one row for each lane."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

from spectronorm.kernels.fft.lanes import Numbers, Value, lanes_of, shuffled_lanes


def _transposed(rows: list[Value]) -> list[Value]:
    """Transpose by swapping ever larger blocks."""
    builder, width = rows[0].builder, len(rows)
    vectors = [row.written for row in rows]
    block = 1
    while block < width:
        kept = [i if not i & block else i - block + width for i in range(width)]
        moved = [i + block if not i & block else i + width for i in range(width)]
        for i in (i for i in range(width) if not i & block):
            pair = vectors[i], vectors[i + block]
            vectors[i], vectors[i + block] = (shuffled_lanes(builder, *pair, lanes) for lanes in (kept, moved))
        block *= 2
    return [Value(builder, vector) for vector in vectors]


def _generated(*, scaled: bool) -> Any:
    """Return the code that transposes a block, of numbers unchanged or standardized on the way."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, y = signature.args[0], signature.args[3]
        source, target = (
            Numbers(context, builder, x, arguments[0], lanes_of(y)),
            Numbers(context, builder, y, arguments[3]),
        )
        at, stride, to, step = (Value(builder, arguments[i]) for i in (1, 2, 4, 5))
        rows = [source[at + stride * i] for i in range(target.lanes.width)]
        if scaled:
            parts = (builder.extract_value(arguments[6], i) for i in range(3))
            mean, rest, scale = (Value(builder, target.lanes.filled(builder, one)) for one in parts)
            centred = [row - mean for row in rows]
            rows = [(one if y.dtype == types.float64 else one - rest) * scale for one in centred]
        for i, column in enumerate(_transposed(rows)):
            target[to + step * i] = column
        return context.get_dummy_value()

    return generate


def _transpose(typing: Any, x: Any, at: Any, stride: Any, y: Any, to: Any, step: Any) -> Any:
    del typing, at, stride, to, step
    return types.void(x, types.intp, types.intp, y, types.intp, types.intp), _generated(scaled=False)


def _standardize(typing: Any, x: Any, at: Any, stride: Any, y: Any, to: Any, step: Any, scaling: Any) -> Any:
    del typing, at, stride, to, step, scaling
    parts = types.UniTuple(y.dtype, 3)  # type: ignore[no-untyped-call]
    return types.void(x, types.intp, types.intp, y, types.intp, types.intp, parts), _generated(scaled=True)


transpose: Any = intrinsic(_transpose)
"""`transpose(x, at, stride, y, to, step)`: rows that begin `stride` apart in the flat array x, from `at` on, become
columns: the first number of every row is written to y at `to`, the second ones `step` later, and so on.
"""
standardize: Any = intrinsic(_standardize)
"""`standardize(x, at, stride, y, to, step, (mean, rest, scale))`: `transpose` of `(number - mean) * scale`. In float32,
what rounding took from the mean, the rest, is subtracted too.
"""
