"""Stages of the real DFT: the butterflies of each radix, in loops over the parts of the transform.

They are written straight into LLVM's code, because numba would take seconds to type and lower each of their operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from specnorm.fourier.butterflies import BUTTERFLIES, Butterfly, Complex
from specnorm.fourier.lanes import Numbers, Value


def _turned(x: Numbers, at: Value, roots: Numbers, root: Value) -> Complex:
    """A complex value, turned back by a root of unity."""
    c, s = roots.everywhere(root), roots.everywhere(root + 1)
    re, im = x[at - x.lanes.width], x[at]
    return c * re + s * im, c * im - s * re


def _write_stage(radix: int, butterfly: Butterfly, arrays: Sequence[Numbers], numbers: Sequence[Value]) -> None:
    """`before` transforms of `radix` parts of `inner` numbers each, side by side in x, one after the other in y."""
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
            even = builder.icmp_signed("==", builder.and_(inner.written, inner.written.type(1)), inner.written.type(0))
            with builder.if_then(even):
                for m, value in enumerate(butterfly.half([x[p + last + step * part] for part in parts])):
                    y[o + row * m if m % 2 else o + row * m + last] = value
        pairs = builder.ashr((inner - 1).written, inner.written.type(1))
        with cgutils.for_range(builder, pairs) as pair:
            index = Value(builder, pair.index)
            i = (index + 1) * (2 * width)
            q, root = p + i, start + index * (2 * (radix - 1))
            turned = [_turned(x, q + step * part, roots, root + 2 * (part - 1)) for part in parts[1:]]
            for m, (re, im) in enumerate(butterfly.rest([(x[q - width], x[q]), *turned])):
                at = o + row * (m + 1) - i if m % 2 else o + row * m + i
                y[at - width], y[at] = re, im


def _stage(radix: int) -> Any:
    butterfly = BUTTERFLIES[radix]

    def stage(typing: Any, x: Any, y: Any, inner: Any, before: Any, roots: Any, start: Any) -> Any:
        del typing, inner, before, start

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            arrays = [Numbers(context, builder, signature.args[i], arguments[i]) for i in (0, 1, 4)]
            numbers = [Value(builder, arguments[i]) for i in (2, 3, 5)]
            _write_stage(radix, butterfly, arrays, numbers)
            return context.get_dummy_value()

        return types.void(x, y, types.intp, types.intp, roots, types.intp), generate

    stage.__name__ = stage.__qualname__ = f"stage_{radix}"
    return intrinsic(stage)


stage_2, stage_3, stage_4, stage_5, stage_7 = (_stage(radix) for radix in (2, 3, 4, 5, 7))
"""`stage_4(x, y, inner, before, roots, start)`: from the flat array x to y, with this stage's roots from `start` on."""
