"""The monitor: its figures are right, its alarms as rare as asked for, its diagnosis fits, and nothing breaks it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import scipy.spatial
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

import spectronorm as sn
from monitored import FRONT_END, STANDARDIZED, clip, clips, devices, equalize, measure, training
from spectronorm.monitor import Baseline, FalseAlarms, Monitor, SampleStream, Window, diagnose, drift, evidence
from spectronorm.monitor.change.causes import causes
from spectronorm.monitor.change.causes.both import both
from spectronorm.monitor.change.distribution import jensen_shannon, population_stability_index, wasserstein
from spectronorm.monitor.change.evidence import Evidence, Reference
from spectronorm.monitor.change.explanations import explanations
from spectronorm.monitor.change.kind import Kind
from spectronorm.monitor.change.margins import LEAST_EXPLAINED, margin, surely_named
from spectronorm.monitor.change.observed import Observed
from spectronorm.monitor.clips.baseline import UNIT_SCORE, normal_scores
from spectronorm.monitor.clips.features import clip_features, feature_names
from spectronorm.monitor.clips.moments import FeatureMoments
from spectronorm.monitor.history import MAX_ROWS, History
from spectronorm.monitor.threshold import calibrate, horizons, stream_statistics, window_statistic
from spectronorm.profile import LevelCounter, Measurement
from spectronorm.profile.counting.counter import Recorded

FAST = {"threshold": 4.5}


# Figures


def test_distances_are_those_of_scipy() -> None:
    """Wasserstein and Jensen-Shannon of histograms are SciPy's; PSI is its formula."""
    generator = np.random.default_rng(0)
    p, q = generator.dirichlet(np.ones(64), size=(2, 3))
    places = np.arange(64) * 0.25
    expected = [scipy.stats.wasserstein_distance(places, places, a, b) for a, b in zip(p, q, strict=True)]
    np.testing.assert_allclose(wasserstein(p, q, 0.25), expected, rtol=1e-9)
    expected = [scipy.spatial.distance.jensenshannon(a, b, base=2) ** 2 for a, b in zip(p, q, strict=True)]
    np.testing.assert_allclose(jensen_shannon(p, q, cells=1), expected, rtol=1e-9)
    tenths = np.full((1, 10), 0.1)
    skewed = np.linspace(1, 10, 10)[None] / 55
    expected = ((skewed - 0.1) * np.log(skewed / 0.1)).sum()
    np.testing.assert_allclose(population_stability_index(tenths, skewed), expected, rtol=1e-6)
    assert population_stability_index(p, p).max() == 0.0


def test_drift_recovers_a_known_shift() -> None:
    """Six decibels more are six decibels of Wasserstein, six over σ of mean, no change of std, and 6 dB of RMS."""
    profile, _ = training()
    waves = clips(200, 1)
    found = drift(profile, measure(FRONT_END, [wave * np.float32(10 ** (6 / 20)) for wave in waves]))
    np.testing.assert_allclose(found.band.mean_shift * profile.band.std, 6.0, atol=0.05)
    np.testing.assert_allclose(found.band.wasserstein, 6.0, atol=0.1)
    np.testing.assert_allclose(found.band.std_ratio, 1.0, atol=0.01)
    assert found.rms_shift == pytest.approx(6.0, abs=0.1)
    assert found.peak_shift == pytest.approx(6.0, abs=0.1)
    same = drift(profile, profile.total)
    assert np.abs(same.pooled.mean_shift).max() == 0.0
    assert same.band.psi.max() == same.band.wasserstein.max() == same.band.jensen_shannon.max() == 0.0


def test_standard_errors_cover_by_clip() -> None:
    """The shift of the mean of fresh clips lies within 1.96 standard errors about 95 times in a hundred."""
    profile, _ = training()
    generator = np.random.default_rng(3)
    covered = []
    for _ in range(60):
        found = drift(profile, measure(FRONT_END, [clip(generator) for _ in range(16)]))
        covered.append(np.abs(found.band.mean_shift) <= 1.96 * found.band.mean_shift_se)
    assert 0.85 <= np.mean(covered) <= 0.995


# Scores, thresholds, false alarms


