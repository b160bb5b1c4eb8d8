"""Steps of a look at a clip: eight frames at a time, in the lanes of vector registers.

Neighbouring bands add to the course of their range together, which is read and written once for all of them. The last
frames of a band, too few to fill a register, are read with those before them, which do not count again.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from spectronorm.kernels.fft.lanes import DOUBLES, Lanes, Numbers, Value, data_of, shuffled_lanes

N_SUMS = 3
"""Number of sums of a band: of its levels, of their squares, and of its steps from frame to frame."""
BANDS_AT_ONCE = 3
"""Number of bands that are added up together."""
COLUMNS = 16
"""Number of columns that are sorted side by side."""
_LARGEST = 1073741824.0
_EIGHT = Lanes(types.float64, DOUBLES)
_VECTOR: Any = _EIGHT.vector
_WHOLE, _LONG = ir.IntType(32), ir.IntType(64)
_functions: Any = cgutils


def _everywhere(number: float) -> Any:
    return ir.Constant(_VECTOR, [number] * DOUBLES)


def _same(kind: Any, number: int) -> Any:
    return ir.Constant(ir.VectorType(kind, DOUBLES), [number] * DOUBLES)


def _of_lanes(builder: Any, builtin: str, name: str, x: Any) -> Any:
    kind = ir.FunctionType(x.type, [x.type])
    return builder.call(_functions.get_or_insert_function(builder.module, kind, f"llvm.{builtin}.{name}"), [x])


def folded(builder: Any, x: Any, join: Any) -> Any:
    """Return one number of all lanes, joined in a tree."""
    width = x.type.count
    distance = width // 2
    while distance:
        turned = [(lane + distance) % width for lane in range(width)]
        x = join(x, shuffled_lanes(builder, x, x, turned))
        distance //= 2
    return builder.extract_element(x, ir.Constant(_WHOLE, 0))


def _smaller(builder: Any, one: Any, other: Any) -> Any:
    return builder.select(builder.icmp_signed("<", one, other), one, other)


def larger(builder: Any, one: Any, other: Any) -> Any:
    """Return LLVM code for the larger of two whole numbers, or of each two in vectors of them."""
    return builder.select(builder.icmp_signed(">", one, other), one, other)


def _divided(builder: Any, count: Value) -> tuple[Any, Any]:
    """Return the number of full vectors, and of what is left."""
    eight = ir.Constant(_LONG, DOUBLES)
    return builder.sdiv(count.written, eight), builder.srem(count.written, eight)


def _last(builder: Any, rest: Any) -> Any:
    """Return the lanes of the last vector that no vector before it has."""
    first = builder.sub(ir.Constant(_LONG, DOUBLES), rest)
    first = builder.insert_element(_same(_LONG, 0), first, ir.Constant(_WHOLE, 0))
    first = builder.shuffle_vector(first, first, _same(_WHOLE, 0))
    return builder.icmp_signed(">=", ir.Constant(first.type, list(range(DOUBLES))), first)


class _Sums:
    """The sums of a few bands and the course of their range, to which vectors of frames are added."""

    def __init__(self, builder: Any, course: Numbers, bands: int) -> None:
        self._builder, self._course = builder, course
        self.rooms = [[self._zero() for _ in range(N_SUMS)] for _ in range(bands)]

    def _zero(self) -> Any:
        return _functions.alloca_once_value(self._builder, _everywhere(0.0))

    def add(self, at: Value, bands: list[tuple[Any, Any]], counts: Any = None) -> None:
        """Add frames from `at` on, given for each band with the frames before them, in lanes that count."""
        builder, together = self._builder, self._course[at].written
        for (here, before), rooms in zip(bands, self.rooms, strict=True):
            step = _of_lanes(builder, "fabs", f"v{DOUBLES}f64", builder.fsub(here, before))
            x, step = (one if counts is None else builder.select(counts, one, _everywhere(0.0)) for one in (here, step))
            together = builder.fadd(together, x)
            square = builder.fmul(x, x, flags=("contract",))
            for room, by in zip(rooms, (x, square, step), strict=True):
                builder.store(builder.fadd(builder.load(room), by, flags=("contract",)), room)
        self._course[at] = Value(builder, together)

    def write(self, data: Any) -> None:
        """Write the sums `(band, sum)`."""
        builder = self._builder
        for number, room in enumerate(room for rooms in self.rooms for room in rooms):
            total = folded(builder, builder.load(room), builder.fadd)
            builder.store(total, builder.gep(data, [ir.Constant(_LONG, number)]))


def _adding(count: int) -> Any:
    """Return the code that adds up this number of bands."""

    def add_bands(typing: Any, level: Any, at: Any, frames: Any, course: Any, found: Any) -> Any:
        del typing, at, frames

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            levels, courses = (Numbers(context, builder, signature.args[i], arguments[i], _EIGHT) for i in (0, 3))
            start, frames = Value(builder, arguments[1]), Value(builder, arguments[2])
            starts, sums = [start + frames * band for band in range(count)], _Sums(builder, courses, count)
            # The first frame stands before itself: its step is zero.
            before = [_functions.alloca_once_value(builder, levels.everywhere(one).written) for one in starts]
            (whole, rest), shifted = _divided(builder, frames), list(range(DOUBLES - 1, 2 * DOUBLES - 1))
            with _functions.for_range(builder, whole) as loop:
                t = Value(builder, loop.index) * DOUBLES
                here = [levels[one + t].written for one in starts]
                olds = [shuffled_lanes(builder, builder.load(o), x, shifted) for o, x in zip(before, here, strict=True)]
                sums.add(t, list(zip(here, olds, strict=True)))
                for room, x in zip(before, here, strict=True):
                    builder.store(x, room)
            with builder.if_then(builder.icmp_signed(">", rest, ir.Constant(_LONG, 0))):
                last = frames - DOUBLES
                pairs = [(levels[one + last].written, levels[one + last - 1].written) for one in starts]
                sums.add(last, pairs, _last(builder, rest))
            sums.write(data_of(context, builder, found, arguments[4]))
            return context.get_dummy_value()

        return types.void(level, types.intp, types.intp, course, found), generate

    return add_bands


class _Grid:
    """The lowest and the highest number on the grid, and the sum of all, to which vectors of frames are added."""

    def __init__(self, builder: Any, levels: Numbers, grid: Any, factor: Any) -> None:
        self._builder, self._levels, self._grid, self._factor = builder, levels, grid, factor
        starts = _same(_WHOLE, 1 << 30), _same(_WHOLE, -(1 << 30)), _same(_LONG, 0)
        self._low, self._high, self._total = (_functions.alloca_once_value(builder, start) for start in starts)

    def add(self, at: Value, stride: Value, to: Any, counts: Any = None) -> None:
        """Put every `stride`-th level from `at` on where `to` says; only lanes that count are added to the sum."""
        builder = self._builder
        x = builder.fmul(self._levels.every(stride, at).written, self._factor)
        for limit, side in ((-_LARGEST, ">"), (_LARGEST, "<")):
            x = builder.select(builder.fcmp_ordered(side, x, _everywhere(limit)), x, _everywhere(limit))
        q = builder.fptosi(_of_lanes(builder, "rint", f"v{DOUBLES}f64", x), _same(_WHOLE, 0).type)
        builder.store(q, builder.bitcast(builder.gep(self._grid, [to]), ir.PointerType(q.type)), align=4)
        for room, join in ((self._low, _smaller), (self._high, larger)):
            builder.store(join(builder, builder.load(room), q), room)
        wide = builder.sext(q, _same(_LONG, 0).type)
        wide = wide if counts is None else builder.select(counts, wide, _same(_LONG, 0))
        builder.store(builder.add(builder.load(self._total), wide), self._total)

    def write(self, data: Any) -> None:
        """Write the lowest, the highest, and the sum."""
        builder = self._builder
        for number, (room, join) in enumerate(
            ((self._low, _smaller), (self._high, larger), (self._total, type(builder).add))
        ):
            found = folded(builder, builder.load(room), partial(join, builder))
            found = found if found.type == _LONG else builder.sext(found, _LONG)
            builder.store(found, builder.gep(data, [ir.Constant(_LONG, number)]))


def _on_grid(typing: Any, level: Any, band: Any, frames: Any, count: Any, steps: Any, grid: Any, found: Any) -> Any:
    del typing, band, frames, count, steps

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del signature
        levels = Numbers(context, builder, level, arguments[0], _EIGHT)
        band, frames, count = (Value(builder, arguments[i]) for i in (1, 2, 3))
        stride = Value(builder, builder.sdiv((frames + count - 1).written, count.written))
        at, to = band * frames, band * count
        factor = levels.lanes.filled(builder, arguments[4])
        made = _Grid(builder, levels, data_of(context, builder, grid, arguments[5]), factor)
        whole, rest = _divided(builder, count)
        with _functions.for_range(builder, whole) as loop:
            first = Value(builder, loop.index) * DOUBLES
            made.add(at + stride * first, stride, (to + first).written)
        with builder.if_then(builder.icmp_signed(">", rest, ir.Constant(_LONG, 0))):
            first = count - DOUBLES
            made.add(at + stride * first, stride, (to + first).written, _last(builder, rest))
        made.write(data_of(context, builder, found, arguments[6]))
        return context.get_dummy_value()

    return types.void(level, types.intp, types.intp, types.intp, types.float64, grid, found), generate


def _exchange(typing: Any, rows: Any, one: Any, other: Any) -> Any:
    del typing, one, other

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del signature
        numbers = Numbers(context, builder, rows, arguments[0])
        first, second = (Value(builder, argument) for argument in arguments[1:])
        for column in range(0, COLUMNS, DOUBLES):
            x, y = numbers[first + column].written, numbers[second + column].written
            less = builder.fcmp_ordered("<", x, y)
            numbers[first + column] = Value(builder, builder.select(less, x, y))
            numbers[second + column] = Value(builder, builder.select(less, y, x))
        return context.get_dummy_value()

    return types.void(rows, types.intp, types.intp), generate


add_band: Any = intrinsic(_adding(1))
add_some_bands: Any = intrinsic(_adding(BANDS_AT_ONCE))
"""`add_some_bands(level, at, frames, course, found)`: add rows of a flat level from `at` on to a course, and write the
sums `(band, sum)` to `found`. There are at least eight frames.
"""
put_band_on_grid: Any = intrinsic(_on_grid)
"""`put_band_on_grid(level, band, frames, count, steps, grid, found)`: write evenly spaced frames of a band, times
`steps` and rounded, to its row of the grid, and the lowest, the highest, and their sum to `found`. There are at least
eight.
"""
exchange: Any = intrinsic(_exchange)
"""`exchange(rows, one, other)`: give the lower number of each column to the row that begins at `one`, the other one to
`other`.
"""
