"""Logarithms of contiguous numbers in lanes, two vectors at once: one chain of dependent operations leaves units idle.

In float64, every lane has the bits of `elementary.SERIES` applied to a single number: products and sums are not fused,
and whole numbers are exact. In float32 they are fused where the processor can, and the series in `m - 1` needs no
division; its error is below 1e-7.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from spectronorm.kernels.elementary import SERIES
from spectronorm.kernels.fft.lanes import Lanes, Numbers, Value, lanes_of
from spectronorm.kernels.jit import njit

AT_ONCE = 2
"""Number of vectors that are computed side by side."""
_SINGLE_SERIES = (
    0.9999999681,
    -0.5000037506,
    0.3333460602,
    -0.2496890696,
    0.1991334788,
    -0.1727820607,
    0.1612624790,
    -0.0989535074,
)
"""`ln(1 + r) / r` as a polynomial of degree 7, found by interpolation at Chebyshev nodes."""
_SIZE = 8
"""Number of arguments of the logarithm after the values."""
_Floats = NDArray[np.floating[Any]]
_Arguments = tuple[Any, Any, Any, Any, Any, Any, Any, Any]


class _Arithmetic:
    """Instructions on lanes of one kind, in the order of the code; fused where that is allowed."""

    def __init__(self, builder: Any, lanes: Lanes) -> None:
        self._builder, self._lanes = builder, lanes
        self._flags = () if lanes.number == types.float64 else ("contract",)
        self._bits = 64 if lanes.number == types.float64 else 32
        self.wholes = ir.VectorType(ir.IntType(self._bits), lanes.width)

    def number(self, value: float) -> Any:
        return ir.Constant(self._lanes.vector, [value] * self._lanes.width)

    def whole(self, value: int) -> Any:
        return ir.Constant(self.wholes, [value % (1 << self._bits)] * self._lanes.width)

    def add(self, a: Any, b: Any) -> Any:
        return self._builder.fadd(a, b, flags=self._flags)

    def subtract(self, a: Any, b: Any) -> Any:
        return self._builder.fsub(a, b, flags=self._flags)

    def times(self, a: Any, b: Any) -> Any:
        return self._builder.fmul(a, b, flags=self._flags)

    def larger(self, a: Any, b: Any) -> Any:
        """The first, unless it is not larger than the second or NaN."""
        return self._builder.select(self._builder.fcmp_ordered(">", a, b), a, b)

    def series(self, terms: tuple[float, ...], x: Any) -> Any:
        total = self.number(terms[-1])
        for term in terms[-2::-1]:
            total = self.add(self.number(term), self.times(x, total))
        return total

    def split(self, x: Any) -> tuple[Any, Any]:
        """The exponent as a number, and what is left, in [√½, √2)."""
        builder = self._builder
        # The bits of √½, of 2^52 or 2^23, and the number that is added to an exponent to make it positive.
        digits, root, power, more = (
            (52, 0x3FE6A09E667F3BCD, 0x4330000000000000, 1024)
            if self._bits == 64
            else (23, 0x3F3504F3, 0x4B000000, 128)
        )
        bits = builder.add(builder.bitcast(x, self.wholes), self.whole((more << digits) - root))
        # An exponent as the last digits of such a power is converted without an instruction for whole numbers.
        raised = builder.or_(builder.lshr(bits, self.whole(digits)), self.whole(power))
        exponent = self.subtract(builder.bitcast(raised, self._lanes.vector), self.number(float((1 << digits) + more)))
        rest = builder.add(builder.and_(bits, self.whole((1 << digits) - 1)), self.whole(root))
        return exponent, builder.bitcast(rest, self._lanes.vector)


def _of_doubles(at: _Arithmetic, builder: Any, x: Any, arguments: list[Any]) -> Any:
    amin, offset, high, low, unit, factor, shift, least = arguments
    exponent, m = at.split(at.add(at.larger(x, amin), offset))
    s = builder.fdiv(at.subtract(m, at.number(1.0)), at.add(m, at.number(1.0)))
    z = at.times(s, s)
    log = at.add(at.times(at.number(2.0), s), at.times(s, at.times(z, at.series(SERIES, z))))
    log = at.add(at.times(exponent, high), at.add(at.times(exponent, low), at.times(unit, log)))
    return at.larger(at.subtract(at.times(log, factor), shift), least)


def _of_singles(at: _Arithmetic, x: Any, arguments: list[Any]) -> Any:
    amin, offset, _, _, step, factor, shift, least = arguments
    exponent, m = at.split(at.add(at.larger(x, amin), offset))
    r = at.subtract(m, at.number(1.0))
    log = at.times(at.times(r, at.series(_SINGLE_SERIES, r)), factor)
    return at.larger(at.add(at.times(exponent, step), at.subtract(log, shift)), least)


def _written(vectors: int) -> Any:
    """Return the code that writes the logarithms of this number of vectors, in the dtype of the target."""

    def write(typing: Any, values: Any, index: Any, into: Any, to: Any, arguments: Any) -> Any:
        del typing, index, to
        one = lanes_of(values)
        lanes = Lanes(one.number, vectors * one.width)

        def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            del signature
            at, double = _Arithmetic(builder, lanes), lanes.number == types.float64
            filled = [lanes.filled(builder, builder.extract_value(given[4], i)) for i in range(_SIZE)]
            x = Numbers(context, builder, values, given[0], lanes)[Value(builder, given[1])].written
            level = _of_doubles(at, builder, x, filled) if double else _of_singles(at, x, filled)
            if values.dtype != into.dtype:
                target = Lanes(into.dtype, lanes.width).vector
                level = builder.fptrunc(level, target) if double else builder.fpext(level, target)
            Numbers(context, builder, into, given[2], lanes)[Value(builder, given[3])] = Value(builder, level)
            return context.get_dummy_value()

        return types.void(values, types.intp, into, types.intp, arguments), generate

    return intrinsic(write)


_write: Any = _written(1)
_write_many: Any = _written(AT_ONCE)


@njit(cache=True, nogil=True, error_model="numpy")
def logarithm_in_lanes(values: _Floats, arguments: _Arguments) -> None:
    """Replace the values by `max(log(max(x, amin) + offset) · factor - shift, least)`.

    There are whole vectors of them, of eight float64 or sixteen float32. The arguments are those of the plain function,
    in the dtype of the values.
    """
    width = 64 // values.itemsize
    many = values.size // (AT_ONCE * width) * (AT_ONCE * width)
    for i in range(0, many, AT_ONCE * width):
        _write_many(values, i, values, i, arguments)
    for i in range(many, values.size, width):
        _write(values, i, values, i, arguments)


@njit(cache=True, nogil=True, error_model="numpy")
def write_logarithm(
    values: _Floats, columns: int, count: int, arguments: _Arguments, into: _Floats, frames: int, start: int
) -> None:
    """Write logarithms of the first `count` of each row of `columns` values to rows of `frames`, from `start` on.

    A row of values, which may be overwritten, is whole vectors.
    """
    width = 64 // values.itemsize
    many, whole = count // (AT_ONCE * width) * (AT_ONCE * width), count // width * width
    for row in range(values.size // columns):
        at, to = row * columns, row * frames + start
        for i in range(0, many, AT_ONCE * width):
            _write_many(values, at + i, into, to + i, arguments)
        for i in range(many, whole, width):
            _write(values, at + i, into, to + i, arguments)
        if whole < count:
            _write(values, at + whole, values, at + whole, arguments)
            for i in range(whole, count):
                into[to + i] = values[at + i]
