"""Arm of a comparison: one way to turn waveforms into the model's input."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from spectronorm.arrays import whole_number
from spectronorm.augment import AUGMENTATIONS, FrameCrop
from spectronorm.errors import ArgumentError
from spectronorm.experiment.arms.own_training import OwnTraining
from spectronorm.front_end import PCEN, AnyFrontEnd, require_front_end
from spectronorm.normalize import NORMALIZERS, Normalizer, Standardize, normalizer, normalizer_names
from spectronorm.short_repr import with_short_repr
from spectronorm.suggestion import did_you_mean, known_keywords, known_settings

PCEN_ARM = "pcen"
"""Name of the arm with PCEN in place of the compression, globally standardized."""


MAX_ARMS = 1000
"""The most arms of a comparison, arms or members that are averaged, and test crops."""


@known_settings
@with_short_repr
@dataclass(frozen=True)
class Arm:
    """Front end, normalizer fitted to the training folds, and augmentation of the training clips.

    With `test_crops=n`, a clip's probabilities are the mean over n evenly spaced crops of the length of the arm's
    `frame_crop`; with 0, the model receives the whole clip. With `members=n`, n models are trained from different
    initial weights and in different orders, and their probabilities are averaged: an ensemble. With `also`, the
    probabilities of other arms, which prepare the clips in other ways, are averaged with this arm's probabilities.
    `own` holds what the arm's training has of its own.

    Raises:
        ArgumentError: if `test_crops` is positive but the arm has no `frame_crop`, or a number is out of range.

    >>> import spectronorm as sn
    >>> front_end = sn.FrontEnd(bands=sn.Mel(40))
    >>> one, other = (Arm(name, front_end, sn.normalizer(name)) for name in ("none", "global"))
    >>> one.same_model_by_algebra(other)
    True
    """

    name: str
    front_end: AnyFrontEnd
    normalizer: Normalizer
    augmentations: tuple[Any, ...] = ()
    test_crops: int = 0
    members: int = 1
    also: tuple[Arm, ...] = ()
    own: OwnTraining = field(default_factory=OwnTraining)

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
        """The arm's crop of frames; None without one."""
        return next((item for item in self.augmentations if isinstance(item, FrameCrop)), None)

    @property
    def augments_waves(self) -> bool:
        """True if an augmentation works on waveforms, so that spectrograms are computed again in each epoch."""
        return any(augmentation.on_waves for augmentation in self.augmentations)

    @property
    def parts(self) -> tuple[Arm, ...]:
        """The arms whose models are averaged; this arm alone if there is no other."""
        return (replace(self, also=()), *(part for arm in self.also for part in arm.parts))

    @property
    def models(self) -> tuple[tuple[Arm, int], ...]:
        """Every model trained for the arm, as pairs of a part and a member's index."""
        return tuple((part, member) for part in self.parts for member in range(part.members))

    @property
    def trained(self) -> Arm:
        """Return the arm reduced to the settings that determine one model's training.

        Names, test crops and the number of members are set to fixed values.
        """
        return replace(self, name="", test_crops=0, members=1, also=())

    def shares_models_with(self, other: Arm) -> bool:
        """True if a model of one arm is, from an equal seed, also a model of the other arm."""
        return any(mine.trained == theirs.trained for mine in self.parts for theirs in other.parts)

    def same_model_by_algebra(self, other: Arm) -> bool:
        """True if a first convolution without bias and a BatchNorm make both arms one model (except at the borders).

        Such layers undo `a x + b` with a > 0, so two arms cannot differ if their inputs differ only by such a map.
        """
        scalar = self.normalizer.one_map and other.normalizer.one_map
        same = (self.front_end, self.members, self.own) == (other.front_end, other.members, other.own)
        return scalar and same and not any(arm.augmentations or arm.also for arm in (self, other))

    def to_dict(self) -> dict[str, Any]:
        """Return the arm as plain JSON values."""
        return {
            "name": self.name,
            "front_end": self.front_end.to_dict(),
            "normalize": NORMALIZERS.to_plain(self.normalizer),
            "augment": [AUGMENTATIONS.to_plain(item) for item in self.augmentations],
            **({"test_crops": self.test_crops} if self.test_crops else {}),
            **({"members": self.members} if self.members > 1 else {}),
            **({"also": [arm.to_dict() for arm in self.also]} if self.also else {}),
            **({"training": self.own.settings()} if self.own.settings() else {}),
        }


@known_keywords
def arm_of_name(name: str, front_end: AnyFrontEnd) -> Arm:
    """Return the arm with this name on the given front end: any name of a normalizer, or `pcen` (of audio).

    Raises:
        ArgumentError: if there is no such arm.

    >>> import spectronorm as sn
    >>> arm = arm_of_name("pcen", sn.FrontEnd(bands=sn.Mel(40)))
    >>> type(arm.front_end.compress).__name__, arm.normalizer
    ('PCEN', Standardize(per='global', min_scale=0.25))
    """
    if name == PCEN_ARM:
        made = require_front_end(front_end, "the arm pcen, which compresses in another way")
        return Arm(name, replace(made, compress=PCEN()), Standardize(per="global"))
    if name.partition(":")[0] not in normalizer_names():
        NORMALIZERS.require_sound(name)
        known = arm_names()
        raise ArgumentError(
            f"arm {name!r} is unknown; use one of {', '.join(known)}, or describe it in a file: --arms arms.toml"
            f"{did_you_mean(name, known)}"
        )
    return Arm(name, front_end, normalizer(name))


def arm_names() -> tuple[str, ...]:
    """Every name that `--arms` takes: the names of normalizers, and `pcen`."""
    return (*normalizer_names(), PCEN_ARM)


def check_arms(arms: Iterable[Arm]) -> tuple[Arm, ...]:
    """Return the arms as a tuple, in order.

    Raises:
        ArgumentError: if there are fewer than two arms, or if two share a name.
    """
    checked = tuple(arms)
    names = [arm.name for arm in checked]
    if len(names) < 2:
        raise ArgumentError(f"a comparison needs at least two arms, not {len(names)}; such as --arms none,global,band")
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise ArgumentError(f"arm {doubled[0]!r} is given twice; give each arm a name of its own")
    return checked
