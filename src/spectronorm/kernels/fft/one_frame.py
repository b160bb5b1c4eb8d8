"""Squared magnitudes of one frame, with the vector registers full.

Sample `k` stands in lane `k mod 8`, where the radices of the transform's last two stages are 2 and 4. The other stages
work on eight shorter transforms side by side. The stage before the last then takes eight neighbouring pairs of values
of each of them, and leaves real and imaginary parts apart, which the last stage reads eight pairs at a time. Every
number is computed by the arithmetic of `transform_in_lanes`, so it has the same bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from spectronorm.kernels.fft.butterflies import BUTTERFLIES
from spectronorm.kernels.fft.few_frames import by_part, power, shuffled
from spectronorm.kernels.fft.lanes import DOUBLES, Numbers, Value
from spectronorm.kernels.fft.plan import Plan
from spectronorm.kernels.fft.stages import half, is_even, stage, times_conjugate
from spectronorm.kernels.fft.transform_in_lanes import Stages
from spectronorm.kernels.jit import njit

_LAST, _BEFORE = 2, 4
_BACKWARDS = list(range(DOUBLES - 1, -1, -1))
_Floats = NDArray[np.floating[Any]]
_functions: Any = cgutils


def takes_one(plan: Plan) -> bool:
    """Return if `power_of_one` can transform a frame."""
    radices = plan.radices.tolist()
    return len(radices) > 2 and radices[:2] == [_LAST, _BEFORE] and (plan.n // DOUBLES - 1) // 2 >= DOUBLES


def _blocks(builder: Any, pairs: Value) -> Any:
    """Return the loop over blocks of pairs."""
    return _functions.for_range(builder, builder.ashr((pairs + (DOUBLES - 1)).written, ir.Constant(ir.IntType(64), 3)))


def _first_pair(builder: Any, pairs: Value, block: Any) -> Value:
    """Return the first pair of a block; the last block begins early, so that it has no pair too many."""
    wanted, last = Value(builder, block) * DOUBLES, pairs - DOUBLES
    beyond = builder.icmp_signed(">", wanted.written, last.written)
    return Value(builder, builder.select(beyond, last.written, wanted.written))


def _turned(parts: list[tuple[Value, Value]], roots: Numbers, pairs: Value, pair: Value) -> list[tuple[Value, Value]]:
    """Return the parts after the first one multiplied by the conjugates of their roots."""
    turned = [parts[0]]
    for part, (re, im) in enumerate(parts[1:], 1):
        c, s = (roots[pairs * (2 * (part - 1) + i) + pair] for i in (0, 1))
        turned.append(times_conjugate(re, im, c, s))
    return turned


class _Halves:
    """The two transforms whose results the last stage joins: real parts of each, then its imaginary parts.

    Behind both stand the first values of the two, and their last ones, which are real.
    """

    def __init__(self, out: Numbers, inner: Value) -> None:
        self._out, size = out, inner * 2
        self.real = [size * (2 * b) for b in range(_LAST)]
        self.imaginary = [place + size for place in self.real]
        self._ends = inner * 8

    def put(self, at: Value, re: Value, im: Value) -> None:
        """Write one pair of each transform, and meaningless numbers behind it, which later pairs overwrite."""
        for b in range(_LAST):
            self._out[self.real[b] + at] = shuffled(re, re, [b] * DOUBLES)
            self._out[self.imaginary[b] + at] = shuffled(im, im, [b] * DOUBLES)

    def put_ends(self, first: Value, last: Value) -> None:
        """Write the real values."""
        for at, found in ((0, first), (_LAST, last)):
            for b in range(_LAST):
                self._out[self._ends + (at + b)] = shuffled(found, found, [b] * DOUBLES)


def _write_halves(arrays: tuple[Numbers, ...], inner: Value) -> None:
    """Emit the stage before the last."""
    (x, roots, out), builder, halves = arrays, inner.builder, _Halves(arrays[2], inner)
    butterfly, parts, pairs = BUTTERFLIES[_BEFORE], range(_BEFORE), half(inner - 1)

    def split(row: Value) -> list[Value]:
        return [shuffled(row, row, [_LAST * part + lane % _LAST for lane in range(DOUBLES)]) for part in parts]

    first = butterfly.first(split(x[inner - inner]))
    halves.put(inner - 1, first[1], first[2])
    if butterfly.half is not None:
        with builder.if_then(is_even(inner)):
            middle = butterfly.half(split(x[(inner - 1) * DOUBLES]))
            for m in (0, 2):
                halves.put(half(inner * (m + 1)) - 1, middle[m], middle[m + 1])
    with _blocks(builder, pairs) as loop:
        pair = _first_pair(builder, pairs, loop.index)
        row = pair * (2 * DOUBLES)
        re, im = (by_part([x[row + DOUBLES * (2 * i + odd)] for i in range(DOUBLES)], 1) for odd in (1, 2))
        for b in range(_LAST):
            values = [(re[_LAST * part + b], im[_LAST * part + b]) for part in parts]
            for m, (r, i) in enumerate(butterfly.rest(_turned(values, roots, pairs, pair))):
                at = inner * (m // 2) + pair
                if m % 2:
                    at = inner * ((m + 1) // 2) - pair - (DOUBLES + 1)
                    r, i = (shuffled(one, one, _BACKWARDS) for one in (r, i))  # noqa: PLW2901
                out[halves.real[b] + at], out[halves.imaginary[b] + at] = r, i
    halves.put_ends(first[0], first[3])


def _write_powers(arrays: tuple[Numbers, ...], inner: Value) -> None:
    """Emit the last stage, as squared magnitudes."""
    (x, roots, out), builder = arrays, inner.builder
    butterfly, pairs, ends = BUTTERFLIES[_LAST], half(inner - 1), inner * 2
    first = butterfly.first([x.everywhere(ends + b) for b in range(_LAST)])
    out[inner - inner] = power((first[0],))
    out[inner] = power((first[1],))
    if butterfly.half is not None:
        middle = butterfly.half([x.everywhere(ends + (_LAST + b)) for b in range(_LAST)])
        out[half(inner)] = power(tuple(middle))
    size = half(inner)
    with _blocks(builder, pairs) as loop:
        pair = _first_pair(builder, pairs, loop.index)
        values = [(x[size * (2 * b) + pair], x[size * (2 * b + 1) + pair]) for b in range(_LAST)]
        ascending, descending = (power(one) for one in butterfly.rest(_turned(values, roots, pairs, pair)))
        out[pair + 1] = ascending
        out[inner - pair - DOUBLES] = shuffled(descending, descending, _BACKWARDS)


def _stage(write: Any) -> Any:
    def one_stage(typing: Any, x: Any, roots: Any, out: Any, inner: Any) -> Any:
        del typing, inner

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            flat = tuple(Numbers(context, builder, signature.args[i], arguments[i]) for i in range(3))
            write(flat, Value(builder, arguments[3]))
            return context.get_dummy_value()

        return types.void(x, roots, out, types.intp), generate

    return one_stage


_stage_before_the_last: Any = intrinsic(_stage(_write_halves))
_last_stage: Any = intrinsic(_stage(_write_powers))


@njit(cache=True, nogil=True)
def power_of_one(
    plan: Stages, n: int, last: _Floats, before_it: _Floats, frame: _Floats, other: _Floats, out: _Floats
) -> None:
    """Write the squared magnitudes `(bin,)` of a windowed frame of `n` samples, which is overwritten.

    `last` and `before_it` are the plan's `roots_of_stage` of these stages; `other` has room for 16 more numbers than
    `n`, and `out` for 8 more than there are bins.
    """
    radices, starts, all_roots = plan
    split = n // DOUBLES
    before = split
    for i in range(len(radices) - 1, 1, -1):
        inner = split // before
        before //= radices[i]
        stage(radices[i], frame, other, inner, before, all_roots, starts[i])
        frame, other = other, frame
    _stage_before_the_last(frame, before_it, other, split)
    _last_stage(other, last, out, 4 * split)
