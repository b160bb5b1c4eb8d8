"""Integration of a phase gradient in Python, for systems without a compiler: one or two seconds for each clip."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TOLERANCE_DB = -120.0
"""Cells this far below the loudest get a random phase."""
BUCKETS_IN_DB = 8
"""Cells are taken in order of magnitude up to 1/8 dB: a queue of buckets is several times faster than a binary heap."""


def integrate(
    s: NDArray[np.float32],
    noise: NDArray[np.float32],
    to_time: float,
    advance: float,
    in_bucket: float,
    phase: NDArray[np.float64],
) -> None:
    """Integrate from the loudest cell to its neighbours, always going on from the loudest cell reached so far.

    `s` is the log magnitude (at most 0) `(frame, bin)`. Cells of one bucket are taken last reached first.
    """
    bins = s.shape[1]
    by_time, by_bin = (gradient.ravel().tolist() for gradient in _gradients(s, to_time, advance))
    buckets = int(-TOLERANCE_DB * BUCKETS_IN_DB) + 1
    bucket = np.clip(buckets - 1 + (s.astype(np.float64) * in_bucket).astype(np.int64), 0, buckets - 1).ravel()
    quiet = (s <= np.float32(TOLERANCE_DB * np.log(10.0) / 20.0)).ravel()
    done, out, of_cell = quiet.tolist(), np.where(quiet, noise.ravel(), 0.0).tolist(), bucket.tolist()
    loud = np.flatnonzero(~quiet)
    for start in loud[np.argsort(-bucket[loud], kind="stable")].tolist():
        if not done[start]:
            done[start] = True
            _spread(start, bins, (by_time, by_bin), of_cell, done, out)
    phase[:] = np.reshape(out, phase.shape)


def _spread(
    start: int,
    bins: int,
    gradients: tuple[list[float], list[float]],
    bucket: list[int],
    done: list[bool],
    out: list[float],
) -> None:
    """Reach every cell that a path of cells that are not done leads to from `start`."""
    by_time, by_bin = gradients
    cells = len(out)
    waiting: dict[int, list[int]] = {bucket[start]: [start]}
    b = bucket[start]
    while b >= 0:
        if not waiting.get(b):
            b -= 1
            continue
        i = waiting[b].pop()
        k = i % bins
        for j, gradient, sign, there in (
            (i + bins, by_time, 0.5, i + bins < cells),
            (i - bins, by_time, -0.5, i >= bins),
            (i + 1, by_bin, 0.5, k + 1 < bins),
            (i - 1, by_bin, -0.5, k > 0),
        ):
            if there and not done[j]:
                out[j] = out[i] + sign * (gradient[i] + gradient[j])
                done[j] = True
                waiting.setdefault(bucket[j], []).append(j)
                b = max(b, bucket[j])


def _gradients(s: NDArray[np.float32], to_time: float, advance: float) -> tuple[NDArray[np.float64], ...]:
    """Return the increase of the phase from frame to frame, and from bin to bin, in radians."""
    by_time, by_bin = np.zeros(s.shape), np.zeros(s.shape)
    by_time[:, 1:-1] = 0.5 * (s[:, 2:] - s[:, :-2])
    by_bin[1:-1] = 0.5 * (s[2:] - s[:-2])
    return to_time * by_time + advance * np.arange(s.shape[1]), -by_bin / to_time
