"""A profile counts exactly, adds exactly, and its statistics are those of the gridded levels."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import spectronorm as sn
from spectronorm.profile import LevelCounter, Measurement, RunningSum, Statistics, digest
from spectronorm.storage import container

FRONT_END = sn.FrontEnd(8000, stft=sn.STFT(32, hop_length=16), bands=sn.Mel(4))
LINEAR = sn.FrontEnd(8000, stft=sn.STFT(32, hop_length=16))


def noises(lengths: list[int], seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    clips = [(10.0 ** rng.uniform(-4, -0.5) * rng.standard_normal(n)).astype(np.float32) for n in lengths]
    for clip in clips[::3]:
        clip[: len(clip) // 2] = 0.0
    return clips


def measure(clips: list[np.ndarray], front_end: sn.FrontEnd = FRONT_END) -> Measurement:
    counter = LevelCounter(front_end)
    for clip in clips:
        counter.add(clip)
    measurement = counter.measurement()
    assert measurement is not None
    return measurement


def gridded(clips: list[np.ndarray], front_end: sn.FrontEnd = FRONT_END) -> np.ndarray:
    """All levels as integers, `(band, cell)`."""
    levels = np.concatenate([front_end.clip_level(clip) for clip in clips], axis=1)
    return np.rint(levels * front_end.grid.steps).astype(np.int64)


LENGTHS = st.lists(st.integers(32, 400), min_size=1, max_size=8)


@given(LENGTHS, st.integers(0, 1000))
def test_statistics_are_exact_on_the_grid(lengths: list[int], seed: int) -> None:
    """Mean and std equal exact rationals of the gridded levels, for clips of any length, silence included."""
    clips = noises(lengths, seed)
    q = gridded(clips)
    for statistics, rows in (
        (Statistics(measure(clips), FRONT_END.grid), list(q)),
        (Statistics(measure(clips).pooled(), FRONT_END.grid), [q.ravel()]),
    ):
        for band, row in enumerate(rows):
            values = [Fraction(int(v), FRONT_END.grid.steps) for v in row]
            mean = sum(values) / len(values)
            variance = sum((v - mean) ** 2 for v in values) / len(values)
            assert statistics.mean[band] == float(mean)
            assert statistics.std[band] == pytest.approx(float(variance) ** 0.5, rel=1e-14, abs=1e-300)
            assert (statistics.min[band], statistics.max[band]) == (float(min(values)), float(max(values)))


@given(LENGTHS, st.integers(0, 1000), st.randoms())
def test_merging_is_free_of_order_and_grouping(lengths: list[int], seed: int, random: object) -> None:
    """Any split of the clips into parts, in any order, adds up to the same integers."""
    clips = noises(lengths, seed)
    whole = measure(clips)
    random.shuffle(clips)  # type: ignore[attr-defined]
    cuts = sorted({0, len(clips), *(random.randrange(len(clips) + 1) for _ in range(3))})  # type: ignore[attr-defined]
    parts = [measure(clips[a:b]) for a, b in pairwise(cuts)]
    random.shuffle(parts)  # type: ignore[attr-defined]
    assert Measurement.sum(parts) == whole


def test_counts_beyond_32_bits_add_exactly() -> None:
    """Sums of billions of frames are as exact as small ones."""
    one = measure(noises([400]))
    times = 2**29
    scaled = {name: getattr(one, name) * times for name in ("count", "total", "on_floor")}
    large = replace(one, **{**scaled, "histogram": one.histogram.astype(np.int64) * times})
    running = RunningSum()
    for part in (one, large, one):
        running.add(part)
    total = running.total()
    np.testing.assert_array_equal(total.histogram.astype(object), one.histogram.astype(object) * (times + 2))
    np.testing.assert_array_equal(total.histogram.sum(axis=1), total.count)


def test_a_cell_counts_more_than_16_bits() -> None:
    """A tone whose frames are all alike, 80 000 of them: in one counter, and as the sum of two."""
    front_end = sn.FrontEnd(16_000, stft=sn.STFT(16, hop_length=4, center=False))
    tone = np.tile(np.array([0.0, 0.5, 0.0, -0.5], np.float32), 40_003)
    whole, halves = LevelCounter(front_end), [LevelCounter(front_end) for _ in range(2)]
    for half in halves:
        half.add(tone)
        whole.add(tone)
    parts = [half.measurement() for half in halves]
    total = Measurement.sum(part for part in parts if part is not None)
    assert whole.measurement() == total
    assert (total.histogram.max(axis=1) == 80_000).all()
    assert (total.histogram.sum(axis=1) == total.count).all()


def test_counts_add_up() -> None:
    """Histogram, floor count and clip histograms count each cell and clip once."""
    clips = noises([400, 300, 200, 100])
    measurement = measure(clips)
    q = gridded(clips)
    floor = FRONT_END.grid.integer(FRONT_END.floor)
    np.testing.assert_array_equal(measurement.on_floor, (q <= floor).sum(axis=1))
    assert measurement.on_floor.any()
    np.testing.assert_array_equal(measurement.histogram.sum(axis=1), measurement.count)
    cells = (q >> FRONT_END.grid.cell_bits) - measurement.first_cell
    for band, row in enumerate(cells):
        np.testing.assert_array_equal(measurement.histogram[band], np.bincount(row, minlength=cells.max() + 1))
    assert measurement.rms.sum() == measurement.peak.sum() == measurement.length.sum() == measurement.clips == 4
    assert measurement.samples == 1000


def test_clip_histograms_find_level_and_length() -> None:
    """RMS, peak and length of clips lie in the cell that holds their true value."""
    tone = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000).astype(np.float32)
    profile = sn.Profile(FRONT_END, {(): measure([0.1 * tone, 0.1 * tone[:2000], np.zeros(500, np.float32)])})
    edges, counts = profile.clip_rms
    assert counts[0] == 1
    assert edges[counts > 0][1] == pytest.approx(20 * np.log10(0.1 / np.sqrt(2)), abs=0.25)
    edges, counts = profile.clip_peak
    assert edges[counts > 0][1] == pytest.approx(-20, abs=0.26)
    seconds, counts = profile.clip_seconds
    np.testing.assert_allclose(seconds[counts > 0], [500 / 8000, 0.25, 1.0], rtol=0.05)
    assert profile.total.flat == 1


@given(LENGTHS, st.integers(0, 100), st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_quantiles_lie_within_a_cell(lengths: list[int], seed: int, shares: list[float]) -> None:
    """A histogram's quantile lies between the neighbouring order statistics, give or take one cell."""
    clips = noises(lengths, seed)
    statistics = Statistics(measure(clips), FRONT_END.grid)
    levels = gridded(clips) / FRONT_END.grid.steps
    lower = np.quantile(levels, shares, axis=1, method="lower")
    higher = np.quantile(levels, shares, axis=1, method="higher")
    found = statistics.quantile(shares)
    n = levels.shape[1]
    # One rank of slack: there are several definitions of a quantile, and they differ by that much.
    lower = np.minimum(lower, np.quantile(levels, np.maximum(0, np.array(shares) - 1 / n), axis=1, method="lower"))
    higher = np.maximum(higher, np.quantile(levels, np.minimum(1, np.array(shares) + 1 / n), axis=1, method="higher"))
    assert (found >= lower - FRONT_END.grid.cell_width).all()
    assert (found <= higher + FRONT_END.grid.cell_width).all()


