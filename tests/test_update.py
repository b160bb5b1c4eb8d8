"""Updates move a profile exactly, stay ordinary profiles, refuse what harms, and can be undone."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import spectronorm as sn
from monitored import FRONT_END, clips, devices, equalize, measure, training
from spectronorm.cli.app import app
from spectronorm.errors import UpdateRefused
from spectronorm.monitor import (
    Baseline,
    Kind,
    Monitor,
    NewAudio,
    Remedy,
    lineage,
    measure_new,
    moved_baseline,
    refit,
    restarted,
    rollback,
    save_update,
    update,
)
from spectronorm.monitor.change.advice import advice_for, advised, gains, helps
from spectronorm.monitor.change.measured_benefit import Benefit
from spectronorm.monitor.clips.features import clip_features
from spectronorm.monitor.clips.variety import Variety, variety
from spectronorm.monitor.mending.guards import objections_to
from spectronorm.monitor.mending.shifted import counted_often, shifted
from spectronorm.profile import LevelCounter, Measurement, Statistics

SMALL = sn.FrontEnd(8_000, stft=sn.STFT(256), bands=sn.Mel(3))


def counted(levels: list[np.ndarray]) -> Measurement:
    counter = LevelCounter(SMALL)
    for level in levels:
        counter.add_level(level, np.ones(256, dtype=np.float32))
    measurement = counter.measurement()
    assert measurement is not None
    return measurement


def audio(folder: Path, waves: list[np.ndarray]) -> Path:
    folder.mkdir()
    for number, wave in enumerate(waves):
        soundfile.write(folder / f"{number:03d}.wav", wave, 8_000, subtype="FLOAT")
    return folder


def dull(wave: np.ndarray) -> np.ndarray:
    return equalize(wave, [0, 0.1, 0.4, 1], [0, 0, -14, -28])


@pytest.fixture
def dull_audio(tmp_path: Path) -> NewAudio:
    profile, baseline = training()
    return measure_new(audio(tmp_path / "dull", [dull(w) for w in clips(48, 2)]), profile, baseline)


@given(st.lists(st.integers(-300, 300), min_size=3, max_size=3), st.integers(0, 2**32 - 1))
def test_shifting_integers_is_shifting_levels(cells: list[int], seed: int) -> None:
    """A measurement moved by whole cells is, number by number, that of levels that were so much higher."""
    generator = np.random.default_rng(seed)
    levels = [generator.normal(-20.0, 12.0, size=(3, 9)).clip(-75, 30) for _ in range(4)]
    move = np.array(cells) * SMALL.grid.cell_width
    expected = counted([level + move[:, None] for level in levels])
    got = shifted(counted(levels), np.array(cells), SMALL)
    for name in ("count", "total", "lowest", "highest", "lowest_above", "on_floor", "squares"):
        np.testing.assert_array_equal(getattr(got, name), getattr(expected, name), err_msg=name)
    start = got.first_cell - expected.first_cell
    padded = np.zeros_like(got.histogram)
    used = expected.histogram
    padded[:, max(0, -start) : max(0, -start) + used.shape[1]] += used
    np.testing.assert_array_equal(got.histogram, padded)
    a, b = Statistics(got, SMALL.grid), Statistics(expected, SMALL.grid)
    np.testing.assert_allclose(a.mean_se, b.mean_se, rtol=1e-6)
    np.testing.assert_allclose(a.std_se, b.std_se, rtol=1e-3)


@given(st.lists(st.integers(-100, 300), min_size=3, max_size=3), st.integers(0, 2**32 - 1))
def test_silence_stays_silent(cells: list[int], seed: int) -> None:
    """Cells on the floor stay there while the others move, in every sum, standard error and count."""
    generator = np.random.default_rng(seed)
    levels = [generator.normal(-20.0, 12.0, size=(3, 9)).clip(-75, 30) for _ in range(4)]
    silent = [generator.random((3, 9)) < share for share in (0.0, 0.3, 0.6, 1.0)]
    move = (np.array(cells) * SMALL.grid.cell_width)[:, None]
    before = counted([np.where(s, -100.0, level) for s, level in zip(silent, levels, strict=True)])
    expected = counted([np.where(s, -100.0, level + move) for s, level in zip(silent, levels, strict=True)])
    got = shifted(before, np.array(cells), SMALL)
    for name in (
        "count",
        "total",
        "lowest",
        "highest",
        "lowest_above",
        "on_floor",
        "squares",
        "first_cell",
        "histogram",
    ):
        np.testing.assert_array_equal(getattr(got, name), getattr(expected, name), err_msg=name)
    floor = SMALL.grid.integer(-100.0)
    for without in (None, floor):
        a, b = (Statistics(m, SMALL.grid, without_floor=without) for m in (got, expected))
        np.testing.assert_allclose(a.mean_se, b.mean_se, rtol=1e-6, atol=1e-6)
        # Squares are counted to 1/256 dB².
        np.testing.assert_allclose(a.std_se, b.std_se, rtol=1e-3, atol=5e-3)


def test_what_leaves_the_grid_stays_at_its_edge(tmp_path: Path) -> None:
    """What falls to the floor is counted in the lowest cell of the histogram, every count is kept, and it is saved."""
    measurement = counted([np.full((3, 5), -100.0), np.full((3, 4), -90.0)])
    moved = shifted(measurement, np.array([-320, 0, 10**4]), SMALL)
    assert moved.histogram.sum(axis=1).tolist() == [9, 9, 9]
    assert moved.histogram[0, 0] == 9
    sn.Profile(SMALL, {(): moved}).save(tmp_path / "p")
    assert sn.Profile.load(tmp_path / "p").clips == 2


def test_a_floor_of_each_clip_moves_along(tmp_path: Path) -> None:
    """With top_db no level is silence, so all move alike."""
    front_end = sn.FrontEnd(8_000, stft=sn.STFT(256), bands=sn.Mel(3), compress=sn.Decibel(top_db=30.0))
    before = measure(front_end, list(clips(20, 3)))
    after = shifted(before, np.array([16, 32, -16]), front_end)
    means = [np.asarray(Statistics(m, front_end.grid).mean) for m in (before, after)]
    np.testing.assert_allclose(means[1] - means[0], [1.0, 2.0, -1.0])
    sn.Profile(front_end, {(): after}).save(tmp_path / "p")
    sn.Profile.load(tmp_path / "p")


def test_counting_often_weighs() -> None:
    """A measurement that counts three times moves a sum as three copies would."""
    one, other = counted([np.full((3, 5), -10.0)]), counted([np.full((3, 5), -20.0)])
    weighed = Statistics(Measurement.sum([counted_often(one, 3), other]), SMALL.grid)
    tripled = Statistics(Measurement.sum([one, one, one, other]), SMALL.grid)
    np.testing.assert_array_equal(weighed.mean, tripled.mean)
    np.testing.assert_array_equal(weighed.std, tripled.std)


def test_the_mean_moves_and_the_std_stays(dull_audio: NewAudio, tmp_path: Path) -> None:
    """The default moves each band's mean the asked part of the way, keeps its std, and is an ordinary profile file."""
    profile, _ = training()
    profile.save(tmp_path / "parent")
    found = update(profile, dull_audio)
    assert dull_audio.diagnosis.kind.value == "equalization"
    assert found.weight == pytest.approx(48 / 49)
    floor = FRONT_END.grid.integer(FRONT_END.floor)
    now = Statistics(dull_audio.measurement, FRONT_END.grid, without_floor=floor).mean
    then, moved = profile.excluding_floor(), found.profile.excluding_floor()
    np.testing.assert_allclose(
        moved.band.mean, then.band.mean + found.weight * (now - then.band.mean), atol=1 / 32 + 1e-9
    )
    np.testing.assert_allclose(moved.band.std, then.band.std, rtol=1e-12)
    np.testing.assert_array_equal(found.profile.band.floor_share, profile.band.floor_share)
    np.testing.assert_allclose(found.profile.band.mean - profile.band.mean, found.mean_shift)
    save_update(found, tmp_path / "parent", tmp_path / "child")
    again = sn.load(tmp_path / "child")
    assert again == found.profile
    assert isinstance(again, sn.Profile)
    assert again.without(fold=1).clips == 160
    sn.Standardize().fit(again)


