"""Squared magnitudes of one to four frames, with the vector registers full.

A frame is split over the lanes: sample `k` stands in lane `k mod S`, where `S` is the radix of the transform's last
stage, 2 or 4. The other stages work on `S` shorter transforms side by side, for `8 / S` frames at once, or for half of
them in four lanes. The last stage then takes `S` neighbouring values of each of them into one register. Every number is
computed by the arithmetic of `transform_in_lanes`, so it has the same bits.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from spectronorm.kernels.fft.butterflies import BUTTERFLIES, Butterfly
from spectronorm.kernels.fft.lanes import DOUBLES, NARROW, Lanes, Numbers, Value, shuffled_lanes
from spectronorm.kernels.fft.plan import Plan
from spectronorm.kernels.fft.stages import half, is_even, narrow_stage, stage, times_conjugate
from spectronorm.kernels.fft.transform_in_lanes import Stages
from spectronorm.kernels.jit import njit

_RADICES = (2, 4)
_Floats = NDArray[np.floating[Any]]


def frames_at_once(plan: Plan) -> int:
    """Return the number of frames that `power_of_few` transforms at once, or 0 if it cannot."""
    radix = int(plan.radices[0]) if len(plan.radices) else 0
    if radix not in _RADICES or len(plan.radices) < 2 or (plan.n // radix - 1) // 2 < radix:
        return 0
    return DOUBLES // radix


def roots_of_stage(plan: Plan, number: int, frames: int) -> NDArray[np.float64]:
    """Return the roots of unity of a stage, `(part, cosine or sine, pair, frame)` without part 0, flat.

    They are repeated for each frame of those that are transformed at once; the last stage has the number 0.
    """
    radix = int(plan.radices[number])
    pairs = (plan.n // int(np.prod(plan.radices[: number + 1])) - 1) // 2
    start, count = int(plan.starts[number]), pairs * 2 * (radix - 1)
    roots = plan.roots[start : start + count].reshape(pairs, radix - 1, 2)
    wide = np.repeat(roots.transpose(1, 2, 0)[..., None], frames, axis=-1)
    return np.ascontiguousarray(wide.reshape(-1), np.float64)


def _first_of(frames: int, part: int, width: int) -> list[int]:
    """Return the lanes of one part, again and again."""
    return [part * frames + lane % frames for lane in range(width)]


def shuffled(one: Value, other: Value, lanes: list[int]) -> Value:
    """Return these lanes of two values, counted through both."""
    return Value(one.builder, shuffled_lanes(one.builder, one.written, other.written, lanes))


def by_part(rows: list[Value], frames: int) -> list[Value]:
    """Transpose rows `(part, frame)`, one for each value, into rows `(value, frame)`, one for each part."""
    rows, block, width = list(rows), 1, len(rows) * frames
    lanes = range(width)
    while block < len(rows):
        far = block * frames
        kept = [j if not j // frames & block else j - far + width for j in lanes]
        moved = [j + far if not j // frames & block else j + width for j in lanes]
        for i in (i for i in range(len(rows)) if not i & block):
            pair = rows[i], rows[i + block]
            rows[i], rows[i + block] = shuffled(*pair, kept), shuffled(*pair, moved)
        block *= 2
    return rows


def power(one: tuple[Value, ...]) -> Value:
    """Return the squared magnitude of a real or a complex value."""
    squared = one[0] * one[0]
    return squared if len(one) == 1 else squared + one[1] * one[1]


def _write(arrays: tuple[Numbers, ...], inner: Value, radix: int, butterfly: Butterfly) -> None:
    """Emit the last stage of a transform whose parts stand in the lanes, as squared magnitudes `(bin, frame)`."""
    (x, roots, out), builder = arrays, inner.builder
    width = x.lanes.width
    frames, parts, pairs = width // radix, range(radix), half(inner - 1)
    backwards = [width - frames - lane // frames * frames + lane % frames for lane in range(width)]

    def split(row: Value) -> list[Value]:
        return [shuffled(row, row, _first_of(frames, part, width)) for part in parts]

    # These write more lanes than they have, which the loop then overwrites.
    first = butterfly.first(split(x[(inner - inner) * width]))
    out[inner - inner] = power((first[0],))
    for m in range(1, radix, 2):
        out[half(inner * (m + 1)) * frames] = power(tuple(first[m : m + 2]))
    if butterfly.half is not None:
        with builder.if_then(is_even(inner)):
            middle = butterfly.half(split(x[(inner - 1) * width]))
            for m in range(0, radix, 2):
                out[half(inner * (m + 1)) * frames] = power(tuple(middle[m : m + 2]))
    shift = inner.written.type(radix.bit_length() - 1)
    blocks = builder.ashr((pairs + (radix - 1)).written, shift)
    last = pairs - radix
    with cgutils.for_range(builder, blocks) as loop:
        wanted = Value(builder, loop.index) * radix
        beyond = builder.icmp_signed(">", wanted.written, last.written)
        # The last block begins early, so that it has no pair too many.
        pair = Value(builder, builder.select(beyond, last.written, wanted.written))
        row = pair * (2 * width)
        re = by_part([x[row + width * (2 * i + 1)] for i in parts], frames)
        im = by_part([x[row + width * (2 * i + 2)] for i in parts], frames)
        values = [(re[0], im[0])]
        for part in parts[1:]:
            c = roots[(pairs * (2 * (part - 1)) + pair) * frames]
            s = roots[(pairs * (2 * (part - 1) + 1) + pair) * frames]
            values.append(times_conjugate(re[part], im[part], c, s))
        for m, one in enumerate(butterfly.rest(values)):
            if m % 2:
                found = power(one)
                out[(inner * ((m + 1) // 2) - pair - radix) * frames] = shuffled(found, found, backwards)
            else:
                out[(inner * (m // 2) + pair + 1) * frames] = power(one)


def _last_across(lanes: Lanes) -> Any:
    """Return the code of the last stage in these lanes."""

    def last_stage(typing: Any, radix: Any, x: Any, roots: Any, out: Any, inner: Any) -> Any:
        del typing, radix, inner

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            flat = tuple(Numbers(context, builder, signature.args[i], arguments[i], lanes) for i in (1, 2, 3))
            write = partial(_write, flat, Value(builder, arguments[4]))
            for known in _RADICES:
                with builder.if_then(builder.icmp_signed("==", arguments[0], arguments[0].type(known))):
                    write(known, BUTTERFLIES[known])
            return context.get_dummy_value()

        return types.void(types.intp, x, roots, out, types.intp), generate

    return last_stage


_last_stage_across: Any = intrinsic(_last_across(Lanes(types.float64, DOUBLES)))
_last_stage_across_four: Any = intrinsic(_last_across(NARROW))


@njit(cache=True, nogil=True)
def power_of_few(
    plan: Stages, n: int, narrow: bool, roots: _Floats, frames: _Floats, other: _Floats, out: _Floats
) -> None:
    """Write squared magnitudes `(bin, frame)` of windowed frames `(sample, frame)`, flat; `frames` is overwritten.

    There are `frames_at_once` of them, of `n` samples, or half of that if `narrow`; `out` has room for 8 more numbers.
    `roots` are the `roots_of_stage` of the last stage, for these frames.
    """
    radices, starts, all_roots = plan
    split = n // radices[0]
    before = split
    for i in range(len(radices) - 1, 0, -1):
        inner = split // before
        before //= radices[i]
        if narrow:
            narrow_stage(radices[i], frames, other, inner, before, all_roots, starts[i])
        else:
            stage(radices[i], frames, other, inner, before, all_roots, starts[i])
        frames, other = other, frames
    if narrow:
        _last_stage_across_four(radices[0], frames, roots, out, split)
    else:
        _last_stage_across(radices[0], frames, roots, out, split)