def test_standard_errors_recover_the_truth_of_unlike_clips() -> None:
    """The clustered standard error of the mean is the textbook one when every clip is a single long constant."""
    rng = np.random.default_rng(3)
    clips = [(10.0 ** rng.uniform(-3, -1) * rng.standard_normal(800)).astype(np.float32) for _ in range(200)]
    statistics = Statistics(measure(clips, LINEAR), LINEAR.grid)
    means = np.stack([LINEAR.clip_level(clip).mean(axis=1) for clip in clips])
    np.testing.assert_allclose(statistics.mean_se, means.std(axis=0, ddof=1) / np.sqrt(200), rtol=1e-3)
    jackknife = np.stack([Statistics(measure(clips[:i] + clips[i + 1 :], LINEAR), LINEAR.grid).std for i in range(200)])
    expected = np.sqrt(199 / 200 * ((jackknife - jackknife.mean(axis=0)) ** 2).sum(axis=0))
    np.testing.assert_allclose(statistics.std_se, expected, rtol=0.03)


def test_one_clip_has_no_standard_error() -> None:
    """With a single clip the error is unknown: infinite in Python, null in JSON, never NaN."""
    profile = sn.Profile(FRONT_END, {(): measure(noises([300]))})
    assert np.isinf(profile.band.mean_se).all()
    assert profile.summary()["global"]["mean_se"] is None
    json.dumps(profile.summary(), allow_nan=False)


