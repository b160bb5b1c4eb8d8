"""Random variation for training: drawn from an explicit generator, then applied, in NumPy or torch.

The draws are a few numbers for each clip, always made by NumPy. So a seed gives equal augmentation in both libraries
and on every device, and the draws can be kept, shown, or applied again to other data.

>>> import numpy as np
>>> from spectronorm.augment import SpecAugment
>>> spectrograms = np.random.default_rng(0).normal(size=(8, 64, 200))
>>> masked = SpecAugment()(spectrograms, np.random.default_rng(1))
>>> bool((masked == SpecAugment()(spectrograms, np.random.default_rng(1))).all())
True
"""

from spectronorm.augment.augmentation import AUGMENTATIONS as AUGMENTATIONS
from spectronorm.augment.augmentation import Augmentation as Augmentation
from spectronorm.augment.crop import Cropped as Cropped
from spectronorm.augment.crop import RandomCrop as RandomCrop
from spectronorm.augment.flip import Flip as Flip
from spectronorm.augment.frame_crop import FrameCrop as FrameCrop
from spectronorm.augment.gain import Gain as Gain
from spectronorm.augment.mixup import Mixed as Mixed
from spectronorm.augment.mixup import Mixup as Mixup
from spectronorm.augment.noise import Noise as Noise
from spectronorm.augment.resized_crop import RandomResizedCrop as RandomResizedCrop
from spectronorm.augment.rotation import Rotation as Rotation
from spectronorm.augment.shift import TimeShift as TimeShift
from spectronorm.augment.spec_augment import SpecAugment as SpecAugment

__all__ = [
    "AUGMENTATIONS",
    "Augmentation",
    "Cropped",
    "Flip",
    "FrameCrop",
    "Gain",
    "Mixed",
    "Mixup",
    "Noise",
    "RandomCrop",
    "RandomResizedCrop",
    "Rotation",
    "SpecAugment",
    "TimeShift",
]
