"""An arm: one way to turn waves into the model's input."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from spectronorm.arrays import whole_number
from spectronorm.augment import AUGMENTATIONS, FrameCrop
from spectronorm.errors import ArgumentError
from spectronorm.front_end import PCEN, FrontEnd
from spectronorm.normalize import NORMALIZERS, Normalizer, Standardize, normalizer, normalizer_names

PCEN_ARM = "pcen"
"""The arm with PCEN in place of the compression, globally standardized."""


MAX_ARMS = 1000
"""The most arms of a comparison, arms or members that are averaged, and test crops."""


@dataclass(frozen=True)
class Arm:
    """A front end, a normalizer that is fitted to the training folds, and augmentation of the training clips.

    With `test_crops` a clip's probabilities are the mean over so many of the crops that the arm's `frame_crop` may cut,
    spread evenly; with 0 the model gets the whole clip. With `members` several models are trained, from other weights
    and in another order each, and their probabilities averaged: an ensemble. With `also` the models of other arms,
    which hear the same clips in another way, are averaged with this one's.

    Raises:
        ArgumentError: when crops are asked for without a `frame_crop` to cut them.
    """

    name: str
    front_end: FrontEnd
    normalizer: Normalizer
    augmentations: tuple[Any, ...] = ()
    test_crops: int = 0
    members: int = 1
    also: tuple[Arm, ...] = ()

    def __post_init__(self) -> None:
        for name, least in (("test_crops", 0), ("members", 1)):
            number = whole_number(getattr(self, name), f"arm {self.name!r}: {name}", least, MAX_ARMS)
            object.__setattr__(self, name, number)
        if (parts := 1 + sum(len(arm.parts) for arm in self.also)) > MAX_ARMS:
            raise ArgumentError(f"arm {self.name!r} averages the models of {parts} arms, more than {MAX_ARMS}")
        if self.test_crops and self.frame_crop is None:
            raise ArgumentError(
                f"arm {self.name!r}: test_crops={self.test_crops} needs a frame_crop, which says how long the crops are"
            )

    @property
    def frame_crop(self) -> FrameCrop | None:
        """The arm's crop of frames, if it has one."""
        return next((item for item in self.augmentations if isinstance(item, FrameCrop)), None)

    @property
    def augments_waves(self) -> bool:
        """Whether an augmentation works on waves, so that spectrograms are made anew in each epoch."""
        return any(augmentation.on_waves for augmentation in self.augmentations)

    @property
    def parts(self) -> tuple[Arm, ...]:
        """The arms whose models are averaged: this one alone, if there is no other."""
        return (replace(self, also=()), *(part for arm in self.also for part in arm.parts))

    @property
    def models(self) -> tuple[tuple[Arm, int], ...]:
        """Everything that is trained for it: a part, and which of its members."""
        return tuple((part, member) for part in self.parts for member in range(part.members))

    @property
    def trained(self) -> Arm:
        """What one model's training depends on: names, test crops and the number of members do not matter."""
        return replace(self, name="", test_crops=0, members=1, also=())

    def shares_models_with(self, other: Arm) -> bool:
        """Whether a model of one is, from the same seed, also a model of the other."""
        return any(mine.trained == theirs.trained for mine in self.parts for theirs in other.parts)

    def same_model_by_algebra(self, other: Arm) -> bool:
        """Whether a first bias-free convolution with BatchNorm makes both arms the same model (but for its borders).

        Such a layer undoes `a x + b` with a > 0, so that arms cannot differ that do only this to the same levels.
        """
        scalar = self.normalizer.one_map and other.normalizer.one_map
        same = self.front_end == other.front_end and self.members == other.members
        return scalar and same and not any(arm.augmentations or arm.also for arm in (self, other))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "name": self.name,
            "front_end": self.front_end.to_dict(),
            "normalize": NORMALIZERS.to_plain(self.normalizer),
            "augment": [AUGMENTATIONS.to_plain(item) for item in self.augmentations],
            **({"test_crops": self.test_crops} if self.test_crops else {}),
            **({"members": self.members} if self.members > 1 else {}),
            **({"also": [arm.to_dict() for arm in self.also]} if self.also else {}),
        }


def arm_of_name(name: str, front_end: FrontEnd) -> Arm:
    """The arm of that name on this front end: any name of a normalizer, or `pcen`.

    Raises:
        ArgumentError: when there is none.
    """
    if name == PCEN_ARM:
        return Arm(name, replace(front_end, compress=PCEN()), Standardize(per="global"))
    if name.partition(":")[0] not in normalizer_names():
        NORMALIZERS.require_sound(name)
        known = ", ".join(arm_names())
        raise ArgumentError(f"arm {name!r} is unknown; use one of {known}, or describe it in a file: --arms arms.toml")
    return Arm(name, front_end, normalizer(name))


def arm_names() -> tuple[str, ...]:
    """Every name that `--arms` takes: those of normalizers, and `pcen`."""
    return (*normalizer_names(), PCEN_ARM)


def check_arms(arms: Iterable[Arm]) -> tuple[Arm, ...]:
    """The arms, in order.

    Raises:
        ArgumentError: when there are fewer than two, or two have the same name.
    """
    checked = tuple(arms)
    names = [arm.name for arm in checked]
    if len(names) < 2:
        raise ArgumentError(f"a comparison needs at least two arms, not {len(names)}; such as --arms none,global,band")
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise ArgumentError(f"arm {doubled[0]!r} is given twice; give each arm a name of its own")
    return checked
