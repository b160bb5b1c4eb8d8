"""Figures that a monitor reads off one clip: compiled and plain loops agree, and known clips have known figures."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from spectronorm.monitor.clips import look, recorded
from spectronorm.monitor.clips.bands_in_lanes import COLUMNS
from spectronorm.monitor.clips.baseline import normal_scores, scores_of_ranks
from spectronorm.monitor.clips.features import band_ranges, clip_features_on_grid
from spectronorm.monitor.clips.look_in_lanes import sort_columns
from spectronorm.monitor.clips.moments import FeatureMoments
from spectronorm.monitor.history import MAX_ROWS, History
from spectronorm.monitor.scored import add_clip
from spectronorm.monitor.threshold import horizons, window_statistic
from spectronorm.profile.counting.counter import Recorded

SAMPLES = 0.1 * np.random.default_rng(0).standard_normal(5000).astype(np.float32)


@pytest.mark.parametrize(
    "shape", [(201, 401), (64, 157), (13, 700), (12, 64), (30, 9), (30, 8), (20, 7), (5, 3), (3, 2), (1, 1)]
)
def test_the_compiled_look_at_a_level_finds_what_numpy_finds(shape: tuple[int, int]) -> None:
    level = -20.0 + 9.0 * np.random.default_rng(1).standard_normal(shape)
    bounds = np.array([bands.start for bands in band_ranges(shape[0])] + [shape[0]])
    found = []
    for way in (look.look, look.look.plain):
        gridded = np.zeros((shape[0], -(-shape[1] // -(-shape[1] // 64))), dtype=np.int32)
        sums, features = np.zeros(shape[0], dtype=np.int64), np.zeros(look.N_KINDS * (len(bounds) - 1) + 5)
        extremes = way(level, bounds, 65536.0, gridded, sums, features)
        found.append((features, gridded, sums, *extremes))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=0, atol=1e-9)
    np.testing.assert_array_equal(found[0][1], found[1][1])
    np.testing.assert_array_equal(found[0][2], found[1][1].sum(axis=1))
    assert found[0][3:] == found[1][3:] == (found[1][1].min(), found[1][1].max(), True)


@pytest.mark.parametrize("shape", [(64, 157), (20, 7)])
def test_a_level_of_float32_is_looked_at_as_its_float64(shape: tuple[int, int]) -> None:
    level = (-20.0 + 9.0 * np.random.default_rng(1).standard_normal(shape)).astype(np.float32)
    recorded_as = Recorded(9, 0.5, 0.1, False, b"")
    found = []
    for given in (level, level.astype(np.float64)):
        gridded, sums = np.zeros((shape[0], min(shape[1], 53)), np.int32), np.zeros(shape[0], np.int64)
        found.append((*clip_features_on_grid(given, recorded_as, 65536.0, gridded, sums), gridded, sums))
    for single, double in zip(*found, strict=True):
        np.testing.assert_array_equal(single, double)


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 8, 53, 58, 64])
def test_columns_are_sorted_by_fixed_exchanges(rows: int) -> None:
    values = np.random.default_rng(rows).standard_normal((rows, COLUMNS))
    expected = np.sort(values, axis=0)
    sort_columns(values.reshape(-1), rows)
    np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize(
    "samples",
    [
        SAMPLES,
        np.clip(SAMPLES, -0.15, 0.15),
        SAMPLES[:1],
        SAMPLES[:1025],
        SAMPLES * np.float32(1e30),
        np.zeros(3000, np.float32),
        np.array([0.0, -0.0], np.float32),
        np.full(3000, -0.3, np.float32),
    ],
    ids=["noise", "clipped", "one sample", "a block and a sample", "huge", "silence", "signed zeros", "constant"],
)
def test_a_clip_as_recorded_is_what_the_pass_measures(samples: NDArray[np.float32]) -> None:
    seen, measured = recorded.as_recorded(samples), Recorded.of(samples)
    assert (seen.samples, seen.peak, seen.flat, seen.digest) == (
        measured.samples,
        measured.peak,
        measured.flat,
        measured.digest,
    )
    assert seen.rms == pytest.approx(measured.rms, rel=1e-6)
    room = np.empty(-(-samples.size // recorded.BLOCK_SAMPLES), dtype=np.int32)
    compiled, plain = recorded._heard(samples, room), recorded._heard.plain(samples, room)
    assert (compiled[0], *compiled[2:]) == (plain[0], *plain[2:])


def test_the_share_of_flat_tops_is_that_of_the_samples_at_the_peak() -> None:
    samples = np.zeros(8000, np.float32)
    samples[: 4 * 300 : 4], samples[1:4000:4] = 0.5, 0.49
    assert recorded.as_recorded(samples).tops == 300 / 2000


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_sample_that_is_not_finite_shows_in_the_peak(wrong: float) -> None:
    samples = SAMPLES.copy()
    samples[777] = wrong
    assert not np.isfinite(recorded.as_recorded(samples).peak)


def test_clips_added_one_by_one_have_the_moments_scores_and_statistics_of_all_clips() -> None:
    generator = np.random.default_rng(2)
    known, rows = generator.integers(0, 9, (30, 9)), 30.0 * generator.standard_normal((20, 9))
    rows[:, :4] = generator.integers(-1, 10, (20, 4))  # values that training clips have too
    rows[3, 4] = 1e9
    columns = np.array([0, 1, 2, 5, 8])
    ordered = np.sort(known[:, columns].astype(np.float64), axis=0)
    scores, horizon_panes = normal_scores(ordered, rows[:, columns]), np.array(horizons(3))
    for way in (add_clip, add_clip.plain):
        moments, open_pane = np.zeros((2, 9), dtype=np.int64), np.zeros(5, dtype=np.int64)
        bands = np.zeros(2, dtype=np.int64)
        panes, clips = np.concatenate([np.zeros((1, 5), np.int64), scores[:7]])[:3].copy(), np.array([0, 3, 2])
        for number, row in enumerate(rows):
            ranks = columns, np.ascontiguousarray(ordered.T), scores_of_ranks(30)
            sums = np.array([number, 1])
            reading = way(row, sums, *ranks, bands, moments, open_pane, panes, clips, horizon_panes)
            expected = window_statistic(panes, clips, horizon_panes)
            assert reading == (expected.statistic, expected.panes, expected.feature)
            assert clips[0] == number + 1
        np.testing.assert_array_equal(moments, FeatureMoments.of(rows).sums)
        assert bands.tolist() == [190, 20]
        np.testing.assert_array_equal(open_pane, scores.sum(axis=0))
        np.testing.assert_array_equal(panes[0], scores.sum(axis=0))


def test_a_full_history_joins_its_rows_in_pairs() -> None:
    history = History(2)
    for number in range(MAX_ROWS):
        history.add(np.array([number, 1.0]), 1 + number % 2, float(number))
    assert len(history.clips) == MAX_ROWS // 2
    assert history.clips.tolist() == [3] * (MAX_ROWS // 2)
    np.testing.assert_allclose(history.shift[0], [2 / 3, 1.0])
    assert history.statistic[-1] == MAX_ROWS - 1
    again = History.from_tensors(2, history.to_tensors())
    again.add(np.zeros(2), 4, 0.0)
    assert (len(again.clips), again.clips[-1]) == (MAX_ROWS // 2 + 1, 4)
