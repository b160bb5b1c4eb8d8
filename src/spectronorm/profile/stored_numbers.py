"""Numbers of a stored profile, checked: shapes, types, and what no measurement can give."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.front_end import AnyFrontEnd
from spectronorm.profile.counting import clip_histograms, int128
from spectronorm.profile.counting.layout import NONE_ABOVE, PRODUCTS
from spectronorm.profile.counting.measurement import DIGEST_BYTES, Measurement, sorted_digests
from spectronorm.storage import container

BAND_FIELDS = ("count", "total", "lowest", "highest", "on_floor", "lowest_above", "flat_count", "flat_total")
CLIP_FIELDS = ("rms", "peak", "length")
WIDE_FIELDS = ("squares", "flat_squares", "products")


def check_shapes(tensors: container.Tensors, groups: int, bands: int) -> None:
    """Reject tensors of a wrong shape or type; raises `ValueError`."""
    shapes = dict.fromkeys((*BAND_FIELDS, "histogram_first", "histogram_length"), (groups, bands))
    shapes |= {"rms": (groups, clip_histograms.DBFS_CELLS), "peak": (groups, clip_histograms.DBFS_CELLS)}
    shapes |= {"length": (groups, clip_histograms.LENGTH_CELLS)}
    wide_shapes = {
        "squares": (groups, bands, int128.LIMBS),
        "flat_squares": (groups, bands, int128.LIMBS),
        "products": (groups, bands + 1, PRODUCTS, int128.LIMBS),
    }
    for name, shape in (shapes | wide_shapes).items():
        tensor = tensors[name]
        demand(tensor.shape == shape and tensor.dtype == np.int64, f"{name} is not int64 {shape}")
    digests, histogram = tensors["digests"], tensors["histogram"]
    demand(
        digests.ndim == 2 and digests.shape[1] == DIGEST_BYTES and digests.dtype == np.uint8,
        "digests are invalid",
    )
    demand(histogram.ndim == 1 and np.issubdtype(histogram.dtype, np.unsignedinteger), "the histogram is off")


def check_measurement(m: Measurement, front_end: AnyFrontEnd) -> None:
    """Reject numbers that no measurement can give; raises `ValueError`."""
    grid = front_end.grid
    low, high = int(np.floor(grid.low * grid.steps)), int(np.ceil(grid.high * grid.steps))
    demand(0 < m.clips <= m.population and m.flat <= m.clips <= m.samples, "clip counts contradict each other")
    demand(
        bool((m.count > 0).all() and ((m.on_floor >= 0) & (m.on_floor <= m.count)).all()),
        "cell counts are invalid",
    )
    demand(bool((m.histogram.sum(axis=1) == m.count).all()), "the histogram does not add up to the count")
    demand(bool(((low <= m.lowest) & (m.lowest <= m.highest) & (m.highest <= high)).all()), "extremes are invalid")
    for name in CLIP_FIELDS:
        counts = getattr(m, name)
        demand(
            bool((counts >= 0).all()) and int(counts.sum()) == m.clips,
            f"{name} does not count each clip once",
        )
    none_above = m.on_floor == m.count
    demand(bool(((m.lowest_above == NONE_ABOVE) == none_above).all()), "a level above the floor is off")
    inside = (m.lowest <= m.lowest_above) & (m.lowest_above <= m.highest)
    demand(bool((inside | none_above).all()), "a level above the floor is off")
    demand(bool(((m.flat_count > 0) == (m.flat > 0)).all()), "cells of flat clips are invalid")
    demand(all(int128.is_normal(getattr(m, name)) for name in WIDE_FIELDS), "a wide integer is not in normal form")
    squares, flat_squares = int128.to_integers(m.squares), int128.to_integers(m.flat_squares)
    _check_variances(m.count, m.total, squares)
    _check_variances(m.flat_count, m.flat_total, flat_squares)
    _check_variances(m.count - m.flat_count, m.total - m.flat_total, squares - flat_squares)
    demand(np.array_equal(m.digests, sorted_digests(m.digests)), "the digests are not in order")


def _check_variances(count: NDArray[np.int64], total: NDArray[np.int64], squares: NDArray[Any]) -> None:
    rows = zip(count.tolist(), total.tolist(), squares.tolist(), strict=True)
    demand(all(n >= 0 and q >= 0 and n * q >= s * s for n, s, q in rows), "a count or variance is negative")


def demand(condition: bool, problem: str) -> None:
    """Raise `ValueError` with this problem unless the condition holds."""
    if not condition:
        raise ValueError(problem)
