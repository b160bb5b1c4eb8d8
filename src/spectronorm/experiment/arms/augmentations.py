"""The augmentations that an arm may have, by name, and on what they work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from spectronorm.arrays import require_choice
from spectronorm.augment import FrameCrop, Gain, Mixup, Noise, RandomCrop, RandomResizedCrop, SpecAugment, TimeShift
from spectronorm.errors import ArgumentError

ON_WAVES: Mapping[str, type[Any]] = {
    "gain": Gain,
    "noise": Noise,
    "time_shift": TimeShift,
    "random_crop": RandomCrop,
}
ON_SPECTROGRAMS: Mapping[str, type[Any]] = {
    "frame_crop": FrameCrop,
    "spec_augment": SpecAugment,
    "random_resized_crop": RandomResizedCrop,
    "mixup": Mixup,
}
AUGMENTATIONS: Mapping[str, type[Any]] = {**ON_WAVES, **ON_SPECTROGRAMS}
"""Every kind of augmentation, by the name that arms files use."""


def kind_of(augmentation: Any) -> str:
    """The name of an augmentation's kind."""
    return next(name for name, cls in AUGMENTATIONS.items() if cls is type(augmentation))


def parse_augmentation(plain: Any) -> Any:
    """The augmentation that `"mixup"` or `{"kind": "mixup", "alpha": 0.4}` describes.

    Raises:
        ArgumentError: when there is no such kind or setting.
    """
    if isinstance(plain, str):
        plain = {"kind": plain}
    if not isinstance(plain, Mapping):
        raise ArgumentError(f"augment={plain!r:.80} must name a kind: one of {', '.join(AUGMENTATIONS)}")
    require_choice(plain.get("kind"), "augment.kind", AUGMENTATIONS)
    cls = AUGMENTATIONS[plain["kind"]]
    settings = {name: tuple(v) if isinstance(v, list) else v for name, v in plain.items() if name != "kind"}
    known = [field.name for field in fields(cls)]
    if unknown := sorted(set(settings) - set(known)):
        raise ArgumentError(f"augment {plain['kind']} has no setting {', '.join(unknown)}; it has {', '.join(known)}")
    try:
        return cls(**settings)
    except TypeError as error:
        raise ArgumentError(f"augment {plain['kind']}: a setting is missing or of the wrong type ({error})") from None
