"""Sums are exact at the bounds of what anybody can measure, or refused."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

import spectronorm as sn
from spectronorm.profile.counting import int128
from spectronorm.profile.counting.counter import LevelCounter
from spectronorm.profile.counting.measurement import Measurement
from spectronorm.profile.statistics import Statistics

BANDS, FRAMES = 4096, 10**12


@pytest.fixture(scope="module")
def parts() -> list[Measurement]:
    """Three measurements of 4096 bands whose frames are 10^12 in all, made, not measured."""
    front_end = sn.FrontEnd(16_000, stft=sn.STFT(8190))
    counter = LevelCounter(front_end)
    counter.add(np.random.default_rng(0).uniform(-1, 1, 40_000).astype(np.float32))
    small = counter.measurement()
    assert small is not None
    assert small.bands == BANDS
    random = np.random.default_rng(1)
    made = []
    for frames in (FRAMES // 2, FRAMES // 4, FRAMES // 4):
        q = random.integers(-(5 << 20), -(4 << 20), BANDS)  # near -80 dB
        squares = int128.from_integers(np.array([int(one) ** 2 * frames + frames for one in q], dtype=object))
        made.append(replace(small, count=np.full(BANDS, frames), total=q * frames, squares=squares))
    return made


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_sums_of_a_trillion_frames_are_exact(parts: list[Measurement], order: tuple[int, ...]) -> None:
    """By band and pooled, merged in any order: Python's integers."""
    merged = Measurement.sum(parts[i] for i in order)
    totals = [sum(int(part.total[band]) for part in parts) for band in range(BANDS)]
    squares = [sum(int(int128.to_integers(part.squares)[band]) for part in parts) for band in range(0, BANDS, 512)]
    assert merged.total.tolist() == totals
    assert int128.to_integers(merged.squares)[::512].tolist() == squares
    pooled = merged.pooled()
    total, square = sum(totals), sum(int128.to_integers(merged.squares).tolist())
    assert pooled.total.tolist() == [total]
    assert abs(total) > 1 << 63
    assert int128.to_integers(pooled.squares).tolist() == [square]
    count = BANDS * FRAMES
    statistics = Statistics(pooled, sn.FrontEnd().grid, pooled=True)
    steps = sn.FrontEnd().grid.steps
    assert statistics.mean == pytest.approx(total / (count * steps), rel=1e-15)
    assert statistics.std == pytest.approx(sqrt(count * square - total**2) / (count * steps), rel=1e-15)


def test_a_sum_that_64_bits_do_not_hold_is_refused(parts: list[Measurement]) -> None:
    """One frame more than fits is an error, never another number."""
    most = np.iinfo(np.int64).max
    full = replace(parts[0], total=np.full(BANDS, most))
    for one in (1, most):
        with pytest.raises(sn.errors.ArgumentError, match="64 bits"):
            Measurement.sum([full, replace(parts[1], total=np.full(BANDS, one))])
    assert Measurement.sum([full, replace(parts[1], total=np.full(BANDS, -most))]).total.tolist() == [0] * BANDS
