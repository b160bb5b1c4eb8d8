"""The score of a SpecGAN: each figure recovers a known truth, and the whole tells real, learned and copied apart."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from spectronorm.cli.app import app
from spectronorm.errors import ArgumentError, ShapeError, SourceError
from spectronorm.front_end import STFT, Decibel, FrontEnd, Mel
from spectronorm.images import LevelRange

torch = pytest.importorskip("torch")

from spectronorm.gan.baselines import memorized, pca_gaussian, pca_gaussian_by_class  # noqa: E402
from spectronorm.gan.clips import ImageWindow, LevelClips  # noqa: E402
from spectronorm.gan.copies import copy_distance, three_sample_test  # noqa: E402
from spectronorm.gan.judge import Judge  # noqa: E402
from spectronorm.gan.model import GanModel, require_one_design  # noqa: E402
from spectronorm.gan.networks import Architecture, make_networks  # noqa: E402
from spectronorm.gan.quality import ClassBalance, frechet_distance, inception_score, nearest_distance  # noqa: E402
from spectronorm.gan.score_table import score_table  # noqa: E402
from spectronorm.gan.scoring import ScoreOptions, score  # noqa: E402
from spectronorm.gan.seed_score import SeedScore  # noqa: E402
from spectronorm.gan.teaching import REAL, Lesson, compare_lessons, groups_of, teaching_table  # noqa: E402
from spectronorm.gan.training_source import TrainingSource  # noqa: E402

SIZE = 16
FRONT_END = FrontEnd(
    sample_rate=8_000, stft=STFT(n_fft=256, hop_length=128), bands=Mel(SIZE), compress=Decibel(floor_db=-80.0)
)


def test_the_inception_score_of_known_predictions() -> None:
    """Sure and even predictions score the number of classes, equal ones 1, and a mixture what the formula says."""
    assert inception_score(np.tile(np.eye(4), (5, 1)), 5)[0] == pytest.approx(4.0)
    assert inception_score(np.full((6, 3), 1 / 3))[0] == pytest.approx(1.0)
    half = np.array([[0.9, 0.1], [0.1, 0.9]])
    expected = np.exp(0.9 * np.log(1.8) + 0.1 * np.log(0.2))
    assert inception_score(np.tile(half, (10, 1)))[0] == pytest.approx(expected)


def test_the_inception_score_is_of_each_split() -> None:
    """Splits that hold one class each score 1, though the whole would score 2; their spread is over splits."""
    sorted_classes = np.repeat(np.eye(2), 10, axis=0)
    assert inception_score(sorted_classes)[0] == pytest.approx(2.0)
    assert inception_score(sorted_classes, 2) == pytest.approx((1.0, 0.0))
    mixed = np.concatenate([np.tile(np.eye(2), (5, 1)), np.repeat(np.eye(2)[:1], 10, axis=0)])
    assert inception_score(mixed, 2) == pytest.approx((1.5, 0.5))
    with pytest.raises(ShapeError, match="2 images cannot be scored in 3 splits"):
        inception_score(half := np.eye(2), 3)
    assert half.shape == (2, 2)


def _with_moments(mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Features whose mean and covariance are exactly these."""
    n = len(mean)
    rows = np.concatenate([np.eye(n), -np.eye(n)])
    rows = rows / np.sqrt((rows**2).sum(axis=0) / (len(rows) - 1))
    return rows @ np.linalg.cholesky(covariance).T + mean


def test_the_frechet_distance_of_two_known_gaussians() -> None:
    """For N(0, 1) and N(3, 4) it is 9 + (2 - 1)²; in general what SciPy's matrix square root gives."""
    one = _with_moments(np.zeros(1), np.eye(1))
    assert frechet_distance(one, _with_moments(np.full(1, 3.0), 4.0 * np.eye(1))) == pytest.approx(10.0)
    rng = np.random.default_rng(0)
    means, roots = rng.standard_normal((2, 5)), rng.standard_normal((2, 5, 5))
    a, b = (root @ root.T + np.eye(5) for root in roots)
    expected = ((means[0] - means[1]) ** 2).sum() + np.trace(a + b - 2 * scipy.linalg.sqrtm(a @ b).real)
    assert frechet_distance(_with_moments(means[0], a), _with_moments(means[1], b)) == pytest.approx(expected)


