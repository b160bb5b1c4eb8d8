"""Gains, filters and band limits; and no change at all."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Floats
from spectronorm.monitor.change.causes.cause import Figures, Hypothesis, curves_over, fitted_curve, raised
from spectronorm.monitor.change.kind import Kind
from spectronorm.monitor.change.observed import Observed

_LEAST_DROP = 15.0
_CURVES_DB = (12.0, 12.0, 9.0, 7.0, 5.0, 4.0, 3.0)
_STILL: Figures = {
    "rms": (0.0, 0.3),
    "crest": (0.0, 0.7),
    "flux": (0.0, 0.04),
    "steadiest": (0.0, 0.04),
    "quiet spread": (0.0, 0.05),
    "loud spread": (0.0, 0.05),
    "onset": (0.0, 0.3),
}
"""Freedom of the figures behind a gain, which hardly changes them."""


def filters(o: Observed) -> Iterator[Hypothesis]:
    """Yield what moves each range as a whole."""
    yield Hypothesis(Kind.NOTHING, lambda levels, _: levels, lambda _: "", figures=_STILL)
    yield _gain(o)
    yield _smooth_filter(o)
    yield from _band_limits(o)


def _gain(o: Observed) -> Hypothesis:
    """A gain, which the bands follow unless waveforms are normalized."""
    reaches = 1.0 if o.gain_reaches else 0.0
    return Hypothesis(
        Kind.LEVEL,
        lambda levels, p: raised(levels, reaches * p[0], o.floor),
        lambda p: f"All clips are {abs(p[0]):.1f} dB {'louder' if p[0] > 0 else 'quieter'}.",
        start=o.figure("rms"),
        deviation=[15.0],
        figures=_STILL,
        follows=lambda p: {"rms": float(p[0])},
    )


def _smooth_filter(o: Observed) -> Hypothesis:
    """One smooth curve over the ranges, for quiet and loud moments alike."""
    curves = curves_over(o.ranges, len(_CURVES_DB))

    def says(p: Floats) -> str:
        curve = curves @ p
        low, high = int(curve.argmin()), int(curve.argmax())
        return (
            f"Bands moved smoothly, from {curve[low]:+z.0f} dB at {o.hz[low]:.0f} Hz to {curve[high]:+z.0f} dB at "
            f"{o.hz[high]:.0f} Hz, each as a whole."
        )

    still: Figures = dict.fromkeys(("flux", "steadiest", "quiet spread", "loud spread"), (0.0, 0.1))
    return Hypothesis(
        Kind.EQUALIZATION,
        lambda levels, p: raised(levels, (curves @ p)[:, None], o.floor),
        says,
        start=fitted_curve(curves, o.shift[:, 1:].mean(axis=1)),
        deviation=_CURVES_DB[: curves.shape[1]],
        figures={**still, "crest": (0.0, 2.0)},
    )


def _band_limits(o: Observed) -> Iterator[Hypothesis]:
    """Ranges beyond an edge are lost; those on either side of it may be lost in part."""
    ranges, moved = o.ranges, o.shift[:, 1:].mean(axis=1)
    edges = [(0, high) for high in range(3, ranges)]
    edges += [(low, high) for low in range(1, ranges // 2) for high in (ranges, *range(low + 4, ranges))]

    def rest(edge: tuple[int, int]) -> float:
        kept = _within(edge, ranges)
        return float(np.var(moved[kept]) * kept.sum() + np.var(moved[~kept]) * (~kept).sum())

    for edge in sorted(edges, key=rest)[:3]:
        kept = _within(edge, ranges)
        drop = float(np.median(moved[kept]) - np.median(moved[~kept]))
        if drop >= _LEAST_DROP:
            for in_part in (False, True):
                weight = -float(np.log(2 * len(edges)))
                yield _band_limit(o, edge, float(np.median(moved[kept])), drop, weight, in_part=in_part)


def _within(edge: tuple[int, int], ranges: int) -> NDArray[np.bool_]:
    place = np.arange(ranges)
    return np.asarray((place >= edge[0]) & (place < edge[1]))


def _band_limit(
    o: Observed, edge: tuple[int, int], gain: float, drop: float, weight: float, *, in_part: bool
) -> Hypothesis:
    """A band limit; `in_part`: the first range beyond the edge is not lost as much as those that follow."""
    low, high = edge
    kept, at_edge, beyond = _within(edge, o.ranges), np.zeros(o.ranges), np.zeros(o.ranges)
    if low > 0:
        at_edge[low] = beyond[low - 1] = 1.0
    if high < o.ranges:
        at_edge[high - 1] = beyond[high] = 1.0

    def cut(levels: Floats, p: Floats) -> Floats:
        lost = np.abs(p[1]) * (1.0 - beyond / (1.0 + np.exp(-p[3]))) if in_part else np.abs(p[1])
        by = np.where(kept, p[0] - at_edge * np.abs(p[2]), p[0] - lost)
        return raised(levels, by[:, None], o.floor)

    sides = [f"below about {o.hz[low]:.0f} Hz"] if low > 0 else []
    sides += [f"above about {o.hz[high]:.0f} Hz"] if high < o.ranges else []
    return Hypothesis(
        Kind.BAND_LIMIT,
        cut,
        lambda _: f"Everything {' and '.join(sides)} is gone; the other bands are as they were.",
        start=[gain, drop, 3.0, *([0.0] if in_part else [])],
        deviation=[6.0, 25.0, 8.0, *([1.0] if in_part else [])],
        centre=[0.0, 45.0, 0.0, *([0.0] if in_part else [])],
        figures={"quiet spread": (0.0, 0.4), "loud spread": (0.0, 0.4)},
        weight=weight,
    )