@pytest.mark.parametrize("seed", range(2))
def test_a_twenty_percent_sample_knows_its_error(esc10: Path, seed: int) -> None:
    """A 95 % interval from a random fifth of ESC-10 covers the full mean in 90 to 99 % of 200 draws."""
    source = sn.open_source(esc10)
    named = sn.audio.Source(tuple(replace(clip, columns={"clip": clip.name}) for clip in source))
    front_end = sn.FrontEnd(level=sn.waveform.StandardizeWaveform(), bands=sn.Mel(8))
    profile = sn.fit(named, front_end, group_by=["clip"])
    clips, truth = list(profile.groups.values()), profile.overall.mean
    rng = np.random.default_rng(seed)
    covered = 0
    for _ in range(200):
        drawn = [clips[index] for index in rng.choice(len(clips), len(clips) // 5, replace=False)]
        sample = Statistics(Measurement.sum(drawn).pooled(), front_end.grid, pooled=True)
        covered += abs(sample.mean - truth) <= 1.96 * sample.mean_se
    assert 0.90 <= covered / 200 <= 0.99


class TestGroups:
    """Groups can be left out, chosen and added."""

    def profile(self) -> sn.Profile:
        parts = noises([200, 300, 400, 250, 350, 150])
        keys = [(("fold", str(i % 3 + 1)), ("split", "test" if i > 3 else "train")) for i in range(6)]
        return sn.Profile.sum(
            sn.Profile(FRONT_END, {key: measure([part])}) for key, part in zip(keys, parts, strict=True)
        )

    def test_without_is_the_sum_of_the_others(self) -> None:
        """Leaving out and keeping are complementary."""
        profile = self.profile()
        assert profile.without(fold=1) + profile.only(fold=1) == profile
        assert profile.without(fold=1, split="train").clips == 4
        assert profile.without(fold=1).group_columns() == ["fold", "split"]

    def test_unknown_groups_are_refused_with_what_there_is(self) -> None:
        """A wrong value or column names the right ones."""
        with pytest.raises(sn.errors.ArgumentError, match="fold is one of 1, 2, 3"):
            self.profile().without(fold=9)
        with pytest.raises(sn.errors.ArgumentError, match="--group-by speaker"):
            self.profile().without(speaker="a")
        with pytest.raises(sn.errors.ArgumentError, match="nothing would be left"):
            self.profile().only(fold=1, split="train").without(fold=1)

    def test_profiles_of_other_front_ends_do_not_add(self) -> None:
        """Adding names the setting that differs."""
        other = sn.Profile(LINEAR, {(): measure(noises([200]), LINEAR)})
        with pytest.raises(sn.errors.FrontEndMismatch, match="bands.kind: mel here, linear there"):
            _ = self.profile() + other

    def test_round_trip(self, tmp_path: Path) -> None:
        """A saved profile is the same value, and saving it again gives the same bytes."""
        profile = self.profile()
        profile.save(tmp_path / "a")
        sn.Profile.load(tmp_path / "a").save(tmp_path / "b")
        assert sn.load(tmp_path / "a") == profile
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
        assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_equal_sound_has_an_equal_digest() -> None:
    """The digest is of samples, and one changed sample changes it."""
    a, b = noises([300, 300])
    assert digest(a) == digest(a.copy())
    assert digest(a) != digest(b)


def test_a_level_beyond_the_grid_is_refused_and_not_counted() -> None:
    """Nothing is counted of a clip whose level leaves the grid."""
    counter = LevelCounter(sn.FrontEnd(8000, stft=sn.STFT(32), compress=sn.Decibel(amin=1e-30)))
    with pytest.raises(sn.errors.AudioError, match="out-of-range"):
        counter.add(1e12 * noises([100], seed=5)[0])
    assert counter.measurement() is None


def damage(name: str, header: dict, tensors: dict) -> None:
    """Make one thing untrue in a profile's header or tensors."""
    changes = {
        "another kind": lambda: header.update(kind="pipeline"),
        "another format": lambda: header.update(format=999),
        "no groups": lambda: header.update(groups=[]),
        "a group twice": lambda: header["groups"][1].update(key=header["groups"][0]["key"]),
        "a wrong fingerprint": lambda: header.update(fingerprint="0" * 16),
        "a bad front end": lambda: header["front_end"]["stft"].update(n_fft=-1),
        "an unknown reason": lambda: header.update(bad=[{"path": "a", "reason": "?", "detail": "", "group": []}]),
        "negative clips": lambda: header["groups"][0].update(clips=-5),
        "text for a number": lambda: header["groups"][0].update(clips="5"),
        "true for a number": lambda: header["groups"][0].update(flat=True),
        "negative duration": lambda: header.update(duration=-1.0),
        "a count of zero": lambda: tensors["count"].__setitem__((0, 0), 0),
        "extremes the wrong way round": lambda: tensors["lowest"].__setitem__((0, 0), 2**24),
        "an impossible variance": lambda: tensors["squares"].__setitem__((0, 0), 0),
        "a wide integer not in normal form": lambda: tensors["squares"].__setitem__((0, 0, 0), -1),
        "a histogram that does not add up": lambda: tensors["histogram"].__setitem__(0, 200),
        "a histogram beyond the grid": lambda: tensors["histogram_first"].__setitem__((0, 0), 10**9),
        "floats for integers": lambda: tensors.update(total=tensors["total"].astype(np.float64)),
        "another number of bands": lambda: tensors.update(count=tensors["count"][:, :-1].copy()),
        "a missing tensor": lambda: tensors.pop("digests"),
        "digests out of order": lambda: tensors.update(digests=tensors["digests"][::-1].copy()),
        "numbers left over": lambda: tensors.update(histogram=np.append(tensors["histogram"], np.uint8(1))),
        "a clip counted twice by level": lambda: tensors["rms"].__setitem__((0, 3), 7),
    }
    changes[name]()


DAMAGES = """
another kind|another format|no groups|a group twice|a wrong fingerprint|a bad front end|an unknown reason|negative clips
text for a number|true for a number|negative duration|a count of zero|extremes the wrong way round
an impossible variance|a wide integer not in normal form|a histogram that does not add up|a histogram beyond the grid
floats for integers|another number of bands|a missing tensor|digests out of order|numbers left over
a clip counted twice by level
"""


@pytest.mark.parametrize("name", [name for line in DAMAGES.strip().splitlines() for name in line.split("|")])
def test_a_damaged_profile_is_refused(name: str, tmp_path: Path) -> None:
    """Numbers that no measuring can give are one clear error, whatever they are."""
    groups = {(("fold", str(i)),): measure(noises([200, 300, 150], seed=i)) for i in range(2)}
    sn.Profile(FRONT_END, groups).save(tmp_path / "profile")
    header, tensors = container.load_tensors(tmp_path / "profile")
    damage(name, header, tensors)
    container.save_tensors(tmp_path / "damaged", header, tensors)
    with pytest.raises(sn.errors.FileFormatError, match="damaged"):
        sn.load(tmp_path / "damaged")


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"\x80\x04K\x01.", b"\xff" * 100, (8).to_bytes(8, "little") + b"{}      ", b"PK\x03\x04" * 20],
    ids=["empty", "JSON", "a pickle", "noise", "without our header", "a zip"],
)
def test_a_foreign_file_is_refused(content: bytes, tmp_path: Path) -> None:
    """Anything that is not our container is one clear error."""
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(sn.errors.FileFormatError, match="file"):
        sn.load(tmp_path / "file")
    with pytest.raises(sn.errors.FileFormatError, match="missing"):
        sn.load(tmp_path / "missing")
    with pytest.raises(sn.errors.FileFormatError, match="regular"):
        sn.load(tmp_path)


