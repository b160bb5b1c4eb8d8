"""One reading of a clip's samples, compiled: see `recorded`."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from spectronorm.kernels.fft.lanes import SINGLES, Numbers, Value, data_of
from spectronorm.kernels.jit import njit
from spectronorm.monitor.clips.bands_in_lanes import folded, larger
from spectronorm.monitor.clips.recorded import BLOCK_SAMPLES, NEAR_PEAK, TOP_STRIDE

_VECTORS = 4
"""Number of vectors that are read together: one chain of additions would leave units idle."""
_TOGETHER = _VECTORS * SINGLES
_MAGNITUDE = np.int32(0x7FFFFFFF)
_functions: Any = cgutils


def _added(builder: Any, one: Any, other: Any) -> Any:
    return builder.fadd(one, other)


def _heard_together(typing: Any, samples: Any, at: Any, times: Any, magnitudes: Any, squares: Any) -> Any:
    del typing, at, times

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del signature
        numbers = Numbers(context, builder, samples, arguments[0])
        whole = ir.VectorType(ir.IntType(32), SINGLES)
        mask = ir.Constant(whole, [int(_MAGNITUDE)] * SINGLES)
        none, zero = ir.Constant(whole, [0] * SINGLES), ir.Constant(numbers.lanes.vector, [0.0] * SINGLES)
        rooms = [[_functions.alloca_once_value(builder, start) for start in (none, zero)] for _ in range(_VECTORS)]
        with _functions.for_range(builder, arguments[2]) as loop:
            first = Value(builder, arguments[1]) + Value(builder, loop.index) * _TOGETHER
            for vector, (highest, square) in enumerate(rooms):
                x = numbers[first + vector * SINGLES].written
                bits, before = builder.and_(builder.bitcast(x, whole), mask), builder.load(highest)
                builder.store(larger(builder, bits, before), highest)
                more = builder.fmul(x, x, flags=("contract",))
                builder.store(builder.fadd(builder.load(square), more, flags=("contract",)), square)
        for kind, array, number, join in zip(
            (magnitudes, squares), arguments[3:], (0, 1), (larger, _added), strict=True
        ):
            found = builder.load(rooms[0][number])
            for others in rooms[1:]:
                found = join(builder, found, builder.load(others[number]))
            data = data_of(context, builder, kind, array)
            builder.store(folded(builder, found, partial(join, builder)), data)
        return context.get_dummy_value()

    return types.void(samples, types.intp, types.intp, magnitudes, squares), generate


_hear_together: Any = intrinsic(_heard_together)
"""`(samples, at, times, magnitude, square)`: write the highest magnitude of samples, as bits, and the sum of squares.

There are that many times `_TOGETHER` samples, from `at` on.
"""


@njit(cache=True, nogil=True)
def heard_in_lanes(samples: NDArray[np.float32], highest: NDArray[np.int32]) -> tuple[float, float, int, bool]:
    """Peak, sum of squares, number of looked-at samples near the peak, and if all samples are equal.

    `highest` has room for one number a block; only blocks that come near the peak are read again. Without sign bits,
    floats have the order of their bits as integers, with NaN above all others.
    """
    bits = samples.view(np.int32)
    magnitude, of_lanes = np.empty(1, np.int32), np.empty(1, np.float32)
    square, top = 0.0, np.int32(0)
    for block in range(highest.size):
        begin, end = block * BLOCK_SAMPLES, min((block + 1) * BLOCK_SAMPLES, samples.size)
        times = (end - begin) // _TOGETHER
        _hear_together(samples, begin, times, magnitude, of_lanes)
        for i in range(begin + times * _TOGETHER, end):
            magnitude[0] = max(magnitude[0], np.int32(bits[i] & _MAGNITUDE))
            of_lanes[0] += samples[i] * samples[i]
        highest[block] = magnitude[0]
        top = max(top, magnitude[0])
        square += float(of_lanes[0])
    peak = float(np.int32(top).view(np.float32))
    alike = 1
    while alike < bits.size and bits[alike] == bits[0]:
        alike += 1
    flat = top == 0 or (alike == bits.size and not math.isnan(peak))  # A zero may have either sign.
    near = 0
    if not flat and peak < math.inf:
        enough = np.float32(NEAR_PEAK * peak)
        for block in range(highest.size):
            if np.int32(highest[block]).view(np.float32) >= enough:
                for i in range(block * BLOCK_SAMPLES, min((block + 1) * BLOCK_SAMPLES, samples.size), TOP_STRIDE):
                    near += abs(samples[i]) >= enough
    return peak, square, near, flat
