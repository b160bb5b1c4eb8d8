"""Inputs of one arm's model in one block: levels, normalized by statistics of the training folds, and augmented."""

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
    """Inputs of one arm's model.

    Attributes:
        arm: The arm.
        normalizer: The normalizer, fitted to the training folds.
        levels: Levels of all clips, `(clip, band, frame)` or `(clip, channel, band, frame)`.
        waves: Waveforms of all clips, `(clip, sample)`, if the arm augments waveforms; else None.
        power: Power of each frame of all clips, `(clip, frame)`, if the arm crops by power; else None.
        classes: Number of classes.
        device: The device of the model.
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
        """Return augmented inputs `(clip, 1, band, frame)`, and targets.

        Targets are classes, or class shares after mixup and where a clip may have several classes.
        """
        x = self.normalizer(self._levels(index, generators))
        target = torch.from_numpy(labels).to(self.device)
        for augmentation in self.arm.augmentations:
            kind = AUGMENTATIONS.name_of(augmentation)
            if isinstance(augmentation, Mixup):
                shares = target if target.ndim == 2 else one_hot(target, self.classes)
                mixed = augmentation(x, shares.to(x.dtype), generators(kind))
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
        """Inputs of whole clips without augmentation, `(clip, 1, band, frame)`.

        Args:
            index: Indices of the clips.
            levels: Levels to use in place of the clips' own.
            normalizer: Normalizer to use in place of the fitted one.
        """
        source = self.levels if levels is None else levels
        return _as_images((normalizer or self.normalizer)(torch.from_numpy(source[index]).to(self.device)))

    def views(
        self,
        index: NDArray[np.int64],
        levels: NDArray[np.float32] | None = None,
        normalizer: FittedNormalizer | None = None,
    ) -> Iterator[Tensor]:
        """Yield the test inputs, as `evaluated`: the whole clips, or the arm's crops, one crop of every clip at a time.

        The positions of the crops are those chosen on the clips as recorded, whatever levels are given.
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
    """Add a channel axis to spectrograms without one, in the memory order that is fastest for convolutions."""
    x = x.float() if x.ndim > 3 else x.float().unsqueeze(1)
    return x.contiguous(memory_format=torch.channels_last)
