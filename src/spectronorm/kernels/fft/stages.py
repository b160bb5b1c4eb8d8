"""Stages of the real DFT: the butterflies of each radix, in loops over the parts of the transform.

The stages are emitted directly as LLVM code, because numba would take seconds to type and lower all their operations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from spectronorm.kernels.fft.butterflies import BUTTERFLIES, Butterfly, Complex
from spectronorm.kernels.fft.lanes import NARROW, Integers, Lanes, Numbers, Value

_LARGEST = 5
"""Largest radix of the transforms of spectrograms."""


def times_conjugate(re: Value, im: Value, c: Value, s: Value) -> Complex:
    """Return a complex value multiplied by the conjugate of a root of unity."""
    return c * re + s * im, c * im - s * re


def _turned(x: Numbers, at: Value, roots: Numbers, root: Value) -> Complex:
    """Return the complex value at this place multiplied by the conjugate of one root for all lanes."""
    c, s = roots.everywhere(root), roots.everywhere(root + 1)
    return times_conjugate(x[at - x.lanes.width], x[at], c, s)


def _write_stage(arrays: Sequence[Numbers], numbers: Sequence[Value], radix: int, butterfly: Butterfly) -> None:
    """Emit a stage: `before` transforms of `radix` parts of `inner` numbers, side by side in x, consecutive in y."""
    (x, y, roots), (inner, before, start) = arrays, numbers
    builder, width = inner.builder, x.lanes.width
    row = inner * width
    step, last = row * before, row - width
    parts = range(radix)
    with cgutils.for_range(builder, before.written) as outer:
        p = Value(builder, outer.index) * row
        o = p * radix
        for m, value in enumerate(butterfly.first([x[p + step * part] for part in parts])):
            y[o + row * m + last if m % 2 else o + row * m] = value
        if butterfly.half is not None:
            with builder.if_then(is_even(inner)):
                for m, value in enumerate(butterfly.half([x[p + last + step * part] for part in parts])):
                    y[o + row * m if m % 2 else o + row * m + last] = value
        with cgutils.for_range(builder, half(inner - 1).written) as pair:
            index = Value(builder, pair.index)
            i = (index + 1) * (2 * width)
            q, root = p + i, start + index * (2 * (radix - 1))
            values = [_turned(x, q + step * part, roots, root + 2 * (part - 1)) for part in parts[1:]]
            for m, (re, im) in enumerate(butterfly.rest([(x[q - width], x[q]), *values])):
                at = o + row * (m + 1) - i if m % 2 else o + row * m + i
                y[at - width], y[at] = re, im


def _write_first(arrays: Sequence[Any], numbers: Sequence[Value], radix: int, butterfly: Butterfly) -> None:
    """Emit the first stage, whose parts are single numbers: entries of the columns, times the window."""
    (columns, window, rows, shifts, y), (count, stride, t) = arrays, numbers
    with cgutils.for_range(count.builder, count.written) as loop:
        k = Value(count.builder, loop.index)
        samples = [k + count * part for part in range(radix)]
        parts = [columns[rows[at] * stride + shifts[at] + t] * window.everywhere(at) for at in samples]
        for m, value in enumerate(butterfly.first(parts)):
            y[(k * radix + m) * columns.lanes.width] = value


def _write_last(arrays: Sequence[Numbers], numbers: Sequence[Value], radix: int, butterfly: Butterfly) -> None:
    """Emit the last stage, whose results become squared magnitudes or, with the last number, magnitudes.

    There is one row of `out` for each bin.
    """
    (x, out, roots), (inner, stride, t, rooted) = arrays, numbers
    builder, width = inner.builder, x.lanes.width
    row, parts = inner * width, range(radix)

    def put(at: Value, *parts_of_bin: Value) -> None:
        power, place = parts_of_bin[0] * parts_of_bin[0], at * stride + t
        if len(parts_of_bin) > 1:
            power += parts_of_bin[1] * parts_of_bin[1]
        out[place] = power
        with builder.if_then(builder.icmp_signed("!=", rooted.written, rooted.written.type(0))):
            out[place] = power.root()

    zero = inner - inner
    first = butterfly.first([x[row * part] for part in parts])
    put(zero, first[0])
    for m in range(1, radix, 2):
        at = half(inner * (m + 1))
        put(at, *first[m : m + 2])
    if butterfly.half is not None:
        with builder.if_then(is_even(inner)):
            middle = butterfly.half([x[row * (part + 1) - width] for part in parts])
            for m in range(0, radix, 2):
                put(half(inner * (m + 1)), *middle[m : m + 2])
    with cgutils.for_range(builder, half(inner - 1).written) as pair:
        index = Value(builder, pair.index)
        q, root, k = (index + 1) * (2 * width), index * (2 * (radix - 1)), index + 1
        values = [_turned(x, q + row * part, roots, root + 2 * (part - 1)) for part in parts[1:]]
        for m, one in enumerate(butterfly.rest([(x[q - width], x[q]), *values])):
            put(inner * ((m + 1) // 2) - k if m % 2 else inner * (m // 2) + k, *one)


def half(number: Value) -> Value:
    """Return half of the number, rounded down."""
    return Value(number.builder, number.builder.ashr(number.written, number.written.type(1)))


def is_even(number: Value) -> Any:
    """Return the condition that the number is even."""
    one, none = number.written.type(1), number.written.type(0)
    return number.builder.icmp_signed("==", number.builder.and_(number.written, one), none)


def _for_each(builder: Any, radix: Any, write: Callable[[int, Butterfly], None], largest: int = _LARGEST) -> None:
    """Emit code for each radix up to the largest, of which one is chosen when the kernel runs."""
    for known, butterfly in BUTTERFLIES.items():
        if known > largest:
            continue
        with builder.if_then(builder.icmp_signed("==", radix, radix.type(known))):
            write(known, butterfly)


def _generated(
    write: Callable[..., None],
    arrays: Sequence[int],
    numbers: Sequence[int],
    largest: int = _LARGEST,
    lanes: Lanes | None = None,
) -> Any:
    """Return the code of a stage: the first argument is the radix, the others are arrays of floats, and numbers.

    Stages of spectrograms fuse float32; those with sevens, of filters that samples are made by, do not.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        fused = largest == _LARGEST
        flat = [Numbers(context, builder, signature.args[i], arguments[i], lanes, fused=fused) for i in arrays]
        whole = [Value(builder, arguments[i]) for i in numbers]
        _for_each(builder, arguments[0], partial(write, flat, whole), largest)
        return context.get_dummy_value()

    return generate