@given(st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_scores_are_normal_scores(n: int, seed: int) -> None:
    """A rank becomes the normal quantile of that rank, ties count half, one clip or many the same."""
    generator = np.random.default_rng(seed)
    ordered = np.sort(generator.integers(0, 9, size=(n, 2)).astype(np.float64), axis=0)
    x = generator.integers(-1, 10, size=(5, 2)).astype(np.float64)
    scores = normal_scores(ordered, x)
    for j in range(2):
        below = np.array([(ordered[:, j] < v).sum() + (ordered[:, j] == v).sum() / 2 for v in x[:, j]])
        expected = scipy.stats.norm.ppf((below + 0.5) / (n + 1))
        np.testing.assert_allclose(scores[:, j] / UNIT_SCORE, expected, atol=1e-4)
    np.testing.assert_array_equal(scores[2], normal_scores(ordered, x[2]))


@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_streaming_is_what_is_simulated(pane_clips: int, panes: int, seed: int) -> None:
    """The statistic of panes as they come is the one that thresholds are calibrated with."""
    scores = np.random.default_rng(seed).integers(-(2**17), 2**17, size=(1, 40, 3))
    simulated = stream_statistics(scores, pane_clips, panes)[0]
    for t in range(40):
        now = t // pane_clips
        ages = [now - age for age in range(panes) if now - age >= 0]
        parts = [scores[0, p * pane_clips : min((p + 1) * pane_clips, t + 1)] for p in ages]
        sums, counts = [part.sum(axis=0) for part in parts], [len(part) for part in parts]
        reading = window_statistic(sums, counts, horizons(panes))
        assert reading.statistic == pytest.approx(simulated[t], abs=1e-9)


@pytest.mark.parametrize("rate", [1 / 100, 1 / 1000])
def test_false_alarms_are_as_rare_as_asked_for(rate: float) -> None:
    """On clips like those of training the hazard of a first alarm is within a factor of two of the rate."""
    generator = np.random.default_rng(0)
    mixing = generator.standard_normal((38, 38)) / 6
    rows = generator.standard_normal((400, 38)) @ mixing
    baseline = Baseline.of_rows(FRONT_END, rows, [i % 5 for i in range(400)])
    threshold = calibrate(baseline, 4, 8, rate)
    fresh = generator.standard_normal((600, 100, 38)) @ mixing
    passed = stream_statistics(baseline.scores(fresh), 4, 8) > threshold
    first = np.where(passed.any(axis=1), passed.argmax(axis=1) + 1, 100)
    hazard = passed.any(axis=1).sum() / first.sum()
    assert rate / 2 <= hazard <= 2 * rate


def test_a_profile_alone_calibrates_too() -> None:
    """Clips made up from the profile have the spread that it counted, and a threshold near the measured one."""
    profile, baseline = training()
    made_up = Baseline.of_profile(profile)
    levels = made_up.rows[:, :12]
    np.testing.assert_allclose(levels.mean(axis=0), baseline.rows[:, :12].mean(axis=0), atol=1.0)
    np.testing.assert_allclose(levels.std(axis=0), baseline.rows[:, :12].std(axis=0), rtol=0.25)
    thresholds = [calibrate(b, 4, 8, 1e-3) for b in (made_up, baseline)]
    assert thresholds[0] == pytest.approx(thresholds[1], rel=0.2)


@pytest.mark.parametrize(
    ("text", "per_clip"),
    [("1/week", 1 / 1680), ("2 per day", 2 / 240), ("1/1000 clips", 1e-3), ("3/2weeks", 3 / 3360), ("0.5/hour", 0.05)],
)
def test_rates_of_false_alarms_are_read(text: str, per_clip: float) -> None:
    """A rate per time becomes one per clip, given how many clips come."""
    assert FalseAlarms.parse(text, clips_per_hour=10).per_clip == pytest.approx(per_clip)


@pytest.mark.parametrize("text", ["often", "1/fortnight", "1/0 clips", "2/clip", "0/day", "1e9/day", ""])
def test_rates_that_are_none_are_refused(text: str) -> None:
    """Anything else is one clear error."""
    with pytest.raises(sn.errors.ArgumentError, match="1/week"):
        FalseAlarms.parse(text, clips_per_hour=10)
    with pytest.raises(sn.errors.ArgumentError, match="clips come in an hour"):
        FalseAlarms.parse("1/week")


# Alarms and diagnosis


@pytest.mark.parametrize("front_end", [FRONT_END, STANDARDIZED], ids=["as recorded", "standardized"])
@pytest.mark.parametrize("name", devices())
def test_each_device_alarms_and_is_named(name: str, front_end: sn.FrontEnd) -> None:
    """Behind each device the alarm comes within 20 clips, and after 32 the diagnosis names it."""
    profile, baseline = training(front_end)
    kind, device = devices()[name]
    monitor = Monitor(profile, baseline, false_alarms=FalseAlarms(1e-3), **FAST)
    alarms = [monitor.add(np.asarray(device(wave), dtype=np.float32)).alarm for wave in clips(32, 2)]
    assert any(alarms[:20])
    found = monitor.diagnosis()
    assert found.kind.value == kind, found
    assert found.firm
    assert found.advice


def test_no_change_is_no_alarm() -> None:
    """Fresh clips of the same kind do not alarm, and nothing is diagnosed."""
    profile, baseline = training()
    monitor = Monitor(profile, baseline)
    verdicts = [monitor.add(wave) for wave in clips(64, 4)]
    assert not any(v.alarm for v in verdicts)
    assert monitor.diagnosis().kind.value == "nothing"
    assert monitor.report().to_dict()["alarms"] == 0


def test_an_alarm_is_raised_once() -> None:
    """A change that stays is one alarm; after a quiet window a new change is another."""
    profile, baseline = training()
    monitor = Monitor(profile, baseline, **FAST)
    for factor in (1.0, 0.05, 1.0, 0.05):
        for wave in clips(80, 6):
            monitor.add(wave * np.float32(factor))
    assert monitor.alarms == 2


def test_level_and_samples_give_the_same() -> None:
    """A level that is known already is not computed again, and gives the same."""
    profile, baseline = training()
    a, b = Monitor(profile, baseline, **FAST), Monitor(profile, baseline, **FAST)
    for wave in clips(9, 7):
        assert a.add(wave) == b.add(wave, level=FRONT_END.clip_level(wave))
    c = Monitor(profile, baseline, **FAST)
    padded = np.zeros((9, 5_000), dtype=np.float32)
    padded[:, :4_000] = clips(9, 7)
    assert c.add_batch(padded, [4_000] * 9)[-1] == a.verdict()


def compared(front_end: sn.FrontEnd, waves: list[np.ndarray], *, by_clips: bool = True) -> Evidence:
    """The evidence of these waves, by the training clips or by their profile alone."""
    profile, baseline = training(front_end)
    rows = np.stack([clip_features(front_end.clip_level(wave), wave) for wave in waves])
    return evidence(
        Reference(profile, baseline if by_clips else None), measure(front_end, waves), FeatureMoments.of(rows)
    )


@pytest.mark.parametrize("by_clips", [True, False])
@pytest.mark.parametrize("front_end", [FRONT_END, STANDARDIZED], ids=["as recorded", "standardized"])
def test_a_gain_explains_itself(front_end: sn.FrontEnd, by_clips: bool) -> None:
    """A gain is likelier than every other cause, whether or not waveforms are normalized; behind a filter it is not."""
    waves = clips(60, 2)
    for decibels in (-26.0, -12.0, 12.0):
        observed = Observed.of(
            compared(front_end, [wave * np.float32(10 ** (decibels / 20)) for wave in waves], by_clips=by_clips)
        )
        assert observed is not None
        found = explanations(observed)
        assert found[0].kind is Kind.LEVEL
        assert f"{abs(decibels):.0f}." in f"{found[0].because}" or f"{abs(decibels) - 1:.0f}." in found[0].because
    observed = Observed.of(compared(front_end, [equalize(wave, [0, 1], [0, -24]) for wave in waves], by_clips=by_clips))
    assert observed is not None
    assert explanations(observed)[0].kind is Kind.EQUALIZATION


def test_a_stream_in_pieces_is_its_clips() -> None:
    """However the samples come, the monitor sees the same clips; one with a NaN is bad, and the rest waits."""
    profile, baseline = training()
    wave = np.concatenate(clips(9, 2))
    whole = Monitor(profile, baseline, **FAST)
    for each in clips(9, 2):
        last = whole.add(each)
    for piece in (1_000, 4_000, 7_001, 36_000):
        monitor = Monitor(profile, baseline, **FAST)
        stream = SampleStream(monitor, 0.5)
        verdicts = [v for start in range(0, len(wave), piece) for v in stream.add(wave[start : start + piece])]
        assert len(verdicts) == 9
        assert verdicts[-1] == last
        assert stream.held == 0
        assert monitor.measurement() == whole.measurement()
    assert stream.add(np.full(4_010, np.nan)) == []
    assert (monitor.bad, monitor.clips, stream.held) == (1, 9, 10)
    with pytest.raises(sn.errors.ShapeError):
        stream.add(np.zeros((2, 10)))
    for seconds in (0.0, 0.001, float("nan"), float("inf")):
        with pytest.raises(sn.errors.ArgumentError, match="seconds="):
            SampleStream(monitor, seconds)


# Windows


def test_the_window_slides() -> None:
    """Only the newest panes count: after a window of clips the old ones are forgotten."""
    profile, baseline = training()
    monitor = Monitor(profile, baseline, window=Window(16, 4), **FAST)
    for wave in (*clips(40, 2), *clips(16, 8)):
        monitor.add(wave)
    expected = drift(profile, measure(FRONT_END, clips(16, 8)))
    assert monitor.report().drift.clips == 16
    np.testing.assert_array_equal(monitor.report().drift.band.psi, expected.band.psi)
    assert monitor.measurement() == measure(FRONT_END, clips(16, 8))


def test_a_decaying_window_weighs_new_clips_more() -> None:
    """With decay the figures follow the newest panes."""
    profile, baseline = training()
    shifts = []
    for decay in (1.0, 0.5):
        monitor = Monitor(profile, baseline, window=Window(16, 4, decay=decay), **FAST)
        for index, wave in enumerate(clips(16, 2)):
            monitor.add(wave * np.float32(0.1 if index >= 12 else 1.0))
        shifts.append(float(monitor.report().drift.pooled.mean_shift[0]))
    assert shifts[1] < 1.5 * shifts[0] < 0


def test_a_window_by_the_clock_forgets_by_the_clock() -> None:
    """Panes end by the time of the clips; late ones are counted in the pane that is open."""
    profile, baseline = training()
    monitor = Monitor(profile, baseline, window=Window(8, 4, seconds=40.0), **FAST)
    for second, wave in enumerate(clips(20, 2)):
        monitor.add(wave, at=1e6 + 5 * second)
    assert monitor.report().drift.clips == 8
    monitor.add(clips(20, 2)[0], at=1e6)
    assert monitor.report().drift.clips == 9
    monitor.add(clips(20, 2)[1], at=2e6)
    assert monitor.report().drift.clips == 1
    with pytest.raises(sn.errors.ArgumentError, match=r"time\.time"):
        monitor.add(clips(20, 2)[0])


def test_of_long_clips_frames_are_counted_evenly(tmp_path: Path) -> None:
    """Of 313 frames every fifth is counted, with the floor of the whole clip, and in large panes too."""
    for top_db in (None, 20.0):
        front_end = sn.FrontEnd(
            8_000, stft=sn.STFT(256, hop_length=128), bands=sn.Mel(24), compress=sn.Decibel(top_db=top_db)
        )
        waves = [np.concatenate(clips(10 * k + 10, 2)[10 * k :]) for k in range(5)]
        profile = sn.Profile(front_end, {(): measure(front_end, waves)})
        monitor = Monitor(profile, window=Window(64, 1), **FAST)
        for k in range(20):
            monitor.add(waves[k % 5])
        counter = LevelCounter(front_end)
        for k in range(20):
            level = front_end.clip_level(waves[k % 5])
            assert level.shape[1] == 313
            thin = np.ascontiguousarray(level[:, ::5])
            gridded = np.rint(thin * front_end.grid.steps).astype(np.int32)
            top = round(float(level.max()) * front_end.grid.steps)
            recorded = Recorded.of(waves[k % 5])
            counter.add_gridded(gridded, int(gridded.min()), int(gridded.max()), recorded, top=top)
        assert monitor.measurement() == counter.measurement()
        monitor.save(tmp_path / "state")
        assert Monitor.load(tmp_path / "state", profile).measurement() == counter.measurement()
        mean = sn.Profile(front_end, {(): monitor.measurement()}).band.mean
        np.testing.assert_allclose(
            monitor.history_so_far().shift[-1] * profile.band.std + profile.band.mean, mean, atol=1e-9
        )


def test_memory_does_not_grow() -> None:
    """However many clips come, the window holds its panes and the history its rows."""
    profile, baseline = training()
    monitor = Monitor(profile, baseline, window=Window(8, 8), **FAST)
    for _ in range(6):
        for wave in clips(64, 2):
            monitor.add(wave)
    assert len(monitor._panes.newest_first()) == 8
    assert len(monitor.history.clips) < MAX_ROWS
    assert monitor.history.clips.sum() == monitor.clips - 1
    history = History(3)
    for row in range(5 * MAX_ROWS):
        history.add(np.full(3, float(row)), 2, 1.0)
    assert history.clips.sum() == 10 * MAX_ROWS
    assert (history.shift.mean(axis=1) * history.clips).sum() / history.clips.sum() == pytest.approx(
        (5 * MAX_ROWS - 1) / 2
    )


def test_sixteen_monitors_merged_are_one() -> None:
    """Servers that share the clips add up to one monitor that sees them all, to the last digit."""
    profile, baseline = training()
    waves = clips(192, 9)
    parts = [Monitor(profile, baseline, window=Window(8, 4), false_alarms=FalseAlarms(0.016)) for _ in range(16)]
    window, rate = Window(8 * 16, 4), FalseAlarms(0.001)
    one = Monitor(profile, baseline, window=window, false_alarms=rate)
    for index, wave in enumerate(waves):
        parts[index % 16].add(wave)
        one.add(wave)
    merged = Monitor.sum(parts)
    assert merged.threshold == one.threshold
    assert merged.verdict() == one.verdict()
    assert merged.measurement() == one.measurement()
    assert merged.report().drift.to_dict() == one.report().drift.to_dict()
    with pytest.raises(sn.errors.ArgumentError, match="differ"):
        Monitor.sum([parts[0], one])
    with pytest.raises(sn.errors.ArgumentError, match="no monitor"):
        Monitor.sum([])


# State


def test_a_saved_monitor_goes_on(tmp_path: Path) -> None:
    """Saved and loaded in the middle of a pane, it says what it would have said."""
    profile, baseline = training()
    one = Monitor(profile, baseline, window=Window(16, 4), **FAST)
    other = Monitor(profile, baseline, window=Window(16, 4), **FAST)
    for index, wave in enumerate(clips(50, 2)):
        shifted = wave * np.float32(0.2 if index > 20 else 1.0)
        one.add(shifted)
        other.add(shifted)
        if index % 7 == 0:
            other.save(tmp_path / "state")
            other = Monitor.load(tmp_path / "state", profile)
    assert other.report().to_dict() == one.report().to_dict()
    np.testing.assert_array_equal(other.history.shift, one.history.shift)


def test_an_empty_monitor_is_saved(tmp_path: Path) -> None:
    """Before the first clip there is a state too."""
    profile, _ = training()
    Monitor(profile, **FAST).save(tmp_path / "state")
    assert Monitor.load(tmp_path / "state", profile).clips == 0


_SAVE_FOR_EVER = """
import sys
import numpy as np
from pathlib import Path
sys.path[:0] = {paths!r}
from monitored import clips, training
from spectronorm.monitor import Monitor
profile, baseline = training()
monitor = Monitor(profile, baseline, threshold=4.5)
while True:
    for wave in clips(16, 2):
        monitor.add(wave)
        monitor.save(Path({state!r}))
        print(monitor.clips, flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_the_state_survives_kill_9(tmp_path: Path) -> None:
    """Killed at random moments while it saves, the file is always a whole state, none older than was told last."""
    state = tmp_path / "state"
    paths = [str(Path(__file__).parent), *sys.path]
    profile, _ = training()
    for attempt in range(4):
        command = [sys.executable, "-c", _SAVE_FOR_EVER.format(paths=paths, state=str(state))]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        told = int(process.stdout.readline())
        time.sleep(0.01 + 0.043 * attempt)
        process.send_signal(signal.SIGKILL)
        rest = process.communicate(timeout=30)[0].split()
        told = int(rest[-1]) if rest else told
        assert Monitor.load(state, profile).clips >= told


def test_a_damaged_state_is_refused(tmp_path: Path) -> None:
    """Cut, of another kind, or of another profile: one clear error."""
    profile, baseline = training()
    monitor = Monitor(profile, baseline, **FAST)
    for wave in clips(5, 2):
        monitor.add(wave)
    state = tmp_path / "state"
    monitor.save(state)
    whole = state.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 1):
        state.write_bytes(whole[:size])
        with pytest.raises(sn.errors.FileFormatError):
            Monitor.load(state, profile)
    profile.save(state)
    with pytest.raises(sn.errors.FileFormatError, match="state of a monitor"):
        Monitor.load(state, profile)
    state.write_bytes(whole)
    with pytest.raises(sn.errors.FrontEndMismatch, match="another profile"):
        Monitor.load(state, profile.without(fold=1))
    with pytest.raises(sn.errors.FrontEndMismatch):
        Monitor.load(state, training(STANDARDIZED)[0])


# Bad input


def test_bad_clips_are_one_clear_error_each() -> None:
    """NaN, nothing, integers, another front end's level: refused, and nothing is counted."""
    profile, baseline = training()
    monitor = Monitor(profile, baseline, **FAST)
    good = clips(1, 2)[0]
    nan = good.copy()
    nan[7] = np.nan
    for bad in (nan, good[:0], good[:100], np.full(4_000, np.inf, np.float32)):
        with pytest.raises(sn.errors.AudioError):
            monitor.add(bad)
    with pytest.raises(sn.errors.ShapeError):
        monitor.add(np.ones(4_000, dtype=np.int16))
    with pytest.raises(sn.errors.ShapeError):
        monitor.add(good[None])
    level = FRONT_END.clip_level(good)
    with pytest.raises(sn.errors.FrontEndMismatch, match="front end"):
        monitor.add(good, level=level[:20])
    spoilt = level.copy()
    spoilt[3, 5] = np.nan
    with pytest.raises(sn.errors.AudioError, match="NaN"):
        monitor.add(good, level=spoilt)
    assert monitor.clips == 0
    with pytest.raises(sn.errors.ArgumentError, match="empty"):
        monitor.report()
    assert not monitor.add(good).alarm


def test_a_monitor_needs_a_profile_with_histograms() -> None:
    """A saved pipeline has none, and says so."""
    profile, baseline = training()
    pipeline = sn.Pipeline(FRONT_END, sn.Standardize().fit(profile))
    with pytest.raises(sn.errors.ArgumentError, match="histograms"):
        Monitor(pipeline)  # type: ignore[arg-type]
    with pytest.raises(sn.errors.FrontEndMismatch):
        Monitor(training(STANDARDIZED)[0], baseline)


@pytest.mark.parametrize(
    "settings", [{"clips": 30}, {"clips": 4, "panes": 4}, {"panes": 0}, {"seconds": 0.0}, {"decay": 0.0}]
)
def test_windows_that_make_no_sense_are_refused(settings: dict[str, float]) -> None:
    """Each with the rule."""
    with pytest.raises(sn.errors.ArgumentError):
        Window(**settings)  # type: ignore[arg-type]


def test_the_training_clips_must_be_those_of_the_profile(noise_table: Path) -> None:
    """A baseline of clips that were not measured for the profile, or of too few, is refused."""
    front_end = sn.FrontEnd(bands=sn.Mel(16))
    source = sn.open_source(noise_table)
    with pytest.raises(sn.errors.ArgumentError, match="were not measured"):
        Baseline.of_clips(source, sn.fit(sn.audio.Source.of(source.clips[:-2]), front_end))
    with pytest.raises(sn.errors.ArgumentError, match="too small"):
        Baseline.of_clips(source, sn.fit(source, front_end))


def test_any_front_end_can_be_monitored() -> None:
    """Levels that are no decibels, one band, one group, silence alone: figures and diagnosis stay finite."""
    for front_end in (
        sn.FrontEnd(8_000, stft=sn.STFT(256), bands=sn.Mel(1)),
        sn.FrontEnd(8_000, stft=sn.STFT(256), bands=sn.Mel(8), compress=sn.PCEN()),
        sn.FrontEnd(8_000, stft=sn.STFT(256), bands=sn.Mel(8), compress=sn.Ln()),
        sn.FrontEnd(8_000, stft=sn.STFT(256), bands=sn.Mel(8), compress=sn.Decibel(top_db=60.0)),
    ):
        profile = sn.Profile(front_end, {(): measure(front_end, clips(40, 2))})
        monitor = Monitor(profile, window=Window(8, 2))
        for wave in clips(8, 3):
            monitor.add(wave * np.float32(0.01))
        report = monitor.report().to_dict()
        assert np.isfinite(report["drift"]["global"]["wasserstein"])
        assert diagnose(evidence(profile, monitor.measurement())).advice
        for wave in clips(8, 3):
            monitor.add(np.zeros_like(wave))
        assert diagnose(evidence(profile, monitor.measurement())).kind.value == "silence"


def test_features_do_not_depend_on_the_length() -> None:
    """A clip twice in a row has nearly the features that it has once."""
    wave = clips(1, 2)[0]
    once, twice = (clip_features(FRONT_END.clip_level(w), w) for w in (wave, np.tile(wave, 2)))
    np.testing.assert_allclose(once, twice, atol=2.5)
    silent = clip_features(FRONT_END.clip_level(wave * 0), wave * 0)
    assert np.isfinite(silent).all()


def test_measurements_of_panes_add_up() -> None:
    """Panes are measurements like any other."""
    profile, baseline = training()
    monitor = Monitor(profile, baseline, **FAST)
    for wave in clips(10, 2):
        monitor.add(wave)
    assert Measurement.sum([monitor.measurement()]) == measure(FRONT_END, clips(10, 2))


def test_a_serial_calibration_holds_for_a_stream_in_order() -> None:
    """Of clips that resemble those before them, it alarms about as often as asked; one for mixed order far more."""
    generator = np.random.default_rng(0)
    size = len(feature_names(FRONT_END))

    def stream(length: int) -> np.ndarray:
        rows = [generator.standard_normal(size)]
        for _ in range(length - 1):
            rows.append(0.6 * rows[-1] + 0.8 * generator.standard_normal(size))
        return np.stack(rows)

    baseline = Baseline.of_rows(FRONT_END, stream(1500), [0] * 1500)
    streams, alarmed = np.stack([stream(64) for _ in range(300)]), {}
    for serial in (True, False):
        threshold = calibrate(baseline, 4, 8, 1 / 500, serial=serial)
        first = stream_statistics(baseline.scores(streams), 4, 8) > threshold
        alarmed[serial] = first.any(axis=1).mean()
    asked = 1 - np.exp(-64 / 500)
    assert asked / 3 < alarmed[True] < 3 * asked
    assert alarmed[False] > 4 * asked
    with pytest.raises(sn.errors.ArgumentError, match="in their order"):
        calibrate(Baseline.of_profile(training()[0]), 4, 8, 1 / 500, serial=True)


def test_a_serial_calibration_plays_groups_where_there_are_some() -> None:
    """Class after class: with groups that hold all classes the rate holds; in fifths of one group it never alarms."""
    generator = np.random.default_rng(0)
    size = len(feature_names(FRONT_END))
    classes = 1.5 * generator.standard_normal((5, 16, size)).mean(axis=1, keepdims=True) + np.zeros((5, 16, size))

    def day() -> np.ndarray:
        return np.asarray((classes + generator.standard_normal(classes.shape)).reshape(-1, size))

    rows, groups = np.concatenate([day() for _ in range(5)]), np.repeat(np.arange(5), 80)
    by_class = np.lexsort((np.arange(400), np.tile(np.repeat(np.arange(5), 16), 5)))
    thresholds = [
        calibrate(Baseline.of_rows(FRONT_END, rows, groups.tolist()), 4, 8, 1 / 200, serial=True),
        calibrate(Baseline.of_rows(FRONT_END, rows[by_class], [0] * 400), 4, 8, 1 / 200, serial=True),
    ]
    scores = Baseline.of_rows(FRONT_END, rows, groups.tolist()).scores(np.stack([day()[:64] for _ in range(300)]))
    highest = stream_statistics(scores, 4, 8).max(axis=1)
    asked = 1 - np.exp(-64 / 200)
    assert asked / 3 < (highest > thresholds[0]).mean() < 2 * asked
    assert thresholds[1] > thresholds[0]


@pytest.mark.parametrize(("name", "kind"), [("gate", "dynamics"), ("suppressor", "dynamics"), ("hum", "hum")])
def test_gates_suppressors_and_hum_have_names(name: str, kind: str) -> None:
    """A gate and a suppressor are named, of hum it is the likeliest cause, and weights add up to 1."""

    def changed(wave: np.ndarray) -> np.ndarray:
        time = np.arange(len(wave)) / 8_000
        power = float(np.sqrt(np.mean(wave.astype(np.float64) ** 2)))
        if name == "hum":
            out = wave + 0.5 * power * (np.sin(2 * np.pi * 50 * time) + np.sin(2 * np.pi * 100 * time + 1.0))
        else:
            loud = np.abs(wave) > 0.2 * np.abs(wave).max()
            quiet = 0.02 if name == "gate" else 0.1
            out = np.where(np.convolve(loud, np.ones(200), mode="same") > 0, wave, quiet * wave)
        return out.astype(np.float32)

    seen = compared(FRONT_END, [changed(wave) for wave in clips(40, 2)])
    found, observed = diagnose(seen), Observed.of(seen)
    assert observed is not None
    assert explanations(observed)[0].kind.value == kind
    assert found.kind.value in {kind, *(["unknown-change"] if name == "hum" else [])}
    assert sum(cause.weight for cause in found.causes) == pytest.approx(1.0)
    assert found.causes[0].kind is found.kind
    assert found.to_dict()["causes"][0]["kind"] == found.kind.value


def test_two_changes_at_once_have_both_names() -> None:
    """Hum behind a filter: both together are likeliest, with their shares; a second name needs a margin of its own."""
    hum = 0.03 * np.sin(2 * np.pi * 100 * np.arange(4_000) / 8_000)
    dull = [equalize(wave, [0, 1], [0, -30]) for wave in clips(40, 2)]
    seen = compared(FRONT_END, [(wave + hum[: len(wave)]).astype(np.float32) for wave in dull])
    observed = Observed.of(seen)
    assert observed is not None
    found = explanations(observed)
    assert found[0].kinds == {Kind.EQUALIZATION, Kind.HUM}
    assert found[0].parts[0].weight >= found[0].parts[1].weight > 0.2
    assert sum(part.weight for part in found[0].parts) == pytest.approx(1.0)
    assert "Bands moved smoothly" in found[0].because
    assert "filled by a steady sound" in found[0].because
    second = min(margin(found, part.kind) for part in found[0].parts)
    assert len(surely_named(found, least_second_margin=second)) == 2
    assert len(surely_named(found, least_second_margin=second + 0.1)) == 1
    assert {cause.kind for cause in diagnose(seen).causes} <= {Kind.EQUALIZATION, Kind.HUM}
    assert [cause.kind for cause in diagnose(compared(FRONT_END, dull)).causes] == [Kind.EQUALIZATION]


def test_voices_behind_are_added_noise() -> None:
    """Noise that comes and goes, as of voices, is named as noise, and is much likelier than dynamics."""
    generator = np.random.default_rng(0)
    sections = scipy.signal.butter(1, [200.0, 1500.0], "bandpass", fs=8_000, output="sos")

    def with_voices(wave: np.ndarray) -> np.ndarray:
        loud = np.exp(np.repeat(generator.standard_normal(len(wave) // 200), 200))
        voices = loud * scipy.signal.sosfilt(sections, generator.standard_normal(len(wave)))
        return (wave + voices * np.sqrt(np.mean(wave.astype(np.float64) ** 2) / np.mean(voices**2))).astype(np.float32)

    found = diagnose(compared(FRONT_END, [with_voices(wave) for wave in clips(40, 2)]))
    assert [cause.kind for cause in found.causes] == [Kind.NOISE]
    assert "uneven noise" in found.because


def test_integers_read_as_floats_are_so_much_louder() -> None:
    """Samples of 16 bits that nobody divided are a level change by 90 dB, the RMS as well as every band."""
    found = diagnose(compared(FRONT_END, [wave * np.float32(32768) for wave in clips(40, 2)]))
    assert [cause.kind for cause in found.causes] == [Kind.LEVEL]
    louder = re.search(r"([0-9.]+) dB louder", found.because)
    assert louder is not None
    assert float(louder[1]) == pytest.approx(90.3, abs=1.5)


def test_a_second_cause_that_does_nothing_changes_nothing() -> None:
    """A filter and then a gain of 0 dB are the filter, and its expected figures stay those that are expected."""
    observed = Observed.of(compared(FRONT_END, list(clips(40, 2))))
    assert observed is not None
    by_kind = {cause.kind: cause for cause in causes(observed)}
    filtered, gain = by_kind[Kind.EQUALIZATION], by_kind[Kind.LEVEL]
    p = np.linspace(-6.0, 6.0, len(filtered.deviation))
    pair = both(filtered, p, gain, np.zeros(1))
    np.testing.assert_array_equal(
        pair.moved(observed.levels, np.asarray(pair.start)), filtered.moved(observed.levels, p)
    )
    assert len(pair.deviation) == len(filtered.deviation) + 1
    assert pair.weight < filtered.weight + gain.weight
    assert pair.follows(np.append(p, 3.0)) == {"rms": 3.0}


def test_a_change_that_nothing_explains_is_unknown() -> None:
    """Evidence that fits no rule is no wrong name: it is unknown, and the advice is to listen and measure."""
    found = diagnose(compared(FRONT_END, list(clips(40, 2))))
    assert found.kind.value == "unknown-change"
    assert "quiet moments" in found.because
    assert sum(cause.weight for cause in found.causes) == pytest.approx(1.0)
    assert "label some clips" in found.advice


_HZ = np.linspace(100.0, 8_000.0, 16)


def _two_humps(at: np.ndarray) -> np.ndarray:
    """A spectrum with two humps, in dB."""
    return -20.0 + 25.0 * np.exp(-(np.log(at / 700.0) ** 2) / 0.1) + 15.0 * np.exp(-(np.log(at / 3_000.0) ** 2) / 0.05)


def _from_two_humps(now: np.ndarray, by_chance: float = 24.0) -> Observed:
    """The change from the spectrum with two humps to another."""
    then = np.repeat(_two_humps(_HZ)[:, None], 3, axis=1)
    moved = np.append((np.repeat(now[:, None], 3, axis=1) - then).reshape(-1), 0.0)
    return Observed(
        then[None],
        moved,
        np.ones(len(moved)),
        np.diag(0.5 + (0.1 * moved) ** 2),
        9.0 * np.eye(len(moved)),
        _HZ,
        -100.0,
        gain_reaches=True,
        clips=32,
        places={"rms": slice(48, 49)},
        by_chance=by_chance,
    )


def test_a_speed_is_recovered() -> None:
    """A spectrum with two humps, played 1.6 times as fast, gives the factor; a tilt is no speed."""
    faster = explanations(_from_two_humps(_two_humps(_HZ / 1.6)))[0]
    assert faster.kind is Kind.SPEED
    assert "1.6 times" in faster.because
    tilted = _two_humps(_HZ) - 12.0 * np.log2(_HZ / 100.0)
    assert explanations(_from_two_humps(tilted))[0].kind is Kind.EQUALIZATION


def test_levels_that_moved_by_chance_are_explained_by_nothing() -> None:
    """No cause gets the credit for a change that chance accounts for, by having left no more than chance."""
    jagged = _two_humps(_HZ) + np.where(np.arange(16) % 2, 1.0, -1.0)
    found = explanations(_from_two_humps(jagged, by_chance=480.0))
    assert len(found) > 5
    assert all(one.explains < LEAST_EXPLAINED for one in found)


def test_features_say_what_they_say() -> None:
    """A tone is steady, cut peaks are many, what dies away slowly has onsets, and quiet moments are quiet."""
    names, time = feature_names(FRONT_END), np.arange(8_000) / 8_000
    generator = np.random.default_rng(0)

    def features(wave: np.ndarray) -> dict[str, float]:
        samples = wave.astype(np.float32)
        return dict(zip(names, clip_features(FRONT_END.clip_level(samples), samples), strict=True))

    noise, tone = (
        features(w) for w in (0.1 * generator.standard_normal(8_000), 0.1 * np.sin(2 * np.pi * 1_000 * time))
    )
    steadiest = [name for name in names if name.startswith("steadiest")]
    assert min(tone[name] for name in steadiest) < 0.1
    assert min(noise[name] for name in steadiest) > 0.5
    cut = features(np.clip(generator.standard_normal(8_000), -0.5, 0.5))
    assert cut["flat tops"] > noise["flat tops"] + 1.5
    assert cut["crest"] < noise["crest"] - 5.0
    bursts = np.exp(-((time * 4.0) % 1.0) * 8.0) * generator.standard_normal(8_000) * 0.1
    assert features(bursts)["onset"] > 2.0
    assert features(bursts[::-1])["onset"] < -2.0
    some = [name.removeprefix("quiet ") for name in names if name.startswith("quiet")]
    assert all(features(bursts)[f"quiet {name}"] < features(bursts)[f"loud {name}"] - 10.0 for name in some)


def test_every_cause_has_a_model_that_can_be_fitted() -> None:
    """Each hypothesis takes its own start, gives levels of every training clip, and has words."""
    observed = Observed.of(compared(FRONT_END, list(clips(40, 2))))
    assert observed is not None
    kinds = set()
    for cause in causes(observed):
        start = np.asarray(cause.start, dtype=np.float64)
        assert cause.moved(observed.levels, start).shape == observed.levels.shape
        assert len(start) == len(cause.deviation)
        assert cause.says(start) or cause.kind is Kind.NOTHING
        kinds.add(cause.kind)
    assert kinds >= {Kind.NOTHING, Kind.LEVEL, Kind.EQUALIZATION, Kind.NOISE, Kind.HUM, Kind.DYNAMICS}
    assert frozenset().union(*(e.kinds for e in explanations(observed))) >= kinds | {Kind.CONTENT, Kind.UNKNOWN}
