"""Random variation for training: first drawn from an explicit generator, then applied, in NumPy or torch.

What is drawn are a few numbers a clip, always by NumPy. So a seed gives the same augmentation in both libraries and
on every device, and what was drawn can be kept, shown, or applied again to something else.

>>> import numpy as np
>>> from specnorm.augment import SpecAugment
>>> spectrograms = np.random.default_rng(0).normal(size=(8, 64, 200))
>>> masked = SpecAugment()(spectrograms, np.random.default_rng(1))
>>> bool((masked == SpecAugment()(spectrograms, np.random.default_rng(1))).all())
True
"""

from specnorm.augment.crop import Cropped as Cropped
from specnorm.augment.crop import RandomCrop as RandomCrop
from specnorm.augment.frame_crop import FrameCrop as FrameCrop
from specnorm.augment.gain import Gain as Gain
from specnorm.augment.mixup import Mixed as Mixed
from specnorm.augment.mixup import Mixup as Mixup
from specnorm.augment.noise import Noise as Noise
from specnorm.augment.resized_crop import RandomResizedCrop as RandomResizedCrop
from specnorm.augment.shift import TimeShift as TimeShift
from specnorm.augment.spec_augment import SpecAugment as SpecAugment
