"""Design of a comparison, fixed before it begins."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from spectronorm.arrays import set_whole_numbers
from spectronorm.errors import ArgumentError
from spectronorm.experiment.arms.arm import Arm, check_arms
from spectronorm.experiment.clips.folds import LabelledClips
from spectronorm.experiment.metrics.known import ACCURACY, find_metric
from spectronorm.experiment.metrics.own_function import OwnMetric
from spectronorm.experiment.training.train import Training
from spectronorm.short_repr import with_short_repr
from spectronorm.suggestion import known_settings

AGAIN = " again"
"""Suffix of the reference arm's name for the A/A control: this arm with other initial weights and another order."""
_OTHER_SEED, _NEXT_MEMBER = 1_000_003, 10_000_019


@dataclass(frozen=True)
class Block:
    """One held-out fold and one seed, shared by all arms."""

    fold: str
    seed: int


@known_settings
@with_short_repr
@dataclass(frozen=True)
class Design:
    """Arms, their training, and the number of repetitions.

    Attributes:
        arms: At least two arms.
        training: Training settings, shared by all arms.
        seeds: Number of seeds for each fold.
        reference: The arm that the A/A control repeats and that a budget's decisions compare with.
        shifts: Simulated deployments that each trained model is tested on.
        train_on: Simulated device for all training and testing except the tests of `shifts`; "" is none.
        update_classes: Also make each update on a deployment from clips of only this number of classes; 0: do not.
        metric: Metric that the words are about: its name, `package.module:function`, or a function that maps labels
            and probabilities `(clip, class)` to a number. More is better unless the function has an attribute
            `lower_is_better`. It is kept by its name.

    Raises:
        ArgumentError: if a number or name is invalid.

    >>> import spectronorm as sn
    >>> from spectronorm.experiment import Training, parse_arms
    >>> design = Design(parse_arms("none,global,band", sn.FrontEnd(bands=sn.Mel(40))), Training(), seeds=2)
    >>> design.names
    ('none', 'global', 'band', 'global again')
    """

    arms: tuple[Arm, ...]
    training: Training
    seeds: int = 3
    reference: str = ""
    shifts: tuple[str, ...] = ()
    train_on: str = ""
    update_classes: int = 0
    metric: str | OwnMetric = ACCURACY.name

    def __post_init__(self) -> None:
        check_arms(self.arms)
        object.__setattr__(self, "metric", find_metric(self.metric).name)
        names = [arm.name for arm in self.arms]
        if any(name.endswith(AGAIN) for name in names):
            raise ArgumentError(f"no arm's name may end in {AGAIN!r}: the A/A control has such a name")
        set_whole_numbers(self, ("seeds",), 1, 10_000)
        set_whole_numbers(self, ("update_classes",), 0, 100_000)
        if self.update_classes and not self.shifts:
            raise ArgumentError(f"update_classes={self.update_classes} needs shifts to update on")
        if not self.reference:
            object.__setattr__(self, "reference", "global" if "global" in names else names[0])
        if self.reference not in names:
            raise ArgumentError(f"reference={self.reference!r} must be one of the arms {', '.join(names)}")

    def blocks(self, clips: LabelledClips) -> Iterator[Block]:
        """Yield every block: all folds with one seed, then all folds with the next seed, because one fold misleads."""
        for seed in range(self.seeds):
            for fold in clips.held_out:
                yield Block(fold, seed)

    @property
    def metric_name(self) -> str:
        """The name of the metric."""
        return str(self.metric)

    @property
    def control(self) -> str:
        """The name of the A/A control."""
        return self.reference + AGAIN

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all models trained in a block: the arms and the A/A control."""
        return (*(arm.name for arm in self.arms), self.control)

    def arm(self, name: str) -> Arm:
        """Return the arm that is trained under this name."""
        wanted = self.reference if name == self.control else name
        return next(arm for arm in self.arms if arm.name == wanted)

    def epochs_of(self, name: str) -> int:
        """Number of epochs trained under this name in a block, summed over all its models."""
        return sum(self.training_of(part).planned_epochs for part, _ in self.arm(name).models)

    def training_of(self, part: Arm) -> Training:
        """Return the training settings of a part of an arm: the shared ones, and what the part has of its own."""
        return replace(self.training, **part.own.settings())

    def seed_of(self, name: str, block: Block, member: int = 0) -> tuple[int, int]:
        """Seed of the initial weights, batch order and augmentation: one for each block, except for the A/A control.

        The first member of an ensemble has the seed of an arm that is not an ensemble.
        """
        other = (_OTHER_SEED if name == self.control else 0) + member * _NEXT_MEMBER
        return (block.seed + other, zlib.crc32(block.fold.encode()))

    def pairs(self) -> list[tuple[str, str]]:
        """Every pair of arms, in order."""
        names = [arm.name for arm in self.arms]
        return [(a, b) for i, b in enumerate(names) for a in names[i + 1 :]]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, without the number of seeds, because a run may be extended by more seeds."""
        return {
            "arms": [arm.to_dict() for arm in self.arms],
            "training": self.training.to_dict(),
            "reference": self.reference,
            "shifts": list(self.shifts),
            "train_on": self.train_on,
            **({"update_classes": self.update_classes} if self.update_classes else {}),
            **({"metric": self.metric_name} if self.metric_name != ACCURACY.name else {}),
        }
