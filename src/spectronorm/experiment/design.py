"""What a comparison will do, decided before it begins."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from spectronorm.arrays import set_whole_numbers
from spectronorm.errors import ArgumentError
from spectronorm.experiment.arms.arm import Arm, check_arms
from spectronorm.experiment.clips.folds import LabelledClips
from spectronorm.experiment.training.train import Training

AGAIN = " again"
"""Behind the reference arm's name: the A/A control, the same arm from other weights and in another order."""
_OTHER_SEED, _NEXT_MEMBER = 1_000_003, 10_000_019


@dataclass(frozen=True)
class Block:
    """A fold that is held out and a seed: what all arms share."""

    fold: str
    seed: int


@dataclass(frozen=True)
class Design:
    """Arms, how they are trained, and how often.

    Attributes:
        arms: At least two.
        training: The same for every arm.
        seeds: How many seeds each fold gets.
        reference: The arm that the A/A control repeats and that a budget's decisions compare with.
        shifts: Simulated deployments that each trained model is tested on.
        train_on: A simulated device through which all training and testing but that of `shifts` goes; "" is none.
        update_classes: Each update on a deployment is also made from clips of so many classes alone; 0 is not.

    Raises:
        ArgumentError: when a number or name breaks its rule.
    """

    arms: tuple[Arm, ...]
    training: Training
    seeds: int = 3
    reference: str = ""
    shifts: tuple[str, ...] = ()
    train_on: str = ""
    update_classes: int = 0

    def __post_init__(self) -> None:
        check_arms(self.arms)
        names = [arm.name for arm in self.arms]
        if any(name.endswith(AGAIN) for name in names):
            raise ArgumentError(f"no arm's name may end in {AGAIN!r}: that is how the A/A control is called")
        set_whole_numbers(self, ("seeds",), 1, 10_000)
        set_whole_numbers(self, ("update_classes",), 0, 100_000)
        if self.update_classes and not self.shifts:
            raise ArgumentError(f"update_classes={self.update_classes} needs shifts to update on")
        if not self.reference:
            object.__setattr__(self, "reference", "global" if "global" in names else names[0])
        if self.reference not in names:
            raise ArgumentError(f"reference={self.reference!r} must be one of the arms {', '.join(names)}")

    def blocks(self, clips: LabelledClips) -> Iterator[Block]:
        """Every block: all folds with one seed, then all folds with the next, because one fold misleads."""
        for seed in range(self.seeds):
            for fold in clips.held_out:
                yield Block(fold, seed)

    @property
    def control(self) -> str:
        """The name of the A/A control."""
        return self.reference + AGAIN

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that is trained in a block: the arms and the A/A control."""
        return (*(arm.name for arm in self.arms), self.control)

    def arm(self, name: str) -> Arm:
        """The arm that is trained under this name."""
        wanted = self.reference if name == self.control else name
        return next(arm for arm in self.arms if arm.name == wanted)

    def epochs_of(self, name: str) -> int:
        """How many epochs are trained under this name in a block, of all its models."""
        return self.training.epochs * len(self.arm(name).models)

    def seed_of(self, name: str, block: Block, member: int = 0) -> tuple[int, int]:
        """The seed of initial weights, batch order and augmentation: one a block, but for the A/A control.

        The first member of an ensemble has the seed of arms that are none.
        """
        other = (_OTHER_SEED if name == self.control else 0) + member * _NEXT_MEMBER
        return (block.seed + other, zlib.crc32(block.fold.encode()))

    def pairs(self) -> list[tuple[str, str]]:
        """Every two arms, in order."""
        names = [arm.name for arm in self.arms]
        return [(a, b) for i, b in enumerate(names) for a in names[i + 1 :]]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; the number of seeds is left out, because a run may be given more of them later."""
        return {
            "arms": [arm.to_dict() for arm in self.arms],
            "training": asdict(self.training),
            "reference": self.reference,
            "shifts": list(self.shifts),
            "train_on": self.train_on,
            **({"update_classes": self.update_classes} if self.update_classes else {}),
        }