def test_an_accepted_change_is_no_alarm_any_more(tmp_path: Path) -> None:
    """By the updated profile the dull clips look like training, with its made-up baseline and the moved one."""
    profile, baseline = training()

    def dull(wave: np.ndarray) -> np.ndarray:  # not so much that quiet moments fall to the floor
        return equalize(wave, [0, 0.1, 0.4, 1], [0, 0, -8, -14])

    new = measure_new(audio(tmp_path / "dull", [dull(w) for w in clips(64, 2)]), profile, baseline)
    found = update(profile, new, weight=1.0)
    before = Monitor(profile, baseline)
    after = [
        Monitor(found.profile),
        Monitor(found.profile, moved_baseline(baseline, found.record())),
        restarted(before, found),
    ]
    for wave in clips(40, 12):
        before.add(dull(wave))
        for monitor in after:
            monitor.add(dull(wave))
    assert before.verdict().alarm
    assert [monitor.alarms for monitor in after] == [0, 0, 0]


@pytest.mark.parametrize("name", ["dull", "quieter", "noise", "dead", "tones"])
def test_watch_and_update_agree(name: str, tmp_path: Path) -> None:
    """On the same clips both say the same, and an update is made where the advice of a watch says that it gains."""
    profile, baseline = training()
    _, device = devices()[name]
    waves = [np.asarray(device(wave), dtype=np.float32) for wave in clips(32, 2)]
    watched = Monitor(profile, baseline)
    for wave in waves:
        watched.add(wave)
    seen, new = watched.diagnosis(), measure_new(audio(tmp_path / "new", waves), profile, baseline)
    assert watched.verdict().alarm
    assert (new.diagnosis.kind, new.diagnosis.advice) == (seen.kind, seen.advice)
    for statistics in (Remedy.MEAN, Remedy.MEAN_AND_STD):
        option = "(spectronorm update)" if statistics is Remedy.MEAN else "--statistics mean+std"
        advised = option in seen.advice.partition("Avoid")[0]
        assert advised == helps(seen.kind, statistics)
        objections = objections_to(new, statistics)
        assert advised == (not any(str(new.diagnosis) in objection for objection in objections))


