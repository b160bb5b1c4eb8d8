"""Chance of each word in simulated comparisons whose truth is known, through the functions that `compare` uses.

    python benchmarks/calibration.py null            # arms that are equal: better, worse and equivalent
    python benchmarks/calibration.py margin          # arms that differ by 2, 3 and 4 points: equivalent
    python benchmarks/calibration.py power           # arms that differ by the stated difference: better
    python benchmarks/calibration.py metrics         # equal arms under other metrics than accuracy
    python benchmarks/calibration.py null --draws 1000 --only "1 × 400 clips" --json

Model of the outcomes: clip `c` is classified correctly by arm `a` with seed `s` if a normal score is above zero. The
score is the sum of a part that all arms share (the clip's difficulty, in part common to a recording or speaker), a part
of arm and clip that stays over seeds, noise of each model and clip, and a shift common to all clips of one model
(`run`). Accuracy is 84 % and the discordance of two arms 10.7 %, as measured with the tiny model on ESC-10.

For the other metrics each class has such a score, higher by a distance for the clips of the class, and one clip has one
of five labels, or each of five with a chance of 10 to 50 %. The distance varies from model to model.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy import optimize, stats

from spectronorm.experiment.answer.outcomes import Outcomes
from spectronorm.experiment.answer.power import detectable
from spectronorm.experiment.answer.precision import precision_of
from spectronorm.experiment.answer.statistics import bootstrap
from spectronorm.experiment.answer.words import BETTER, EQUIVALENT, UNRESOLVED, UNSAID, WORSE, verdicts
from spectronorm.experiment.metrics.known import find_metric

_Design = TypeVar("_Design", "Setting", "MetricSetting")
ACCURACY, DISCORDANCE = 0.84, 0.107
REPLICATES = 1000


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


DESIGNS = (
    Setting((80,) * 5, 3),
    Setting((80,) * 5, 3, arms=6),
    Setting((80,) * 5, 1),
    Setting((80,) * 5, 3, run=5.0),
    Setting((40,) * 2, 1),
    Setting((200,) * 2, 1),
    Setting((200, 50, 50, 50, 50), 3),
    Setting((500,) * 6, 3, speakers=6),
    Setting((1000,) * 3, 1, speakers=6),
    Setting((500,), 3, speakers=6),
    *(
        Setting((clips,), seeds, run=run)
        for clips in (40, 400, 2000)
        for seeds in (1, 3, 5, 10)
        for run in (0, 0.5, 1, 1.8)
    ),
    Setting((400,), 3, run=5.0, accuracy=0.6),
    Setting((400,), 3, arms=6),
)
MARGIN_DESIGNS = (
    Setting((40,), 1),
    Setting((20,) * 2, 1),
    Setting((20,) * 2, 3),
    Setting((40,) * 2, 1),
    Setting((80,), 5),
    Setting((20,) * 5, 1),
    Setting((400,), 1),
    Setting((400,), 3, run=0),
    Setting((2000,), 3, run=0),
    Setting((2000,), 3),
    Setting((80,) * 5, 1),
    Setting((80,) * 5, 3),
    Setting((80,) * 5, 3, run=0),
    Setting((400,) * 5, 3),
)
POWER_DESIGNS = (
    Setting((80,) * 5, 3),
    Setting((80,) * 5, 3, arms=3),
    Setting((80,) * 5, 3, arms=6),
    Setting((80,) * 5, 1),
    Setting((80,) * 3, 1, arms=3, accuracy=0.6),
    Setting((200,) * 2, 3, accuracy=0.6),
    Setting((400,), 3),
    Setting((400,), 10),
    Setting((2000,), 5),
)


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


def words(setting: Setting, advantage: float, draws: int, seed: int) -> list[list[str]]:
    """Return the words about the first arm against each other arm in `draws` simulated runs."""
    found = []
    for draw in range(draws):
        generator = np.random.default_rng([seed, draw])
        resampled = bootstrap(simulate(setting, advantage, generator), replicates=REPLICATES, seed=draw)
        names = resampled.outcomes.arms
        pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
        said = verdicts([resampled.difference(a, b) for a, b in pairs])
        found.append([verdict.word for verdict in said])
    return found


def null(draws: int, seed: int, only: str) -> list[dict[str, object]]:
    """Return the chance of each word among equal arms: for any pair of a run, and for a single pair."""
    rows = []
    for setting in selected(DESIGNS, only):
        found = words(setting, 0.0, draws, seed)
        print(setting.name, file=sys.stderr, flush=True)
        flat = [word for each in found for word in each]
        rows.append(
            {
                "design": setting.name,
                "better or worse, any pair": share(any(w in (BETTER, WORSE) for w in each) for each in found),
                "unresolved": share(w == UNRESOLVED for w in flat),
                "equivalent": share(w == EQUIVALENT for w in flat),
                "cannot be said": share(w == UNSAID for w in flat),
            }
        )
    return rows


def margin(draws: int, seed: int, only: str) -> list[dict[str, object]]:
    """Return the chance of the word "equivalent" for arms that differ by 2, 3 and 4 points."""
    return [
        {"design": setting.name}
        | {
            f"{size} points": share(each[0] == EQUIVALENT for each in words(setting, size, draws, seed))
            for size in (0, 2, 3, 4)
        }
        for setting in selected(MARGIN_DESIGNS, only)
    ]


def power(draws: int, seed: int, only: str) -> list[dict[str, object]]:
    """Return the chance of the word "better" for arms that differ by the difference that a run states.

    A run states it from its own precision, which few folds or seeds know badly: so the quartiles too.
    """
    rows = []
    for setting in selected(POWER_DESIGNS, only):
        stated = []
        for draw in range(draws):
            resampled = bootstrap(
                simulate(setting, 0.0, np.random.default_rng([seed, 1, draw])), replicates=REPLICATES, seed=draw
            )
            names = resampled.outcomes.arms
            pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
            stated.append(detectable(precision_of([resampled.difference(a, b) for a, b in pairs]), len(pairs)))
        low, size, high = (100 * float(size) for size in np.quantile(stated, [0.25, 0.5, 0.75]))
        limit = 100 * (0.995 - setting.accuracy)
        row: dict[str, object] = {"design": setting.name, "stated (points)": round(size, 1)}
        row["middle half of the runs"] = f"{low:.1f} … {high:.1f}"
        found = words(setting, size, draws, seed) if size < limit else []
        row["better"] = share(each[0] == BETTER for each in found) if found else None
        rows.append(row)
        print(row, file=sys.stderr, flush=True)
    return rows


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
        return f"{self.metric}, {labels}, {len(self.folds)} × {self.folds[0]} clips, seeds {self.seeds}"


METRIC_DESIGNS = (
    *(
        MetricSetting(name, folds, seeds, several)
        for name in ("map", "eer")
        for folds, seeds, several in (
            ((80,) * 5, 3, True),
            ((80,) * 5, 3, False),
            ((40,) * 5, 1, True),
            ((400,), 5, True),
            ((400,) * 5, 3, True),
        )
    ),
    MetricSetting("auc", (80,) * 5, 3),
    MetricSetting("auc", (400,), 5),
    MetricSetting("recall", (80,) * 5, 3, several=False),
    MetricSetting("recall", (400,), 5, several=False),
)
CHANCES = (0.1, 0.2, 0.3, 0.4, 0.5)


def simulate_metric(setting: MetricSetting, advantage: float, generator: np.random.Generator) -> Outcomes:
    """Draw the outcomes of one run of two arms; the distance between classes is wider by `advantage` in the first."""
    sizes = np.array(setting.folds)
    clips, classes = int(sizes.sum()), len(CHANCES)
    folds = np.repeat(np.arange(len(sizes)), sizes)
    groups = _groups(Setting(setting.folds, setting.seeds), sizes, folds)
    truth = _truth(setting, sizes, generator)
    metric = find_metric(setting.metric)
    shared = 0.6
    ease = np.sqrt(shared) * np.stack([_difficulty(groups, generator) for _ in range(classes)], axis=1)
    of_arm = np.sqrt((1 - shared) / 2) * generator.standard_normal((2, clips, classes))
    values = np.empty((2, clips, setting.seeds))
    for arm, fold, seed in np.ndindex(2, len(sizes), setting.seeds):
        rows = folds == fold
        distance = 2.0 + setting.run * generator.standard_normal() + (advantage if arm == 0 else 0.0)
        noise = np.sqrt((1 - shared) / 2) * generator.standard_normal((int(rows.sum()), classes))
        scores = distance * truth[rows] - distance / 2 + ease[rows] + of_arm[arm, rows] + noise
        values[arm, rows, seed] = metric.by_clip(truth[rows], scores)
    reach = max(metric.reach(truth[folds == fold]) for fold in range(len(sizes)))
    return Outcomes(("a", "b"), values, folds, groups, reach=reach)


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


def metrics(draws: int, seed: int, only: str) -> list[dict[str, object]]:
    """Return the chance of each word about two equal arms under each metric, and how often the intervals hold zero."""
    rows = []
    for setting in selected(METRIC_DESIGNS, only):
        found = []
        for draw in range(draws):
            generator = np.random.default_rng([seed, 7, draw])
            resampled = bootstrap(simulate_metric(setting, 0.0, generator), replicates=REPLICATES, seed=draw)
            (verdict,) = verdicts([resampled.difference("a", "b")])
            found.append(verdict)
        rows.append(
            {
                "design": setting.name,
                "better or worse": share(v.word in (BETTER, WORSE) for v in found),
                "unresolved": share(v.word == UNRESOLVED for v in found),
                "equivalent": share(v.word == EQUIVALENT for v in found),
                "bootstrap holds zero": share(not v.difference.bootstrap.excludes_zero for v in found),
                "over folds or seeds": share(not v.difference.units.excludes_zero for v in found if v.difference.units),
            }
        )
        print(rows[-1], file=sys.stderr, flush=True)
    return rows


def selected(designs: Sequence[_Design], only: str) -> list[_Design]:
    """Return the designs whose name holds a text."""
    return [design for design in designs if only in design.name]


def share(found: Iterable[bool]) -> float:
    """Return the share of what is true, in percent."""
    values = list(found)
    return round(100 * sum(values) / len(values), 1)


TABLES = {"null": null, "margin": margin, "power": power, "metrics": metrics}


def main() -> None:
    """Run one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="Designs whose name holds this text.")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = TABLES[given.table](given.draws, given.seed, given.only)
    if given.json:
        print(json.dumps(rows))
        return
    names = list(rows[0])
    print(f"| {' | '.join(names)} |\n|{' --- |' * len(names)}")
    for row in rows:
        print(f"| {' | '.join(str(value) for value in row.values())} |")


if __name__ == "__main__":
    main()