@given(st.integers(0, 1000), st.floats(-3, 3), st.floats(0.1, 3))
def test_the_frechet_distance_obeys_its_laws(seed: int, shift: float, scale: float) -> None:
    """It is 0 to itself, symmetric, the square of a shift, and known for a scale; singular covariances included."""
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, 7, 9))  # fewer images than features: covariances are singular
    assert frechet_distance(a, a) == pytest.approx(0.0, abs=1e-6)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), abs=1e-6)
    assert frechet_distance(a, a + shift) == pytest.approx(9 * shift**2, abs=1e-6)
    expected = ((scale - 1) ** 2) * ((a.mean(axis=0) ** 2).sum() + np.trace(np.cov(a, rowvar=False)))
    assert frechet_distance(a, scale * a) == pytest.approx(expected, abs=1e-6)


def test_features_that_cannot_be_compared_are_refused() -> None:
    """One image has no covariance, and features of different kinds no distance."""
    with pytest.raises(ShapeError, match="at least 2 images"):
        frechet_distance(np.zeros((1, 3)), np.zeros((4, 3)))
    with pytest.raises(ShapeError, match="at least 2 images"):
        frechet_distance(np.zeros((4, 2)), np.zeros((4, 3)))


def test_the_nearest_distance_finds_copies() -> None:
    """A copy is at 0, a copy 2 dB louder at 2 dB, whatever else there is; as the plain definition says."""
    rng = np.random.default_rng(0)
    known = rng.uniform(-80, 0, (300, 4, 5))
    np.testing.assert_allclose(nearest_distance(known[:3], known), 0.0, atol=1e-5)
    np.testing.assert_allclose(nearest_distance(known[5:7] + 2.0, known), 2.0, atol=1e-6)
    others = rng.uniform(-80, 0, (3, 4, 5))
    plain = [min(np.sqrt(((x - y) ** 2).mean()) for y in known) for x in others]
    np.testing.assert_allclose(nearest_distance(others, known), plain, atol=1e-6)


def test_class_balance_counts_classes() -> None:
    """Even classes count in full, one alone as 1, and two of three evenly as 2."""
    assert ClassBalance.of(np.tile(np.eye(3), (4, 1))).effective == pytest.approx(3.0)
    assert ClassBalance.of(np.tile(np.eye(3)[:1], (4, 1))) == ClassBalance((1.0, 0.0, 0.0), 1.0)
    assert ClassBalance.of(np.tile(np.eye(3)[:2], (4, 1))).effective == pytest.approx(2.0)


def test_the_pca_baseline_has_the_images_moments() -> None:
    """Draws have the images' mean and, within the components kept, their covariance; a class of its own where asked."""
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.standard_normal((12, 2)))[0].T
    images = (0.02 * rng.standard_normal((500, 2)) * [3, 1] @ directions + 0.1).astype(np.float32).reshape(500, 3, 4)
    drawn = pca_gaussian(images, 4000, seed=1, components=2).reshape(4000, 12)
    flat = images.reshape(500, 12)
    np.testing.assert_allclose(drawn.mean(axis=0), flat.mean(axis=0), atol=5e-3)
    np.testing.assert_allclose(np.cov(drawn, rowvar=False), np.cov(flat, rowvar=False), atol=3e-4)
    labels = np.arange(500) % 2
    two = pca_gaussian_by_class(images + labels[:, None, None].astype(np.float32) * 0.5, labels, 5, seed=0)
    assert [round(float(x.mean()), 1) for x in two] == [0.1, 0.6, 0.1, 0.6, 0.1]