def _stage(largest: int = _LARGEST, lanes: Lanes | None = None) -> Any:
    """Return the code of stages with radices up to the largest; None for the lanes of the arrays' numbers."""

    def one_stage(typing: Any, radix: Any, x: Any, y: Any, inner: Any, before: Any, roots: Any, start: Any) -> Any:
        del typing, radix, inner, before, start
        signature = types.void(types.intp, x, y, types.intp, types.intp, roots, types.intp)
        return signature, _generated(_write_stage, (1, 2, 5), (3, 4, 6), largest, lanes)

    return one_stage


def _first_stage(typing: Any, radix: Any, columns: Any, layout: Any, y: Any, count: Any, stride: Any, t: Any) -> Any:
    del typing, radix, count, stride, t

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del signature
        parts = [builder.extract_value(arguments[2], i) for i in range(3)]
        arrays = [
            Numbers(context, builder, columns, arguments[1], fused=True),
            Numbers(context, builder, layout[0], parts[0], fused=True),
            Integers(context, builder, layout[1], parts[1]),
            Integers(context, builder, layout[2], parts[2]),
            Numbers(context, builder, y, arguments[3], fused=True),
        ]
        numbers = [Value(builder, arguments[i]) for i in (4, 5, 6)]
        _for_each(builder, arguments[0], partial(_write_first, arrays, numbers))
        return context.get_dummy_value()

    return types.void(types.intp, columns, layout, y, types.intp, types.intp, types.intp), generate


def _last_stage(typing: Any, radix: Any, x: Any, out: Any, roots: Any, inner: Any, place: Any, rooted: Any) -> Any:
    del typing, radix, inner, rooted
    signature = types.void(types.intp, x, out, roots, types.intp, place, types.intp)
    write = _generated(_write_last, arrays=(1, 2, 3), numbers=(4, 5, 6, 7))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        stride, t = (builder.extract_value(arguments[5], i) for i in range(2))
        return write(context, builder, signature, [*arguments[:5], stride, t, arguments[6]])

    return signature, generate


stage: Any = intrinsic(_stage())
"""`stage(radix, x, y, inner, before, roots, start)`: from the flat array x to y, with its roots from `start` on."""
stage_with_sevens: Any = intrinsic(_stage(largest=7))
"""`stage` for radices up to 7, which takes longer to compile."""
narrow_stage: Any = intrinsic(_stage(lanes=NARROW))
"""`stage` in four lanes of float64."""
first_stage: Any = intrinsic(_first_stage)
"""`first_stage(radix, columns, (window, rows, shifts), y, count, stride, t)`: the first stage of a transform of `count`
times `radix` samples. Sample `k` is in columns at `rows[k] * stride + shifts[k] + t`.
"""
last_stage: Any = intrinsic(_last_stage)
"""`last_stage(radix, x, out, roots, inner, (stride, t), rooted)`: the last stage of a transform, as squared magnitudes,
or as magnitudes if `rooted` is not 0: the one of bin `k` is written to out at `k * stride + t`. Its roots are the first
ones of a plan.
"""
