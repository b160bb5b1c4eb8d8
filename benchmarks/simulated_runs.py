"""Simulated comparisons whose truth is known, for `benchmarks.calibration`.

Model of the outcomes: clip `c` is classified correctly by arm `a` with seed `s` if a normal score is above zero. The
score is the sum of a part that all arms share (the clip's difficulty, in part common to a recording or speaker), a part
of arm and clip that stays over seeds, noise of each model and clip, and a shift common to all clips of one model
(`run`). Accuracy is 84 % and the discordance of two arms 10.7 %, as measured with the tiny model on ESC-10.

For the other metrics each class has such a score, higher by a distance for the clips of the class, and one clip has one
of five labels, or each of five with a chance of 10 to 50 %. The distance varies from model to model.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from spectronorm.experiment.answer.outcomes import Outcomes
from spectronorm.experiment.metrics.known import find_metric
from spectronorm.experiment.metrics.metric import Metric
from spectronorm.experiment.metrics.own_function import FunctionMetric

ACCURACY, DISCORDANCE = 0.84, 0.107
CHANCES = (0.1, 0.2, 0.3, 0.4, 0.5)
DISTANCE, SHARED = 2.0, 0.6
_MODELS = 200


@dataclass(frozen=True)
class Setting:
    """Design of a simulated comparison.

    Attributes:
        folds: Number of tested clips of each fold.
        seeds: Number of seeds.
        arms: Number of arms.
        run: Standard deviation of the shift common to all clips of one model, in points of accuracy.
        speakers: Number of speakers in all folds together; 0 for recordings, of which ESC-10 has 3 for 4 clips.
        accuracy: Accuracy of each arm.
    """

    folds: tuple[int, ...]
    seeds: int
    arms: int = 2
    run: float = 1.8
    speakers: int = 0
    accuracy: float = ACCURACY

    @property
    def name(self) -> str:
        """Return the design in words."""
        sizes = "+".join(map(str, self.folds)) if len(set(self.folds)) > 1 else f"{len(self.folds)} × {self.folds[0]}"
        who = f", {self.speakers} speakers" if self.speakers else ""
        how = "" if self.accuracy == ACCURACY else f", accuracy {self.accuracy:.2f}"
        return f"{sizes} clips, seeds {self.seeds}, arms {self.arms}, run {self.run:g}{who}{how}"


@functools.cache
def shared_share(accuracy: float) -> float:
    """Return the share of the score's variance that two arms have in common, so that they disagree as measured."""
    cut = stats.norm.ppf(1 - accuracy)

    def disagreement(shared: float) -> float:
        both = stats.multivariate_normal.cdf([-cut, -cut], mean=[0, 0], cov=[[1, shared], [shared, 1]])
        return float(2 * (accuracy - both)) - DISCORDANCE

    return float(optimize.brentq(disagreement, 0.05, 0.999))


def simulate(setting: Setting, advantage: float, generator: np.random.Generator) -> Outcomes:
    """Draw the outcomes of one run, in which the first arm is better than all others by `advantage` points."""
    sizes = np.array(setting.folds)
    clips = int(sizes.sum())
    folds = np.repeat(np.arange(len(sizes)), sizes)
    groups = _groups(setting, sizes, folds)
    shared = shared_share(setting.accuracy)
    density = float(stats.norm.pdf(stats.norm.ppf(setting.accuracy)))
    ease = np.sqrt(shared) * _difficulty(groups, generator)
    alone = 1 - shared
    of_arm = np.sqrt(alone / 2) * generator.standard_normal((setting.arms, clips, 1))
    noise = np.sqrt(alone / 2) * generator.standard_normal((setting.arms, clips, setting.seeds))
    run = setting.run / 100 / density * generator.standard_normal((setting.arms, len(sizes), setting.seeds))
    level = np.full((setting.arms, 1, 1), stats.norm.ppf(setting.accuracy))
    spread = np.sqrt(1 + (setting.run / 100 / density) ** 2)
    level[0] = stats.norm.ppf(setting.accuracy + advantage / 100)
    hits = ease[:, None] + of_arm + noise + run[:, folds] + level * spread > 0
    names = tuple(f"arm {number}" for number in range(setting.arms))
    return Outcomes(names, hits.astype(float), folds, groups)


