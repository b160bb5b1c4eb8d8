"""One clip's features added to the sums of a window, which is then read: one call of a kernel in place of four."""

from __future__ import annotations

import math

import numpy as np

from spectronorm.arrays import Floats, Integers
from spectronorm.kernels.jit import kernel
from spectronorm.monitor.clips.baseline import UNIT_SCORE
from spectronorm.monitor.clips.moments import LARGEST, UNIT, FeatureMoments
from spectronorm.monitor.threshold import MIN_CLIPS, window_statistic


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
    for f in range(features.size):
        held = min(max(features[f], -LARGEST), LARGEST)
        moments[0, f] += np.int64(np.rint(held * UNIT))
        moments[1, f] += np.int64(np.rint(held * held * UNIT))
    known = ordered.shape[1]
    for j in range(columns.size):
        x, low, high = features[columns[j]], 0, known
        while low < high:
            middle = (low + high) // 2
            if ordered[j, middle] < x:
                low = middle + 1
            else:
                high = middle
        above, high = low, known
        if above < known and ordered[j, above] == x:
            while above < high:
                middle = (above + high) // 2
                if ordered[j, middle] == x:
                    above = middle + 1
                else:
                    high = middle
        score = table[low + above]
        open_pane[j] += score
        panes[0, j] += score
    clips[0] += 1
    best, best_panes, feature = 0.0, 0, 0
    total, count, horizon = np.zeros(columns.size, np.int64), 0, 0
    for age in range(panes.shape[0]):
        count += clips[age]
        for j in range(total.size):
            total[j] += panes[age, j]
        if horizon < horizon_panes.size and horizon_panes[horizon] == age + 1:
            horizon += 1
            if count >= MIN_CLIPS:
                largest = 0
                for j in range(total.size):
                    largest = max(largest, abs(total[j]))
                statistic = largest / (UNIT_SCORE * math.sqrt(count))
                if statistic > best:
                    best, best_panes, feature = statistic, age + 1, 0
                    while abs(total[feature]) != largest:
                        feature += 1
    return best, best_panes, feature
