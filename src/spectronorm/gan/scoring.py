"""Score of a trained model next to real clips, baselines and traps, by one judge, at equal numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from spectronorm.arrays import Floats, set_whole_numbers
from spectronorm.errors import ArgumentError
from spectronorm.gan.baselines import delayed, memorized, pca_gaussian, pca_gaussian_by_class
from spectronorm.gan.clips import LevelClips
from spectronorm.gan.copies import copy_distance, three_sample_test
from spectronorm.gan.judge import EPOCHS, Judge
from spectronorm.gan.model import GanModel
from spectronorm.gan.quality import ClassBalance, frechet_distance, inception_score, nearest_distance
from spectronorm.gan.round_trip import heard
from spectronorm.gan.scaling import from_unit, to_unit
from spectronorm.gan.seed_score import Row, SeedScore
from spectronorm.gan.teaching import REAL, Lesson, lesson
from spectronorm.suggestion import known_keywords, known_settings

Told = Callable[[str], None]
TEST, HEARD_TEST, HEARD = "test clips", "test clips, heard", "generated, heard"
_NOT_TAUGHT = (REAL, TEST, HEARD_TEST, HEARD)
"""Sets that teach nothing: half of the training clips, the clips that are tested, and sets of one split alone."""

COMPARED = 100
"""Largest number of images of a set that are compared with the training clips at every shift."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """Set of images to be scored.

    Attributes:
        name: Name of the set.
        levels: Levels `(image, band, frame)`.
        labels: The intended class index of each image, or None.
        beside: Indices of the training clips to compare with; None for all.
    """

    name: str
    levels: NDArray[np.floating]
    labels: NDArray[np.int64] | None
    beside: NDArray[np.int64] | None = None


@known_settings
@dataclass(frozen=True)
class ScoreOptions:
    """Options for scoring a model.

    Attributes:
        images: Number of images in a split; by default the number of test clips, at most half the training clips.
        splits: Number of splits of the samples.
        epochs: Number of epochs that each judge, and each network that a set teaches, is trained for.
        taught: Number of images that each set teaches with; by default all of the samples, at most the number of
            training clips.

    Raises:
        ArgumentError: if a number is out of range.

    >>> ScoreOptions(images=100, splits=2).splits
    2
    """

    images: int | None = None
    splits: int = 5
    epochs: int = EPOCHS
    taught: int | None = None

    def __post_init__(self) -> None:
        set_whole_numbers(self, ("splits", "epochs"), 1, 100_000)
        if self.images is not None:
            set_whole_numbers(self, ("images",), 10, 1_000_000)
        if self.taught is not None:
            set_whole_numbers(self, ("taught",), 2, 1_000_000)


@known_keywords
def score(
    model: GanModel,
    train: LevelClips,
    test: LevelClips,
    seed: int,
    options: ScoreOptions | None = None,
    *,
    told: Told = lambda _: None,
) -> SeedScore:
    """Train a judge on the training clips, and score all candidates with it.

    Args:
        model: Model to score.
        train: The training clips, with labels.
        test: Clips that the model has not seen.
        seed: Seed of the judge, the samples and the choices of clips.
        options: Options for scoring.
        told: Called with a description of each stage.

    Raises:
        ArgumentError: if there are too few clips.

    >>> import pathlib, tempfile, numpy as np, soundfile, spectronorm as sn
    >>> from spectronorm.gan import GanDesign, GanTraining, TrainingSource, prepare_gan, train_gan
    >>> from spectronorm.gan.clips import read_levels
    >>> stft, compress = sn.STFT(256, hop_length=128), sn.Decibel(floor_db=-80.0)
    >>> front_end = sn.FrontEnd(8000, stft=stft, bands=sn.Mel(16), compress=compress)
    >>> design = GanDesign(size=16, width=2, latent=4, training=GanTraining(batch_size=2, device="cpu"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for n, wave in enumerate(0.1 * np.random.default_rng(0).standard_normal((24, 1920))):
    ...         path = pathlib.Path(folder) / "sounds" / "ab"[n % 2] / f"{n}.wav"
    ...         path.parent.mkdir(parents=True, exist_ok=True)
    ...         soundfile.write(path, wave, 8000)
    ...     origin, run = TrainingSource(f"{folder}/sounds"), pathlib.Path(folder) / "run"
    ...     _ = list(train_gan(prepare_gan(origin, front_end, design), run, 1))
    ...     model = GanModel.load(run / "model.safetensors")
    ...     clips = read_levels(origin.training_clips(), model.window, classes=("a", "b"))
    >>> found = score(model, clips, clips, seed=0, options=ScoreOptions(images=10, splits=1, epochs=1))
    >>> [row.name for row in found.rows][:2]
    ['training clips', 'test clips']
    """
    options = options or ScoreOptions()
    most = min(len(test.levels), len(train.levels) // 2)
    count = most if options.images is None else options.images
    if not 2 <= count <= most:
        raise ArgumentError(
            f"images={count}, but {len(test.levels)} test and {len(train.levels)} training clips allow 2 … {most}: "
            "distances are compared at equal numbers"
        )
    teachers = min(count * options.splits, len(train.levels)) if options.taught is None else options.taught
    if teachers > min(count * options.splits, len(train.levels)):
        raise ArgumentError(
            f"taught={teachers}, but there are {count * options.splits} samples and {len(train.levels)} training "
            "clips; all sets teach with equal numbers"
        )
    told("training the judge")
    judge = Judge.trained(train.levels, train.labels, len(train.classes), seed, torch.device("cpu"), options.epochs)
    referee = _Referee(judge, train, test, count, seed)
    rows = []
    drawn = np.random.default_rng([seed, 33]).permutation(len(train.levels))[:teachers]

    def taught(name: str, levels: NDArray[np.floating], labels: NDArray[np.int64]) -> Lesson:
        return lesson(name, levels[:teachers], labels[:teachers], test, len(train.classes), seed, options.epochs)

    lessons = [taught(REAL, train.levels[drawn], train.labels[drawn])]
    for make in candidates(model, train, test, count, options.splits, seed):
        candidate = make()
        told(candidate.name)
        rows.append(referee.row(candidate))
        if candidate.labels is not None and candidate.name not in _NOT_TAUGHT:
            lessons.append(taught(candidate.name, candidate.levels, candidate.labels))
    return SeedScore(
        seed,
        judge.digest,
        _accuracy(judge, train.levels, train.labels),
        _accuracy(judge, test.levels, test.labels),
        tuple(rows),
        tuple(lessons),
    )


def candidates(
    model: GanModel, train: LevelClips, test: LevelClips, count: int, splits: int, seed: int
) -> tuple[Callable[[], Candidate], ...]:
    """List everything that is scored: real clips, the model's samples, simple baselines, and a cheat."""
    total = count * splits
    rng = np.random.default_rng([seed, 30])
    images = to_unit(train.levels, model.level_range)
    # One half of the training clips is compared with the other half, so that no clip is compared with itself.
    half, rest = np.array_split(rng.permutation(len(train.levels)), 2)
    chosen = rng.permutation(len(test.levels))[:count]
    labels = model.labels(total) if model.classes else None

    def unscaled(x: NDArray[np.float32]) -> NDArray[np.float64]:
        return from_unit(x, model.level_range)

    def generated(number: int) -> NDArray[np.float64]:
        return model.sample(number, seed)

    in_turn = np.resize(np.unique(train.labels), total)
    return (
        lambda: Candidate(REAL, train.levels[half], train.labels[half], rest),
        lambda: Candidate(TEST, test.levels[chosen], test.labels[chosen]),
        lambda: Candidate(HEARD_TEST, heard(model, test.levels[chosen], seed), test.labels[chosen]),
        lambda: Candidate("generated", generated(total), labels),
        lambda: Candidate(HEARD, heard(model, generated(count), seed), None if labels is None else labels[:count]),
        lambda: Candidate("PCA Gaussian", unscaled(pca_gaussian(images, total, seed)), None),
        lambda: Candidate(
            "PCA Gaussian per class", unscaled(pca_gaussian_by_class(images, train.labels, total, seed)), in_turn
        ),
        lambda: Candidate(
            "one clip per class, memorized", unscaled(memorized(images, train.labels, total, seed)), in_turn
        ),
        lambda: Candidate("one clip per class, delayed", unscaled(delayed(images, train.labels, total, seed)), in_turn),
    )


class _Referee:
    """A judge together with the real clips that it compares with."""

    def __init__(self, judge: Judge, train: LevelClips, test: LevelClips, count: int, seed: int) -> None:
        self.judge, self.count = judge, count
        self.levels, self.train = train.levels, judge(train.levels)[1]
        probabilities, self.test = judge(test.levels)
        some = np.random.default_rng([seed, 32]).permutation(len(test.levels))[:COMPARED]
        self.test_cells = probabilities.argmax(axis=1)[some]
        self.test_distances = copy_distance(test.levels[some], train.levels)
        self.rng = np.random.default_rng([seed, 31])

    def row(self, candidate: Candidate) -> Row:
        """Score one candidate."""
        probabilities, features = self.judge(candidate.levels)
        splits = len(features) // self.count
        parts = features[: splits * self.count].reshape(splits, self.count, -1)
        beside = np.arange(len(self.train)) if candidate.beside is None else candidate.beside
        nearest = nearest_distance(candidate.levels[: self.count], self.levels[beside])
        balance = ClassBalance.of(probabilities)
        wanted, few = candidate.labels, slice(min(self.count, COMPARED))
        moved = copy_distance(candidate.levels[few], self.levels[beside])
        cells = probabilities[few].argmax(axis=1)
        real = candidate.name == TEST
        copied = None if real else three_sample_test(moved, self.test_distances, cells, self.test_cells)
        return Row(
            name=candidate.name,
            images=self.count,
            splits=splits,
            inception=inception_score(probabilities, splits)[0],
            frechet_train=self._distance(parts, self.train[beside]),
            frechet_test=None if real else self._distance(parts, self.test),
            nearest=float(np.median(nearest)),
            nearest_low=float(np.quantile(nearest, 0.05)),
            accuracy=None if wanted is None else float((probabilities.argmax(axis=1) == wanted).mean()),
            effective_classes=balance.effective,
            rarest=min(balance.shares),
            copy_distance=float(np.median(moved)),
            copies=None if copied is None else copied.statistic,
            nearer=None if copied is None else copied.nearer,
            copied="" if copied is None else copied.word,
        )

    def _distance(self, parts: Floats, real: Floats) -> float:
        """Mean Fréchet distance of the splits to an equal number of real clips."""
        some = (real[self.rng.permutation(len(real))[: self.count]] for _ in parts)
        return float(np.mean([frechet_distance(part, other) for part, other in zip(parts, some, strict=True)]))


def _accuracy(judge: Judge, levels: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    return float((judge(levels)[0].argmax(axis=1) == labels).mean())
