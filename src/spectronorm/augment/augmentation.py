"""Contract of an augmentation for the arms of an experiment."""

from __future__ import annotations

from typing import ClassVar

from spectronorm.registry import Registry


class Augmentation:
    """Random variation of a batch: a frozen dataclass that is called with the batch and a random generator.

    >>> from spectronorm.augment import Gain, SpecAugment
    >>> [type(one).__name__ for one in (Gain(), SpecAugment()) if one.on_waves]
    ['Gain']
    """

    on_waves: ClassVar[bool] = False
    """True if waveforms `(..., sample)` are augmented, so that spectrograms are computed again in each epoch."""


AUGMENTATIONS: Registry[Augmentation] = Registry("augmentations", "augmentation", Augmentation)
"""Every augmentation by the name that arms files use."""