def _groups(setting: Setting, sizes: np.ndarray, folds: np.ndarray) -> np.ndarray:
    if setting.speakers:
        each = setting.speakers // len(sizes)
        return np.asarray(folds * each + np.concatenate([np.arange(size) % each for size in sizes]))
    # Recordings of two, one and one clips: three for four clips.
    pattern = np.concatenate(
        [np.array([0, 0, 1, 2])[np.arange(size) % 4] + 3 * (np.arange(size) // 4) for size in sizes]
    )
    _, found = np.unique(np.stack([folds, pattern]), axis=1, return_inverse=True)
    return np.asarray(found).ravel()


def _difficulty(groups: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return the clips' difficulty, of which half the variance is common to a recording or speaker."""
    common = generator.standard_normal(groups.max() + 1)[groups]
    return np.asarray(math.sqrt(0.5) * common + math.sqrt(0.5) * generator.standard_normal(len(groups)))


@dataclass(frozen=True)
class MetricSetting:
    """Design of a simulated comparison under a metric that is no mean over clips.

    Attributes:
        metric: Name of the metric.
        folds: Number of tested clips of each fold.
        seeds: Number of seeds.
        several: A clip may have several labels.
        run: Standard deviation over models of the distance between classes, which is 2 on average.
    """

    metric: str
    folds: tuple[int, ...]
    seeds: int
    several: bool = True
    run: float = 0.1

    @property
    def name(self) -> str:
        """Return the design in words."""
        labels = "several labels" if self.several else "one label"
        return (
            f"{self.metric.rpartition(':')[2]}, {labels}, {len(self.folds)} × {self.folds[0]} clips, seeds {self.seeds}"
        )


def macro_f1(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """Mean over classes of the F1 score, as a user's own function."""
    guess, classes = probabilities.argmax(axis=1), probabilities.shape[1]
    both = np.bincount(labels[guess == labels], minlength=classes)
    either = np.bincount(labels, minlength=classes) + np.bincount(guess, minlength=classes)
    return float((2 * both / np.maximum(either, 1)).mean())


OWN = "benchmarks.simulated_runs:macro_f1"


def simulate_metric(setting: MetricSetting, advantage: float, generator: np.random.Generator) -> Outcomes:
    """Draw the outcomes of one run of two arms; the distance between classes is wider by `advantage` in the first."""
    sizes = np.array(setting.folds)
    clips, classes = int(sizes.sum()), len(CHANCES)
    folds = np.repeat(np.arange(len(sizes)), sizes)
    groups = _groups(Setting(setting.folds, setting.seeds), sizes, folds)
    truth = _truth(setting, sizes, generator)
    metric = find_metric(setting.metric)
    ease = np.sqrt(SHARED) * np.stack([_difficulty(groups, generator) for _ in range(classes)], axis=1)
    of_arm = np.sqrt((1 - SHARED) / 2) * generator.standard_normal((2, clips, classes))
    values = np.empty((2, clips, setting.seeds))
    for arm, fold, seed in np.ndindex(2, len(sizes), setting.seeds):
        rows = folds == fold
        distance = DISTANCE + setting.run * generator.standard_normal() + (advantage if arm == 0 else 0.0)
        noise = np.sqrt((1 - SHARED) / 2) * generator.standard_normal((int(rows.sum()), classes))
        scores = distance * truth[rows] - distance / 2 + ease[rows] + of_arm[arm, rows] + noise
        if not setting.several and (isinstance(metric, FunctionMetric) or metric.name == "recall"):
            scores = special.log_softmax(scores, axis=1)  # probabilities that add up to one
        values[arm, rows, seed] = metric.by_clip(truth[rows], scores)
    reach = max(metric.reach(truth[folds == fold]) for fold in range(len(sizes)))
    return Outcomes(("a", "b"), values, folds, groups, reach=reach)


@functools.cache
def widening(setting: MetricSetting, difference: float) -> float:
    """Return by how much wider the distance is in an arm whose metric differs by `difference` on average.

    The average is over models with the spread and the number of clips of the design, which share all noise.
    """
    if not difference:
        return 0.0
    generator = np.random.default_rng(5)
    metric, size = find_metric(setting.metric), setting.folds[0]
    models = []
    for _ in range(_MODELS):
        truth = _truth(setting, np.array([size]), generator)
        noise = generator.standard_normal(truth.shape)
        models.append((truth, noise, DISTANCE + setting.run * generator.standard_normal()))

    def mean(wider: float) -> float:
        return float(np.mean([_figure(metric, t, (d + wider) * (t - 0.5) + noise) for t, noise, d in models]))

    before = mean(0.0)
    return float(optimize.brentq(lambda wider: abs(mean(wider) - before) - difference, 0.0, 2.0, xtol=1e-3))


def _figure(metric: Metric, truth: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    if isinstance(metric, FunctionMetric):
        return metric.value(truth.argmax(axis=1), np.exp(scores))
    if metric.name == "recall":
        scores = special.log_softmax(scores, axis=1)
    return float(metric.by_clip(truth, scores).mean())


def _truth(setting: MetricSetting, sizes: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draw the labels, such that each fold has two clips of each class."""
    parts = []
    for size in sizes:
        if setting.several:
            part = generator.random((size, len(CHANCES))) < CHANCES
            part[: 2 * len(CHANCES)] |= np.tile(np.eye(len(CHANCES), dtype=bool), (2, 1))
        else:
            part = np.eye(len(CHANCES), dtype=bool)[generator.permutation(np.arange(size) % len(CHANCES))]
        parts.append(part)
    return np.concatenate(parts)