@pytest.mark.parametrize("weight", [0.1, 0.5, 1.0])
def test_stds_move_too_when_asked(weight: float) -> None:
    """With mean+std the variance goes the same part of the way, between the old and the new."""
    profile, baseline = training()
    waves = [np.sign(w) * np.abs(w) ** np.float32(0.6) * np.float32(0.5) for w in clips(48, 2)]  # a compressor
    features = np.stack([clip_features(FRONT_END.clip_level(w), w) for w in waves])
    new = NewAudio(
        measure(FRONT_END, waves), features, (), Monitor(profile, baseline).diagnosis(), variety(baseline, features)
    )
    found = update(profile, new, statistics="mean+std", weight=weight, force=True).profile
    then, now = profile.band.std**2, np.asarray(Statistics(new.measurement, FRONT_END.grid).std) ** 2
    expected = then + min(weight, 0.999) * (now - then)
    np.testing.assert_allclose(found.band.std**2, expected, rtol=0.02, atol=0.3)
    assert found.clips == profile.clips + 48


@pytest.mark.parametrize("name", ["dead", "tones"])
def test_what_would_harm_is_refused(name: str, tmp_path: Path) -> None:
    """Where the diagnosis says that an update harms, there is none, unless forced; the record then says why not."""
    profile, baseline = training()
    _, device = devices()[name]
    new = measure_new(audio(tmp_path / "new", [device(wave) for wave in clips(40, 2)]), profile, baseline)
    kind = {"dead": "silence", "tones": "unknown-change"}[name]
    assert new.diagnosis.kind.value == kind
    with pytest.raises(UpdateRefused, match="--force"):
        update(profile, new)
    forced = update(profile, new, force=True)
    assert any(kind in objection for objection in forced.objections)


@pytest.mark.parametrize("name", ["telephone", "dull"])
def test_what_gained_where_it_was_measured_is_not_refused(name: str, tmp_path: Path) -> None:
    """A band limit is no reason against an update: means and stds gained ten points behind them."""
    profile, baseline = training()
    kind, device = devices()[name]
    new = measure_new(audio(tmp_path / "new", [device(wave) for wave in clips(40, 2)]), profile, baseline)
    assert new.diagnosis.kind.value == kind
    assert update(profile, new, statistics="mean+std").objections == ()


def test_few_or_uniform_clips_are_refused(tmp_path: Path) -> None:
    """Fewer than sixteen clips, and clips that are all pieces of one, are refused."""
    profile, baseline = training()
    few = measure_new(audio(tmp_path / "few", list(clips(15, 2))), profile, baseline)
    with pytest.raises(UpdateRefused, match="too few"):
        update(profile, few)
    generator = np.random.default_rng(0)
    one = clips(1, 3)[0]
    alike = [one * np.float32(generator.uniform(0.9, 1.1)) for _ in range(32)]
    with pytest.raises(UpdateRefused, match="too alike"):
        update(profile, measure_new(audio(tmp_path / "alike", alike), profile, baseline))
    with pytest.raises(sn.errors.ArgumentError, match="too few"):
        measure_new(audio(tmp_path / "two", list(clips(2, 2))), profile, baseline)


