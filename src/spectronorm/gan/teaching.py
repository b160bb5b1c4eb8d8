"""Train on generated images, test on real clips: what a classifier learns from a set of images.

A set that looks good but lacks variety, as copies of a few clips do, teaches little. All sets teach an equal network by
an equal number of images, in an equal number of steps, and the networks are tested on the clips that were held out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from spectronorm.audio import Source
from spectronorm.errors import ArgumentError
from spectronorm.experiment.answer.outcomes import Outcomes
from spectronorm.experiment.answer.statistics import bootstrap
from spectronorm.experiment.answer.words import ArmVerdict, verdicts
from spectronorm.gan.clips import LevelClips
from spectronorm.gan.judge import Judge
from spectronorm.profile.groups import GROUP_COLUMNS
from spectronorm.suggestion import known_keywords

REAL = "training clips"
"""The set that the others are compared with."""


@dataclass(frozen=True)
class Lesson:
    """Result of one network that was taught by one set of images.

    Attributes:
        name: Name of the set.
        images: Number of images that taught the network.
        hits: For each test clip, whether the network found its class.
    """

    name: str
    images: int
    hits: tuple[bool, ...]

    @property
    def accuracy(self) -> float:
        """Share of the test clips whose class the network found."""
        return float(np.mean(self.hits))


@dataclass(frozen=True)
class Taught:
    """Accuracy on test clips of networks that were taught by one set, over seeds, and its difference from real clips.

    Attributes:
        name: Name of the set.
        images: Number of images that taught each network.
        accuracy: Mean accuracy.
        low: Lower end of its 95 % interval, over test recordings and seeds.
        high: Upper end.
        verdict: This set minus the training clips, and the word for it; None for the training clips.
    """

    name: str
    images: int
    accuracy: float
    low: float
    high: float
    verdict: ArmVerdict | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        plain: dict[str, Any] = {
            "name": self.name,
            "images": self.images,
            "accuracy": self.accuracy,
            "interval": [self.low, self.high],
        }
        if self.verdict is not None:
            difference = self.verdict.difference
            units = difference.units
            plain |= {
                "difference": difference.estimate,
                "bootstrap": [difference.bootstrap.low, difference.bootstrap.high],
                "over_seeds": None if units is None else [units.low, units.high],
                "p_holm": self.verdict.holm,
                "word": self.verdict.word,
                "missing": difference.missing,
            }
        return plain


def lesson(
    name: str,
    levels: NDArray[np.floating],
    labels: NDArray[np.int64],
    test: LevelClips,
    classes: int,
    seed: int,
    epochs: int,
) -> Lesson:
    """Train a network on images with the classes that they should be of, and test it on real clips.

    Args:
        name: Name of the set.
        levels: Levels `(image, band, frame)`.
        labels: The class of each image.
        test: Clips that nothing was trained on.
        classes: Number of classes.
        seed: Seed of the network's first weights and of the order of images; equal for all sets.
        epochs: Number of epochs.
    """
    network = Judge.trained(
        np.asarray(levels, dtype=np.float32), labels, classes, seed, torch.device("cpu"), epochs=epochs
    )
    hits = network(test.levels)[0].argmax(axis=1) == test.labels
    return Lesson(name, len(levels), tuple(hits.tolist()))


@known_keywords
def compare_lessons(lessons: Sequence[Sequence[Lesson]], groups: Sequence[str]) -> tuple[Taught, ...]:
    """Compare what sets teach with what training clips teach, by the rule of comparisons.

    Intervals hold for these training clips; they are over test recordings and seeds. Each seed has its own network, and
    its own model if several models are scored.

    Args:
        lessons: The lessons of each seed, in one order.
        groups: The recording or speaker of each test clip, as of `groups_of`.

    Raises:
        ArgumentError: if the lessons do not fit each other or the groups.

    Examples:
        >>> import spectronorm as sn
        >>> half = tuple(clip % 2 == 0 for clip in range(40))
        >>> lessons = [Lesson("training clips", 99, (True,) * 40), Lesson("generated", 99, half)]
        >>> real, generated = sn.gan.compare_lessons([lessons, lessons], [f"clip {n}" for n in range(40)])
        >>> generated.accuracy, generated.verdict.word
        (0.5, 'worse')
    """
    names = [one.name for one in lessons[0]]
    if any([one.name for one in seed] != names for seed in lessons) or REAL not in names:
        raise ArgumentError(f"every seed needs lessons of one list of sets, {REAL!r} among them")
    if any(len(one.hits) != len(groups) for seed in lessons for one in seed):
        raise ArgumentError(f"the lessons were not tested on {len(groups)} clips, the number of groups")
    values = np.array([[one.hits for one in seed] for seed in lessons], dtype=np.float64).transpose(1, 2, 0)
    numbers = np.unique(np.asarray(groups), return_inverse=True)[1]
    outcomes = Outcomes(tuple(names), values, np.zeros(len(groups), dtype=np.int64), numbers.astype(np.int64))
    resampled = bootstrap(outcomes)
    others = [name for name in names if name != REAL]
    found = dict(zip(others, verdicts([resampled.difference(name, REAL) for name in others]), strict=True))
    means = outcomes.means()
    return tuple(
        Taught(one.name, one.images, means[one.name], *resampled.interval(one.name), found.get(one.name))
        for one in lessons[0]
    )


@known_keywords
def groups_of(training: Source, unseen: Source, names: Sequence[str]) -> tuple[str, ...]:
    """Return the recording or speaker of each test clip: the unit of its interval.

    It is the first of the columns `src_file`, `recording`, `source` and `speaker` of which no value is among the
    training clips. If a column's values are on both sides, such as speakers of whom some takes are held out, then
    nothing is said about other speakers, and each clip is a unit.

    Args:
        training: The training clips.
        unseen: The test clips.
        names: The names of the test clips that were used, in order.

    Examples:
        >>> import spectronorm as sn
        >>> origin = sn.gan.TrainingSource("digits.csv", (("split", "test"),))  # doctest: +SKIP
        >>> unseen = origin.test_clips()  # doctest: +SKIP
        >>> sn.gan.groups_of(origin.training_clips(), unseen, [clip.name for clip in unseen])[0]  # doctest: +SKIP
        '0_george_0.wav'
    """
    columns = {clip.name: clip.columns for clip in unseen}
    for column in GROUP_COLUMNS:
        known = {clip.columns.get(column) for clip in training}
        values = [columns[name].get(column) for name in names]
        if None not in values and known.isdisjoint(values):
            return tuple(f"{column} {value}" for value in values)
    return tuple(names)


def teaching_table(taught: Sequence[Taught]) -> list[str]:
    """Format what each set teaches as lines of text."""
    cells = [["taught by", "images", "accuracy, %", "95 %", "minus real", "over clips", "over seeds", "word"]]
    for one in taught:
        row = [one.name, str(one.images), f"{100 * one.accuracy:.1f}", _ends(one.low, one.high, "")]
        if one.verdict is None:
            row += ["-"] * 4
        else:
            difference, units = one.verdict.difference, one.verdict.difference.units
            row += [
                f"{100 * difference.estimate:+.1f}",
                _ends(difference.bootstrap.low, difference.bootstrap.high, "+"),
                "-" if units is None else _ends(units.low, units.high, "+"),
                one.verdict.word,
            ]
        cells.append(row)
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    missing = next((one.verdict.difference.missing for one in taught if one.verdict is not None), "")
    return lines + ([missing] if missing else [])


def _ends(low: float, high: float, sign: str) -> str:
    return f"{100 * low:{sign}.1f} … {100 * high:{sign}.1f}"
