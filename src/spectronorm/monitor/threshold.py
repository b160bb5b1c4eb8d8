"""Alarm statistic, and the threshold that keeps the accepted rate of false alarms.

The clips of a window are divided into panes. A horizon is the newest pane and the 0, 1, 3, 7, … panes before it; its
statistic is `max over features of |Σ score| / sqrt(clips)`, and the statistic of the window is the largest over its
horizons.

A deployment never repeats the training set, even when nothing is wrong: another fold or another day differs by more
than chance. The threshold is therefore calibrated on the training set's own groups: each group is played as a
deployment to a monitor that knows only the other groups.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy  # its module stats takes a third of a second to import, which SciPy does on first use

from spectronorm.arrays import Floats, Integers
from spectronorm.errors import ArgumentError
from spectronorm.kernels.jit import kernel, njit
from spectronorm.monitor.clips.baseline import UNIT_SCORE, Baseline

_MIN_CLIPS = 4
"""Smallest number of clips in a horizon."""
_CLIPS_PLAYED = 240_000
_MIN_STREAMS = 80
"""However long they are: a tail needs streams to be extrapolated from."""
_FIFTHS = 5
_SURE_TAIL = 20
"""A threshold exceeded by at least this number of simulated streams is counted; a rarer one is extrapolated."""


def horizons(panes: int) -> tuple[int, ...]:
    """Number of panes in each horizon: 1, 2, 4, … and all panes.

    >>> horizons(6)
    (1, 2, 4, 6)
    """
    return tuple(sorted({*(2**i for i in range(panes.bit_length())), panes} & set(range(1, panes + 1))))


class WindowReading(NamedTuple):
    """The statistic, with the horizon (in panes) and the score at which it is largest."""

    statistic: float
    panes: int
    feature: int


def window_statistic(
    sums: Sequence[Integers] | Integers, clips: Sequence[int] | Integers, horizon_panes: Sequence[int] | Integers
) -> WindowReading:
    """Statistic of a window, from sums of scores `(pane, score)` and numbers of clips, both newest first."""
    return WindowReading(*_window_statistic(np.asarray(sums), np.asarray(clips), np.asarray(horizon_panes)))


def _window_statistic_by_numpy(sums: Integers, clips: Integers, horizon_panes: Integers) -> tuple[float, int, int]:
    best, panes, feature = 0.0, 0, 0
    totals, counts = np.cumsum(sums, axis=0), np.cumsum(clips)
    for age in range(1, len(sums) + 1):
        if counts[age - 1] < _MIN_CLIPS or age not in horizon_panes:
            continue
        statistic = np.abs(totals[age - 1]) / (UNIT_SCORE * math.sqrt(counts[age - 1]))
        if statistic.max() > best:
            best, panes, feature = float(statistic.max()), age, int(statistic.argmax())
    return best, panes, feature


@njit(cache=True, nogil=True)
def read_window(sums: Integers, clips: Integers, horizon_panes: Integers) -> tuple[float, int, int]:
    """The numbers of a `WindowReading`; the horizons are in ascending order."""
    best, panes, feature = 0.0, 0, 0
    total, count, horizon = np.zeros(sums.shape[1], dtype=np.int64), 0, 0
    for age in range(1, sums.shape[0] + 1):
        count += clips[age - 1]
        for f in range(total.size):
            total[f] += sums[age - 1, f]
        if horizon == horizon_panes.size or horizon_panes[horizon] != age:
            continue
        horizon += 1
        largest, first = 0, 0
        for f in range(total.size):
            if abs(total[f]) > largest:
                largest, first = abs(total[f]), f
        if count >= _MIN_CLIPS and largest / (UNIT_SCORE * math.sqrt(count)) > best:
            best, panes, feature = largest / (UNIT_SCORE * math.sqrt(count)), age, first
    return best, panes, feature


@kernel(_window_statistic_by_numpy, cache=True, nogil=True)
def _window_statistic(sums: Integers, clips: Integers, horizon_panes: Integers) -> tuple[float, int, int]:
    return read_window(sums, clips, horizon_panes)


def stream_statistics(scores: Integers, pane_clips: int, panes: int) -> Floats:
    """Statistic `(stream, clip)` that `window_statistic` has after each clip of streams `(stream, clip, score)`.

    >>> stream_statistics(np.full((1, 4, 1), UNIT_SCORE), pane_clips=4, panes=8).tolist()
    [[0.0, 0.0, 0.0, 2.0]]
    """
    clips = scores.shape[1]
    reached = np.zeros((scores.shape[0], clips + 1, scores.shape[2]))
    np.cumsum(scores, axis=1, out=reached[:, 1:])
    now = np.arange(clips)
    best = np.zeros(scores.shape[:2])
    for pane in horizons(panes):
        first = np.maximum((now // pane_clips - pane + 1) * pane_clips, 0)
        count = now + 1 - first
        # A horizon that reaches back before the first clip is the whole stream, since no older pane exists.
        exists = (count >= _MIN_CLIPS) & (now // pane_clips - pane + 1 >= 0)
        if not exists.any():
            continue
        t, f = now[exists], first[exists]
        largest = np.abs(reached[:, t + 1] - reached[:, f]).max(axis=2) / (UNIT_SCORE * np.sqrt(count[exists]))
        best[:, exists] = np.maximum(best[:, exists], largest)
    return best


def calibrate(
    baseline: Baseline, pane_clips: int, panes: int, per_clip: float, *, seed: int = 0, serial: bool = False
) -> float:
    """Find the threshold that an unchanged deployment exceeds at the rate `per_clip`.

    Random orders of each group's clips are played to a monitor that knows the other groups; the hazard of a first alarm
    within a stream is set to the requested rate. Rates too low to be counted in the streams are extrapolated: the
    logarithm of the hazard is taken as linear in the tail of the threshold.

    With `serial`, a stream that comes in order, such as pieces of one recording or class after class, is played in
    order: each group's clips in the order of their names, from a random clip on, to a monitor that knows the other
    groups. The rate then holds for streams that depend on their past as the training clips do in that order. A clip has
    much in common with the next one, so each group counts as one observation, and the threshold is raised by what
    Student's t adds for so few. A training set without groups is divided into fifths, in order, each of which may hold
    sounds that no other does; the threshold is then high.

    Args:
        baseline: Features of the training clips.
        pane_clips: Number of clips in a pane.
        panes: Number of panes in the window.
        per_clip: Rate of false alarms for each clip.
        seed: Seed of the random orders.
        serial: Play the clips in order.

    Raises:
        ArgumentError: if the window is too long to be simulated, or if a baseline without training clips, which has no
            order, is to be played in order.
    """
    if pane_clips * panes > 20_000:
        raise ArgumentError(f"a window of {pane_clips * panes} clips is too long to calibrate: at most 20000")
    if serial and not baseline.measured:
        raise ArgumentError("a serial calibration takes clips in their order; pass training clips (--training SOURCE)")
    generator = np.random.default_rng(seed)
    folds = np.arange(len(baseline.rows)) * _FIFTHS // len(baseline.rows)
    if baseline.has_groups or not serial:
        folds = baseline.folds
    highest: list[Floats] = []
    length = max(2 * pane_clips * panes, 4 * _MIN_CLIPS)
    each = math.ceil(max(_CLIPS_PLAYED / length, _MIN_STREAMS) / len(np.unique(folds)))
    for scores in baseline.fold_scores(folds):
        found = []
        for start in range(0, each, 200):
            orders = [_order(len(scores), length, generator, serial=serial) for _ in range(min(200, each - start))]
            found.append(stream_statistics(scores[np.stack(orders)], pane_clips, panes).max(axis=1))
        highest.append(np.concatenate(found))
    threshold = _at_hazard(np.sort(np.concatenate(highest))[::-1], length, per_clip)
    return threshold + (_for_few(highest, -math.expm1(-per_clip * length)) if serial else 0.0)


def _for_few(highest: Sequence[Floats], share: float) -> float:
    """Rise of the threshold because a new group is predicted from few: Student's t in place of the normal quantile."""
    spread = float(np.std([np.median(values) for values in highest], ddof=1))
    share = min(share, 0.5)
    few = float(scipy.stats.t.isf(share, len(highest) - 1)) * math.sqrt(1.0 + 1.0 / len(highest))
    return spread * (few - float(scipy.stats.norm.isf(share)))


def _order(clips: int, length: int, generator: np.random.Generator, *, serial: bool) -> Integers:
    if serial:
        return np.asarray((generator.integers(clips) + np.arange(length)) % clips)
    return generator.permutation(clips)[:length] if clips >= length else generator.integers(clips, size=length)


def _at_hazard(highest: Floats, length: int, per_clip: float) -> float:
    """Threshold with this hazard, from the highest statistic of each stream in descending order."""
    streams = len(highest)
    rank = (1.0 - math.exp(-per_clip * length)) * streams
    if rank >= _SURE_TAIL:
        return float(highest[min(int(rank), streams) - 1])
    ranks = np.arange(_SURE_TAIL, max(3 * _SURE_TAIL, streams // 10))
    hazard = -np.log1p(-ranks / streams) / length
    tail = highest[ranks - 1]
    if tail[0] - tail[-1] < 1e-9:  # All clips are alike.
        return float(highest[0])
    slope, offset = np.polyfit(tail, np.log(hazard), 1)
    return float((math.log(per_clip) - offset) / slope)
