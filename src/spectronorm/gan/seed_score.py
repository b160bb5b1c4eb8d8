"""Score of all sets by one judge."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from spectronorm.gan.teaching import Lesson


@dataclass(frozen=True)
class Row:
    """Score of one set of images by one judge; spreads are over splits.

    Attributes:
        name: Name of the set.
        images: Number of images in a split.
        splits: Number of splits.
        inception: Inception Score.
        frechet_train: Fréchet distance to an equal number of training clips.
        frechet_test: Fréchet distance to an equal number of test clips; None for the test clips themselves.
        nearest: Median distance of the first split's images to the nearest training clip, dB (see `nearest_distance`).
        nearest_low: 5th percentile of these distances.
        accuracy: Share of the images that the judge assigns to their intended class; None without a class.
        effective_classes: Effective number of classes that the judge finds (see `ClassBalance`).
        rarest: Share of the rarest class.
        copy_distance: Median distance of the first split's images to the nearest training clip, at the best shift and
            gain, 0 … 1 (see `copy_distance`).
        copies: Statistic of the three-sample test for copies; None for the test clips.
        nearer: Share of the images that are nearer to a training clip than 99 % of the test clips.
        copied: `copies`, `no copies` or `unresolved`; empty for the test clips.
    """

    name: str
    images: int
    splits: int
    inception: float
    frechet_train: float
    frechet_test: float | None
    nearest: float
    nearest_low: float
    accuracy: float | None
    effective_classes: float
    rarest: float
    copy_distance: float
    copies: float | None
    nearer: float | None
    copied: str


@dataclass(frozen=True)
class SeedScore:
    """All rows of one seed, which determines the judge's weights, the samples, and the clips compared with.

    `lessons` holds what the sets with known classes teach to a network that is tested on the test clips.
    """

    seed: int
    judge: str
    judge_train_accuracy: float
    judge_test_accuracy: float
    rows: tuple[Row, ...]
    lessons: tuple[Lesson, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; a lesson's hits are summed up as its accuracy."""
        lessons = [{"name": one.name, "images": one.images, "accuracy": one.accuracy} for one in self.lessons]
        return {**asdict(replace(self, lessons=())), "lessons": lessons}
