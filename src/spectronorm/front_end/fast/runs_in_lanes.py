"""Sums over runs of bins for few frames: neighbouring bands side by side in eight lanes.

A band whose run is shorter than the longest of its group has weights of zero. So one loop serves a group of bands,
where a loop for each band ends at another length each time, which processors guess wrong. Every sum has the order, and
so the bits, of `BandRuns.gather`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from spectronorm.front_end.bands.runs import BandRuns
from spectronorm.kernels.fft.lanes import DOUBLES, data_of, shuffled_lanes

_functions: Any = cgutils
_DOUBLE, _LONG = ir.DoubleType(), ir.IntType(64)


def grouped(runs: BandRuns, frames: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return weights `(group, bin, band)`, flat, and for each group its number of bins and the first bin of each band.

    Bands and frames of a group fill the lanes. All bins that are read are bins of the matrix.
    """
    bands, bins = runs.matrix.shape
    together = DOUBLES // frames
    weights, starts = [], []
    for group in range(0, bands, together):
        members = range(group, min(group + together, bands))
        longest = max(int(runs.stop[band] - runs.first[band]) for band in members)
        begin = [min(int(runs.first[band]), bins - longest) for band in members] + [0] * (together - len(members))
        rows = np.zeros((together, longest))
        for row, band in zip(rows, members, strict=False):
            at = int(runs.first[band]) - begin[band - group]
            run = runs.matrix[band, runs.first[band] : runs.stop[band]]
            row[at : at + len(run)] = run
        weights.append(rows.T.reshape(-1))
        starts += [longest, *begin]
    return np.concatenate(weights), np.array(starts, dtype=np.int64)


def _vector(width: int) -> Any:
    return ir.VectorType(_DOUBLE, width)


def _loaded(builder: Any, data: Any, at: Any, width: int) -> Any:
    place = builder.bitcast(builder.gep(data, [at]), ir.PointerType(_vector(width)))
    return builder.load(place, align=8)


def _joined(builder: Any, parts: list[Any]) -> Any:
    """Return vectors one behind the other as one vector."""
    while len(parts) > 1:
        width = 2 * parts[0].type.count
        parts = [
            shuffled_lanes(builder, a, b, list(range(width))) for a, b in zip(parts[::2], parts[1::2], strict=True)
        ]
    return parts[0]


def _summing(frames: int) -> Any:
    """Return the code for powers of this number of frames."""
    together = DOUBLES // frames

    def sum_runs(typing: Any, powers: Any, runs: Any, bands: Any, level: Any, there: Any) -> Any:
        del typing, bands, there

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            del signature
            whole = partial(ir.Constant, _LONG)

            data = partial(data_of, context, builder)
            values, sums = data(powers, arguments[0]), data(level, arguments[3])
            weights, starts = (data(kind, builder.extract_value(arguments[1], i)) for i, kind in enumerate(runs))
            weight, start = (_functions.alloca_once_value(builder, whole(0)) for _ in range(2))
            groups = builder.sdiv(builder.add(arguments[2], whole(together - 1)), whole(together))
            with _functions.for_range(builder, groups) as group:
                first = builder.load(start)
                bins = builder.load(builder.gep(starts, [first]))
                places = [
                    builder.mul(builder.load(builder.gep(starts, [builder.add(first, whole(1 + band))])), whole(frames))
                    for band in range(together)
                ]
                begin = builder.load(weight)
                total = _functions.alloca_once_value(builder, ir.Constant(_vector(DOUBLES), [0.0] * DOUBLES))
                with _functions.for_range(builder, bins) as loop:
                    step = builder.mul(loop.index, whole(frames))
                    parts = [_loaded(builder, values, builder.add(place, step), frames) for place in places]
                    own = builder.add(begin, builder.mul(loop.index, whole(together)))
                    by = _loaded(builder, weights, own, together)
                    by = shuffled_lanes(builder, by, by, [lane // frames for lane in range(DOUBLES)])
                    product = builder.fmul(by, _joined(builder, parts))
                    builder.store(builder.fadd(builder.load(total), product), total)
                found = builder.load(total)
                for band in range(together):
                    one = shuffled_lanes(builder, found, found, list(range(band * frames, (band + 1) * frames)))
                    number = builder.add(builder.mul(group.index, whole(together)), whole(band))
                    place = builder.gep(sums, [builder.mul(number, arguments[4])])
                    builder.store(one, builder.bitcast(place, ir.PointerType(one.type)), align=8)
                builder.store(builder.add(begin, builder.mul(bins, whole(together))), weight)
                builder.store(builder.add(first, whole(1 + together)), start)
            return context.get_dummy_value()

        return types.void(powers, runs, types.intp, level, types.intp), generate

    return sum_runs


sum_runs_of_one: Any = intrinsic(_summing(1))
sum_runs_of_two: Any = intrinsic(_summing(2))
sum_runs_of_four: Any = intrinsic(_summing(4))
"""`sum_runs_of_four(powers, (weights, starts), bands, level, there)`: write the sums of flat powers `(bin, frame)` of
four frames to a flat level `(band, frame)` of `there` frames, with room for seven bands more.
"""