def test_mixed_clips_are_varied_enough() -> None:
    """Fresh clips are refused as too alike in no more than one draw of five, by both baselines."""
    profile, baseline = training()
    for yardstick in (baseline, Baseline.of_profile(profile)):
        enough = []
        for seed in range(20, 50):
            rows = np.stack([clip_features(FRONT_END.clip_level(w), w) for w in clips(24, seed)])
            enough.append(variety(yardstick, rows).enough)
        assert np.mean(enough) >= 0.8


@pytest.mark.parametrize(
    "settings", [{"weight": 0.0}, {"weight": 1.5}, {"prior_clips": -1.0}, {"statistics": "std"}, {"weight": np.nan}]
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, float], dull_audio: NewAudio) -> None:
    """Each with its rule."""
    with pytest.raises(sn.errors.ArgumentError):
        update(training()[0], dull_audio, **settings)  # type: ignore[arg-type]


def test_updates_are_undone_byte_by_byte(dull_audio: NewAudio, tmp_path: Path) -> None:
    """Two updates are two records, and two rollbacks give the file that was measured."""
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    profile, _ = training()
    profile.save(first)
    assert lineage(first) == []
    save_update(update(profile, dull_audio), first, second)
    save_update(update(sn.Profile.load(second), dull_audio, weight=0.5, force=True), second, third)
    records = lineage(third)
    assert [record["generation"] for record in records] == [1, 2]
    assert records[0]["kind"] == "equalization"
    assert records[1]["parent"] == "second"
    undone = rollback(third, tmp_path / "back")
    assert undone["generation"] == 2
    assert (tmp_path / "back").read_bytes() == second.read_bytes()
    rollback(tmp_path / "back", tmp_path / "further back")
    assert (tmp_path / "further back").read_bytes() == first.read_bytes()
    for overwrite in (False, True):
        with pytest.raises(sn.errors.OutputRefused, match="is an input"):
            rollback(third, third, overwrite=overwrite)
    with pytest.raises(sn.errors.ArgumentError, match="nothing to roll back"):
        rollback(first, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_damaged_parent_is_not_rolled_back_to(dull_audio: NewAudio, tmp_path: Path) -> None:
    """A parent whose bytes changed inside the file is refused, and nothing is written."""
    profile, _ = training()
    profile.save(tmp_path / "parent")
    save_update(update(profile, dull_audio), tmp_path / "parent", tmp_path / "child")
    data = bytearray((tmp_path / "child").read_bytes())
    place = bytes(data).find((tmp_path / "parent").read_bytes()[200:260])
    data[place + 5] ^= 1
    (tmp_path / "child").write_bytes(data)
    with pytest.raises(sn.errors.FileFormatError):
        rollback(tmp_path / "child", tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_every_field_of_a_measurement_is_thought_of() -> None:
    """Whoever adds a field to the measurement has to say what an update does to it."""
    assert {f.name for f in fields(Measurement)} == {
        *("clips", "population", "samples", "flat", "count", "total", "lowest", "highest", "on_floor", "squares"),
        *("products", "first_cell", "histogram", "rms", "peak", "length", "digests", "formats"),
        *("lowest_above", "flat_count", "flat_total", "flat_squares"),
    }


def test_no_alarm_is_no_reason_to_update(tmp_path: Path) -> None:
    """Without an alarm an update is refused, and the words do not say that the clips are alike."""
    profile, baseline = training()
    new = measure_new(audio(tmp_path / "new", list(clips(40, 5))), profile, baseline)
    assert new.diagnosis.kind.value == "nothing"
    assert "does not prove that the clips are like" in new.diagnosis.because
    assert "as much" in new.diagnosis.because
    with pytest.raises(UpdateRefused, match="nothing"):
        update(profile, new)


def test_advice_goes_by_measured_benefit() -> None:
    """The best update stands first; none is given that did not surely gain a point, or that cost one anywhere."""
    for kind in Kind:
        measured, text = gains(kind), advice_for(kind)
        if measured is None:
            assert not any(helps(kind, remedy) for remedy in Remedy)
            continue
        given = [remedy for remedy in Remedy if helps(kind, remedy)]
        assert given == [r for r in Remedy if _is_worth_it(measured[r])]
        words = [f"{measured[remedy].points:+.0f} points" for remedy in given]
        if given:
            best = max(given, key=lambda remedy: measured[remedy].points)
            assert text.index(f"{measured[best].points:+.0f} points") == min(text.index(word) for word in words)


def _is_worth_it(gain: Benefit) -> bool:
    return gain.points >= 1.0 and gain.low > 0.0 and gain.worst >= -1.0


def test_means_are_not_updated_behind_noise() -> None:
    """A gain with zero in its interval is none: means gained two points on average under noise, but not surely."""
    measured = gains(Kind.NOISE)
    assert measured is not None
    assert measured[Remedy.MEAN].points >= 1.0
    assert measured[Remedy.MEAN].low < 0.0
    assert advised(Kind.NOISE) == (Remedy.BATCH_NORM,)


def test_every_known_change_but_content_and_silence_was_measured() -> None:
    """Each kind that statistics may follow has a row in the table of benefits."""
    unmeasured = {kind for kind in Kind if gains(kind) is None}
    assert unmeasured == {Kind.SILENCE, Kind.CONTENT}
    assert not helps(Kind.NOTHING, Remedy.MEAN)
    assert helps(Kind.BAND_LIMIT, Remedy.BATCH_NORM)


def test_an_unknown_change_is_adapted_to_if_the_clips_are_diverse(dull_audio: NewAudio) -> None:
    """An update is allowed if it gained behind every change and three of four draws are no more diverse, else not."""
    unknown = replace(dull_audio.diagnosis, kind=Kind.UNKNOWN)

    def objections(diversity: float, remedy: Remedy) -> list[str]:
        new = replace(dull_audio, diagnosis=unknown, variety=Variety(diversity, limit=-0.5, quartile=-0.2))
        return objections_to(new, remedy)

    assert objections(-0.1, Remedy.BATCH_NORM) == []
    (alike,) = objections(-0.3, Remedy.BATCH_NORM)
    assert "three of four" in alike
    assert objections(-0.1, Remedy.MEAN)
    assert "batch normalization" in advice_for(Kind.UNKNOWN).partition("Avoid")[0]
    assert "spectronorm update)" in advice_for(Kind.UNKNOWN).partition("Avoid")[2]


def test_a_pipeline_is_refitted_to_the_updated_profile(dull_audio: NewAudio) -> None:
    """The refitted pipeline is the normalizer's fit to the updated profile; one of another profile is refused."""
    profile, _ = training()
    after = update(profile, dull_audio).profile
    for normalizer in (sn.Standardize(), sn.Standardize("global"), sn.Robust()):
        pipeline = sn.Pipeline(FRONT_END, normalizer.fit(profile))
        again = refit(pipeline, profile, after)
        assert again.normalizer.affine == normalizer.fit(after).affine
        assert again.normalizer.affine != pipeline.normalizer.affine
        with pytest.raises(sn.errors.ArgumentError, match="not fitted to this profile"):
            refit(pipeline, profile.without(fold=1), after)
    floorless = sn.Pipeline(FRONT_END, sn.Standardize().fit(profile.excluding_floor()))
    again = refit(floorless, profile, after)
    assert again.normalizer.affine == sn.Standardize().fit(after.excluding_floor()).affine
    fixed = sn.Pipeline(FRONT_END, sn.normalize.Unchanged().fit(profile))
    with pytest.raises(sn.errors.ArgumentError, match="no statistics"):
        refit(fixed, profile, after)


def test_the_command_updates_a_pipeline(tmp_path: Path) -> None:
    """`update PIPELINE` writes the refitted pipeline and, if asked, the profile; without the profile it says so."""
    profile, _ = training()
    profile.save(tmp_path / "p.safetensors")
    held = profile.without(fold="1")
    sn.Pipeline(FRONT_END, sn.Standardize().fit(held)).save(tmp_path / "pipe.safetensors")
    new = audio(tmp_path / "dull", [dull(wave) for wave in clips(48, 2)])
    runner = CliRunner()
    refused = runner.invoke(app, ["update", str(tmp_path / "pipe.safetensors"), str(new), "-o", str(tmp_path / "out")])
    assert refused.exit_code == 2
    arguments = ["update", str(tmp_path / "pipe.safetensors"), str(new), "-o", str(tmp_path / "out")]
    arguments += ["--profile", str(tmp_path / "p.safetensors"), "--save-profile", str(tmp_path / "p2.safetensors")]
    done = runner.invoke(app, arguments)
    assert done.exit_code == 0, done.output
    written = sn.load(tmp_path / "out")
    updated = sn.load(tmp_path / "p2.safetensors")
    assert isinstance(written, sn.Pipeline)
    assert isinstance(updated, sn.Profile)
    assert written.normalizer.affine == sn.Standardize().fit(updated).affine
    assert updated.clips == held.clips
