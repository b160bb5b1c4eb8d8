"""What one arm's model sees in one block: levels, normalized by what the training folds say, and augmented."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import one_hot

from spectronorm.augment import AUGMENTATIONS, Cropped, FrameCrop, Mixup
from spectronorm.experiment.arms.arm import Arm
from spectronorm.normalize import FittedNormalizer

Generators = Callable[[str], np.random.Generator]
"""A random generator by name."""


@dataclass(frozen=True, eq=False)
class ArmInputs:
    """The inputs of one arm's model.

    Attributes:
        arm: The arm.
        normalizer: Fitted to the training folds.
        levels: Of all clips, `(clip, band, frame)`.
        waves: Of all clips, `(clip, sample)`, where the arm augments waves; else None.
        power: Of each frame of all clips, `(clip, frame)`, where the arm crops by it; else None.
        classes: How many there are.
        device: Where the model is.
    """

    arm: Arm
    normalizer: FittedNormalizer
    levels: NDArray[np.float32]
    waves: NDArray[np.float32] | None
    power: NDArray[np.float32] | None
    classes: int
    device: torch.device

    def batch(
        self, index: NDArray[np.int64], labels: NDArray[np.int64], generators: Generators
    ) -> tuple[Tensor, Tensor]:
        """Augmented training inputs `(clip, 1, band, frame)`, and targets: classes, or their shares after mixup."""
        x = self.normalizer(self._levels(index, generators))
        target = torch.from_numpy(labels).to(self.device)
        for augmentation in self.arm.augmentations:
            kind = AUGMENTATIONS.name_of(augmentation)
            if isinstance(augmentation, Mixup):
                mixed = augmentation(x, one_hot(target, self.classes).to(x.dtype), generators(kind))
                x, target = mixed.x, mixed.labels
            elif isinstance(augmentation, FrameCrop):
                x = augmentation(x, generators(kind), self._power(index))
            elif not augmentation.on_waves:
                x = augmentation(x, generators(kind))
        return _as_images(x), target

    def evaluated(
        self,
        index: NDArray[np.int64],
        levels: NDArray[np.float32] | None = None,
        normalizer: FittedNormalizer | None = None,
    ) -> Tensor:
        """Inputs of whole clips without augmentation, of these levels and by this normalizer instead of its own."""
        source = self.levels if levels is None else levels
        return _as_images((normalizer or self.normalizer)(torch.from_numpy(source[index]).to(self.device)))

    def views(
        self,
        index: NDArray[np.int64],
        levels: NDArray[np.float32] | None = None,
        normalizer: FittedNormalizer | None = None,
    ) -> Iterator[Tensor]:
        """What a model is tested on, as `evaluated`: whole clips, or the arm's crops, one of every clip after another.

        The crops lie where those of the clips as recorded lie, whatever levels are given.
        """
        x, crop, count = self.evaluated(index, levels, normalizer), self.arm.frame_crop, self.arm.test_crops
        if crop is None or not count:
            yield x
            return
        for number in range(count):
            yield crop.spread(x[:, 0], number, count, self._power(index)).unsqueeze(1)

    def _power(self, index: NDArray[np.int64]) -> NDArray[np.float32] | None:
        return None if self.power is None else self.power[index]

    def _levels(self, index: NDArray[np.int64], generators: Generators) -> Tensor:
        if self.waves is None:
            return torch.from_numpy(self.levels[index]).to(self.device)
        wave = torch.from_numpy(self.waves[index]).to(self.device)
        for augmentation in self.arm.augmentations:
            if augmentation.on_waves:
                changed = augmentation(wave, generators(AUGMENTATIONS.name_of(augmentation)))
                wave = changed.wave if isinstance(changed, Cropped) else changed
        level: Tensor = self.arm.front_end(wave)
        return level


def _as_images(x: Tensor) -> Tensor:
    """Spectrograms with a channel axis, in the memory order that convolutions are fastest with."""
    return x.float().unsqueeze(1).contiguous(memory_format=torch.channels_last)