def folds() -> sn.Profile:
    """A profile of three folds that differ."""
    front_end = sn.FrontEnd(8000, stft=sn.STFT(64), bands=sn.Mel(4))
    rng, groups = np.random.default_rng(3), {}
    for fold in (1, 2, 3):
        counter = LevelCounter(front_end)
        counter.add((rng.standard_normal(4000) * fold).astype(np.float32))
        groups[("fold", str(fold)),] = counter.measurement()
    return sn.Profile(front_end, groups)


def test_several_values_are_left_out_or_kept_together() -> None:
    """A list of values is each of them, whatever kind of sequence or number it holds."""
    profile = folds()
    for several in ([1, 2], (1, 2), np.array([1, 2]), ["1", "2"], [np.int64(2), 1, 1]):
        assert profile.without(fold=several).groups == profile.only(fold=3).groups
        assert profile.only(fold=several).groups == profile.without(fold=3).groups
    assert profile.without(fold=[1, 2]).left_out == ("fold=1 or 2",)
    for wrong, message in (([], "names no value"), ([1, 9], "fold=9"), (True, "text or a number"), ([None], "text or")):
        with pytest.raises(sn.errors.ArgumentError, match=message):
            profile.without(fold=wrong)


def test_the_builtin_sum_adds_profiles() -> None:
    """`sum` gives what `Profile.sum` gives; anything else is not added."""
    profile = folds()
    parts = [profile.only(fold=fold) for fold in (1, 2, 3)]
    assert sum(parts) == sn.Profile.sum(parts) == profile
    for wrong in (1, None, "profile"):
        with pytest.raises(TypeError):
            _ = wrong + profile  # type: ignore[operator]


def test_band_and_overall_are_the_two_kinds_of_figures() -> None:
    """`band` has one number for each band, `overall` one number for all of them."""
    profile = folds()
    assert profile.band.mean.shape == (4,)
    assert isinstance(profile.overall.mean, float)
    assert profile.overall.mean == pytest.approx(profile.band.mean.mean())
    assert profile.overall.min == profile.band.min.min()