def test_the_trap_repeats_one_clip_of_each_class() -> None:
    """Memorized images are training images, one per class, in turn."""
    images = np.arange(6, dtype=np.float32).reshape(6, 1, 1)
    drawn = memorized(images, np.array([0, 0, 1, 1, 2, 2]), 7, seed=0).ravel()
    assert [int(x) // 2 for x in drawn] == [0, 1, 2, 0, 1, 2, 0]
    assert len(set(drawn.tolist())) == 3


def _levels(each: int, seed: int) -> LevelClips:
    """Two classes that differ in where their energy lies, with noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(2 * each) % 2
    levels = rng.normal(-60, 4, (2 * each, SIZE, SIZE))
    for level, label in zip(levels, labels, strict=True):
        start = rng.integers(0, SIZE // 2)
        level[8 * label : 8 * label + 6, start : start + 6] += 30
    return LevelClips(levels.astype(np.float32), labels, ("low", "high"), ("",) * (2 * each))


@pytest.fixture(scope="session")
def model() -> GanModel:
    """A generator that has not been trained."""
    architecture = Architecture(size=SIZE, width=4, latent=8, classes=2)
    weights = {k: v.numpy() for k, v in make_networks(architecture, 0)[0].state_dict().items()}
    level_range = LevelRange(np.full(SIZE, -80.0), np.full(SIZE, 0.0), "of a test")
    return GanModel(architecture, ImageWindow(FRONT_END, SIZE), level_range, ("low", "high"), 0, weights)


@pytest.fixture(scope="session")
def scored(model: GanModel) -> SeedScore:
    """The score of that generator."""
    return score(model, _levels(120, 0), _levels(30, 1), 0, ScoreOptions(splits=2))


def test_a_judge_learns_classes_it_can_tell_apart() -> None:
    """On clips it has not seen it is right, its probabilities sum to 1, and a seed gives the same judge."""
    train, test = _levels(100, 0), _levels(30, 1)
    judges = [Judge.trained(train.levels, train.labels, 2, seed, torch.device("cpu"), epochs=4) for seed in (0, 0, 1)]
    probabilities, features = judges[0](test.levels)
    assert (probabilities.argmax(axis=1) == test.labels).mean() > 0.95
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-9)
    assert features.shape == (60, 128)
    assert judges[0].digest == judges[1].digest != judges[2].digest


def test_the_score_tells_real_simple_and_copied_images_apart(scored: SeedScore) -> None:
    """Real clips are nearest to real ones, the trap shows by its distances alone, and noise fails everywhere."""
    rows = {row.name: row for row in scored.rows}
    assert scored.judge_test_accuracy > 0.95
    real, trap = rows["test clips"], rows["one clip per class, memorized"]
    untrained = rows["generated"]
    assert real.inception > 1.8
    assert real.accuracy == scored.judge_test_accuracy
    assert rows["training clips"].frechet_train < rows["PCA Gaussian per class"].frechet_train
    assert untrained.frechet_train > 10 * rows["training clips"].frechet_train
    assert trap.nearest < 0.01 < real.nearest
    assert trap.inception > 1.8
    assert trap.frechet_test > 2 * real.frechet_train
    assert real.effective_classes == pytest.approx(2.0, abs=0.05)
    assert {row.images for row in scored.rows} == {60}
    assert untrained.splits == 2


def test_a_score_is_reproducible_and_shown(model: GanModel, scored: SeedScore) -> None:
    """The same seed gives the same score; the table has a line a set, and says what it may not be compared with."""
    again = score(model, _levels(120, 0), _levels(30, 1), 0, ScoreOptions(splits=2))
    assert again == scored
    lines = score_table([scored, scored])
    assert len(lines) == 1 + len(scored.rows) + 2
    assert f"{scored.rows[1].inception:.2f} ± 0.00" in lines[2]
    assert "cannot be compared" in lines[-1]


def test_scores_need_enough_clips_and_ones_held_out(model: GanModel, tmp_path: Path) -> None:
    """Too few clips, none held out, and no training beside the model are each one clear error."""
    with pytest.raises(ArgumentError, match="at equal numbers"):
        score(model, _levels(20, 0), _levels(30, 1), 0, ScoreOptions(images=21))
    with pytest.raises(ArgumentError, match="in 10 …"):
        ScoreOptions(images=3)
    soundfile.write(tmp_path / "a.wav", np.random.default_rng(0).uniform(-0.5, 0.5, 4000), 8_000)
    with pytest.raises(ArgumentError, match="no clips were held out"):
        TrainingSource(str(tmp_path / "a.wav")).test_clips()
    with pytest.raises(SourceError, match="--source"):
        TrainingSource.beside(tmp_path / "model.safetensors", "training.json")


def test_the_command_scores_the_training_beside_the_model(tmp_path: Path) -> None:
    """`gan score` finds the clips of the training, holds out what was held out, and gives every row in JSON."""
    rng, rows = np.random.default_rng(0), ["path,label,split"]
    for number in range(60):
        cycles = (0.05, 0.3)[number % 2]
        wave = 0.3 * np.sin(2 * np.pi * cycles * np.arange(1920)) + 0.01 * rng.standard_normal(1920)
        soundfile.write(tmp_path / f"{number}.wav", wave, 8_000)
        rows.append(f"{number}.wav,{number % 2},{'test' if number < 20 else 'train'}")
    (tmp_path / "clips.csv").write_text("\n".join(rows) + "\n")
    options = ["--sample-rate", "8000", "--n-fft", "256", "--hop-length", "128", "--n-mels", "16", "--size", "16"]
    train = [*options, "--width", "4", "--latent", "8", "--batch-size", "4", "--steps", "2", "--hold-out", "split=test"]
    runner, folder = CliRunner(), str(tmp_path / "run")
    done = runner.invoke(app, ["gan", "train", str(tmp_path / "clips.csv"), "-o", folder, *train])
    assert done.exit_code == 0, done.stderr
    asked = ["gan", "score", folder, "--seeds", "1", "--splits", "1", "--epochs", "1"]
    told = json.loads(runner.invoke(app, [*asked, "--json"]).stdout)
    assert told["steps"] == [2]
    names = [row["name"] for row in told["seeds"][0]["rows"]]
    assert names[:2] == ["training clips", "test clips"]
    assert "generated, heard" in names
    table = runner.invoke(app, [*asked, "-n", "10"])
    assert "n = 10 images a split" in table.stdout
    words = {one["name"]: one.get("word") for one in told["taught"]}
    assert words == {
        "training clips": None,
        "PCA Gaussian per class": "cannot be said from this",
        "one clip per class, memorized": "cannot be said from this",
        "one clip per class, delayed": "cannot be said from this",
    }
    assert "one fold and one seed" in table.stdout


def test_copies_are_found_though_moved() -> None:
    """A clip that is moved by six frames, by two bands, made quieter, or all three is at 0; a fresh one is not."""
    clips = _levels(40, 0).levels.astype(np.float64)
    moved = np.stack(
        [
            np.concatenate([np.zeros((SIZE, 6)), clips[3][:, :-6]], axis=1),
            np.concatenate([clips[4][2:], np.zeros((2, SIZE))]),
            clips[5] - 4.0,
            np.concatenate([np.zeros((SIZE, 2)), clips[6][:, :-2]], axis=1) + 3.0,
            clips[7],
        ]
    )
    np.testing.assert_allclose(copy_distance(moved, clips), 0.0, atol=1e-6)
    assert copy_distance(_levels(5, 9).levels, clips).min() > 0.2
    with pytest.raises(ShapeError, match="of one size"):
        copy_distance(clips, clips[:, :8])


def test_the_three_sample_test_keeps_its_size_and_finds_copies() -> None:
    """Equal distances give a standard normal statistic in each cell; images nearer than test clips give copies."""
    rng, found = np.random.default_rng(0), []
    for _ in range(300):
        a, b = rng.gamma(4.0, size=(2, 60))
        found.append(three_sample_test(a, b, np.zeros(60, dtype=int), np.zeros(60, dtype=int)).statistic)
    assert abs(np.mean(found)) < 0.2
    assert np.std(found) == pytest.approx(1.0, abs=0.15)
    cells = np.arange(60) % 3
    assert three_sample_test(0.2 * b, b, cells, cells).word == "copies"
    assert three_sample_test(b, b, cells, cells).word == "no copies"
    half = np.where(np.arange(60) % 4 == 0, 0.01, b)
    assert three_sample_test(half, b, cells, cells).word != "no copies"


def test_both_traps_are_called_copies(scored: SeedScore) -> None:
    """One clip per class, also delayed by two frames, is found out; an untrained generator is not blamed."""
    rows = {row.name: row for row in scored.rows}
    assert rows["one clip per class, memorized"].copied == "copies"
    assert rows["one clip per class, delayed"].copied == "copies"
    assert rows["one clip per class, delayed"].nearest > 1.0
    assert rows["one clip per class, delayed"].copy_distance < 0.1
    assert rows["generated"].copied == "no copies"
    assert rows["test clips"].copies is None


def _lessons(shares: dict[str, float], seeds: int, clips: int = 400) -> list[list[Lesson]]:
    """Networks that are right on these shares of the test clips, each on clips of its own choice."""
    rng = np.random.default_rng(1)
    return [
        [Lesson(name, 100, tuple((rng.random(clips) < share).tolist())) for name, share in shares.items()]
        for _ in range(seeds)
    ]


def test_sets_that_teach_less_are_called_worse_and_equal_ones_are_not() -> None:
    """Accuracy, interval and word recover shares that are known; a single seed gives no word."""
    clips = tuple(map(str, range(400)))
    shares = {REAL: 0.9, "poor": 0.6, "alike": 0.9}
    real, poor, alike = compare_lessons(_lessons(shares, 5), clips)
    assert real.verdict is None
    assert (poor.verdict.word, alike.verdict.word) == ("worse", "not significant")
    for found, share in zip((real, poor, alike), shares.values(), strict=True):
        assert found.low < share < found.high
        assert found.high - found.low < 0.08
    assert poor.verdict.difference.estimate == pytest.approx(-0.3, abs=0.04)
    single = compare_lessons(_lessons(shares, 1), clips)[1]
    assert single.verdict.word == "cannot be said from this"
    few = compare_lessons(_lessons(shares, 5), tuple(str(i % 6) for i in range(400)))[1]
    assert few.verdict.word == "cannot be said from this"
    assert "6 recordings or speakers" in teaching_table([real, few])[-1]
    assert "worse" in teaching_table([real, poor])[2]
    with pytest.raises(ArgumentError, match="not tested on 3 clips"):
        compare_lessons(_lessons(shares, 2), ("a", "b", "c"))
    with pytest.raises(ArgumentError, match="training clips"):
        compare_lessons([one[1:] for one in _lessons(shares, 2)], clips)


def test_real_clips_teach_and_noise_does_not(model: GanModel, scored: SeedScore) -> None:
    """Training clips teach two plain classes, and an untrained generator does not; all by equal numbers."""
    found = {one.name: one for one in scored.lessons}
    assert list(found) == [
        "training clips",
        "generated",
        "PCA Gaussian per class",
        "one clip per class, memorized",
        "one clip per class, delayed",
    ]
    assert {one.images for one in scored.lessons} == {120}
    assert {len(one.hits) for one in scored.lessons} == {60}
    assert found["training clips"].accuracy > 0.9
    assert found["generated"].accuracy < 0.8
    with pytest.raises(ArgumentError, match="equal numbers"):
        score(model, _levels(20, 0), _levels(30, 1), 0, ScoreOptions(images=20, splits=1, taught=21))


def test_recordings_are_units_only_if_they_are_held_out(tmp_path: Path) -> None:
    """A column whose values are on both sides is passed over, and without another one each clip is a unit."""
    for name in "abcd":
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(800), 8_000)
    for header, rows, expected in (
        ("speaker,recording", ("s,1", "t,2", "s,3", "t,3"), ("recording 3", "recording 3")),
        ("speaker", ("s", "t", "u", "u"), ("speaker u", "speaker u")),
        ("speaker", ("s", "t", "s", "t"), ("c.wav", "d.wav")),
    ):
        lines = [
            f"{n}.wav,{part},{row}" for n, part, row in zip("abcd", ("train",) * 2 + ("test",) * 2, rows, strict=True)
        ]
        (tmp_path / "clips.csv").write_text("\n".join([f"path,split,{header}", *lines]) + "\n")
        origin = TrainingSource(str(tmp_path / "clips.csv"), (("split", "test"),))
        unseen = origin.test_clips()
        found = groups_of(origin.training_clips(), unseen, [clip.name for clip in unseen])
        assert found == expected


def test_models_of_two_designs_are_not_scored_together(model: GanModel) -> None:
    """Trainings that differ in more than their weights are one clear error."""
    require_one_design([model, model])
    with pytest.raises(ArgumentError, match="differ in their step"):
        require_one_design([model, replace(model, step=5)])
