"""The contract of an augmentation that arms of an experiment may have."""

from __future__ import annotations

from typing import ClassVar

from spectronorm.registry import Registry


class Augmentation:
    """Random variation of a batch, drawn from a generator: a frozen dataclass that is called with both."""

    on_waves: ClassVar[bool] = False
    """True if it changes waves `(..., sample)`, so that spectrograms are made anew in each epoch."""


AUGMENTATIONS: Registry[Augmentation] = Registry("augmentations", "augmentation", Augmentation)
"""Every augmentation by the name that files of arms use."""
