"""One clip's features added to the sums of a window, which is then read: one call of a kernel in place of four."""

from __future__ import annotations

import numpy as np

from spectronorm.arrays import Floats, Integers
from spectronorm.kernels.jit import called, kernel
from spectronorm.monitor.clips.moments import LARGEST, UNIT, FeatureMoments
from spectronorm.monitor.threshold import read_window, window_statistic


def _add_clip_by_numpy(
    features: Floats,
    clip_sums: Integers,
    columns: Integers,
    ordered: Floats,
    table: Integers,
    band_sums: Integers,
    moments: Integers,
    open_pane: Integers,
    panes: Integers,
    clips: Integers,
    horizon_panes: Integers,
) -> tuple[float, int, int]:
    band_sums += clip_sums
    moments += FeatureMoments.of(features).sums
    x = features[columns]
    twice = [
        np.searchsorted(row, v, "left") + np.searchsorted(row, v, "right") for row, v in zip(ordered, x, strict=True)
    ]
    scores = table[np.array(twice, dtype=np.int64)]
    open_pane += scores
    panes[0] += scores
    clips[0] += 1
    reading = window_statistic(panes, clips, horizon_panes)
    return reading.statistic, reading.panes, reading.feature


@called
def _add_moments(features: Floats, moments: Integers) -> None:
    for f in range(features.size):
        held = min(max(features[f], -LARGEST), LARGEST)
        moments[0, f] += np.int64(np.rint(held * UNIT))
        moments[1, f] += np.int64(np.rint(held * held * UNIT))


@called
def _twice_rank(known: Floats, x: float) -> int:
    """The number of sorted values below `x`, and the number of those not above it, added up."""
    low, high = 0, known.size
    while low < high:
        middle = (low + high) // 2
        if known[middle] < x:
            low = middle + 1
        else:
            high = middle
    below, high = low, known.size
    if below < known.size and known[below] == x:
        while low < high:
            middle = (low + high) // 2
            if known[middle] == x:
                low = middle + 1
            else:
                high = middle
    return below + low


@kernel(_add_clip_by_numpy, cache=True, nogil=True)
def add_clip(
    features: Floats,
    clip_sums: Integers,
    columns: Integers,
    ordered: Floats,
    table: Integers,
    band_sums: Integers,
    moments: Integers,
    open_pane: Integers,
    panes: Integers,
    clips: Integers,
    horizon_panes: Integers,
) -> tuple[float, int, int]:
    """Add one clip, and return the numbers of a `WindowReading`.

    Args:
        features: Features of the clip, `(feature,)`.
        clip_sums: Sums of the clip's bands, `(band,)`.
        columns: Columns of the features that have scores.
        ordered: Sorted values of the training clips, `(score, clip)`.
        table: Score of each doubled rank.
        band_sums: Sums of the bands of clips, `(band,)`.
        moments: Sums `(2, feature)` of the pane that is being filled.
        open_pane: Sums of scores `(score,)` of the pane that is being filled.
        panes: Sums of scores `(pane, score)` of all panes, newest first.
        clips: Number of clips in each pane.
        horizon_panes: Number of panes in each horizon, ascending.
    """
    for band in range(clip_sums.size):
        band_sums[band] += clip_sums[band]
    _add_moments(features, moments)
    for j in range(columns.size):
        score = table[_twice_rank(ordered[j], features[columns[j]])]
        open_pane[j] += score
        panes[0, j] += score
    clips[0] += 1
    return read_window(panes, clips, horizon_panes)
