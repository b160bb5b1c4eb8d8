"""Augmentation and normalization by clip in fastai: adapters of `spectronorm.augment` and of normalizers to transforms.

Needs fastai 2.8, as `spectronorm.interop.fastai` does.
"""
# fasttransform evaluates the annotations of encodes and decodes: no postponed annotations in this file.

from typing import Any

import numpy as np

from spectronorm.errors import ArgumentError, MissingExtra

try:
    import torch
    from fastai.basics import Callback, Transform
    from torch import Tensor
    from torch.nn import functional
except (ImportError, OSError):
    raise MissingExtra(
        "spectronorm.interop.fastai_augment", "torch,fastai", then="pip install --no-deps fastai==2.8.*"
    ) from None

from spectronorm.augment import Augmentation, Mixup
from spectronorm.interop.fastai import AudioSpectrogram, AudioTensor, in_class_of_tensor, plain_tensor
from spectronorm.normalize import FittedNormalizer

__all__ = ["AugmentSpectrograms", "AugmentWaves", "LevelNormalize", "MixupCallback"]


class _Augment(Transform):  # type: ignore[misc]
    """Batch transform of the training set alone, by augmentations in turn."""

    split_idx, on_waves = 0, False

    def __init__(self, *augmentations: Augmentation, seed: int = 0) -> None:
        super().__init__()
        self.augmentations = _checked(augmentations, on_waves=self.on_waves)
        self._generator = np.random.default_rng(seed)

    def _augmented(self, x: Any) -> Any:
        values = plain_tensor(x)
        for augmentation in self.augmentations:
            made = augmentation(values, self._generator)  # type: ignore[operator]
            values = made if isinstance(made, Tensor) else made[0]
        return in_class_of_tensor(x, values)


class AugmentWaves(_Augment):
    """Batch transform of the training set's waveforms, before `AudioToSpec`; the validation set is left alone.

    Args:
        augmentations: Augmentations of `spectronorm.augment` for waves, such as `RandomCrop`, applied in turn.
        seed: Seed of the draws.

    Raises:
        ArgumentError: if an augmentation is for spectrograms, or is `Mixup`, which needs labels (see `MixupCallback`).
    """

    order, on_waves = 80, True

    def encodes(self, x: AudioTensor) -> AudioTensor:
        """Return the augmented waveforms `(batch, channel, sample)`."""
        return self._augmented(x)  # type: ignore[no-any-return]


class AugmentSpectrograms(_Augment):
    """Batch transform of the training set's spectrograms, after the normalization, where zero is the mean.

    Args:
        augmentations: Augmentations of `spectronorm.augment` for spectrograms, such as `SpecAugment`, applied in turn.
        seed: Seed of the draws.

    Raises:
        ArgumentError: if an augmentation is for waves, or is `Mixup`, which needs labels (see `MixupCallback`).

    >>> from spectronorm.augment import SpecAugment
    >>> AugmentSpectrograms(SpecAugment(time_mask_param=20), seed=1).order
    100
    """

    order = 100

    def encodes(self, x: AudioSpectrogram) -> AudioSpectrogram:
        """Return the augmented spectrograms `(batch, channel, band, frame)`."""
        return self._augmented(x)  # type: ignore[no-any-return]


def _checked(augmentations: tuple[Augmentation, ...], *, on_waves: bool) -> tuple[Augmentation, ...]:
    for augmentation in augmentations:
        if isinstance(augmentation, Mixup):
            raise ArgumentError(f"{augmentation} mixes labels too, which a transform does not see; use MixupCallback")
        if augmentation.on_waves is not on_waves:
            other = "AugmentWaves" if augmentation.on_waves else "AugmentSpectrograms"
            raise ArgumentError(f"{augmentation} needs {other}")
    return augmentations


class LevelNormalize(Transform):  # type: ignore[misc]
    """Batch transform by any fitted normalizer, also by those that find a map in each clip: `PerClip` and sliding.

    The map of each batch goes with it, so that `show_batch` draws levels again.

    Args:
        normalizer: A fitted normalizer.

    >>> import spectronorm as sn
    >>> from spectronorm.interop.fastai import FASTAUDIO
    >>> LevelNormalize(sn.Fixed(-40.0, 20.0).for_front_end(FASTAUDIO)).order
    99
    """

    order = 99

    def __init__(self, normalizer: FittedNormalizer) -> None:
        super().__init__()
        self.normalizer = normalizer

    def encodes(self, x: AudioSpectrogram) -> AudioSpectrogram:
        """Return the normalized spectrograms `(batch, channel, band, frame)`."""
        level = plain_tensor(x)
        affine = self.normalizer.affine_of(level)
        return in_class_of_tensor(x, affine(level), affine=affine, normalized=True)  # type: ignore[no-any-return]

    def decodes(self, x: AudioSpectrogram) -> AudioSpectrogram:
        """Return the levels, if the batch still has its map; otherwise the batch as it is."""
        affine = getattr(x, "affine", None)
        if affine is None:
            return x
        return in_class_of_tensor(x, affine.inverse(plain_tensor(x)), normalized=False)  # type: ignore[no-any-return]


class MixupCallback(Callback):  # type: ignore[misc]
    """Mixup of training batches: shares of two clips and of their labels, with cross-entropy to the shares.

    Args:
        alpha: Parameter of the beta distribution that the shares are drawn from.
        seed: Seed of the draws.
    """

    run_valid = False

    def __init__(self, alpha: float = 0.2, seed: int = 0) -> None:
        super().__init__()
        self.mixup = Mixup(alpha)
        self._generator = np.random.default_rng(seed)

    def before_fit(self) -> None:
        """Put the loss in place that takes shares."""
        self.plain_loss = self.learn.loss_func
        self.learn.loss_func = self._loss

    def after_fit(self) -> None:
        """Put the learner's own loss back."""
        self.learn.loss_func = self.plain_loss

    def before_batch(self) -> None:
        """Mix the batch."""
        x, labels = self.learn.xb[0], self.learn.yb[0].as_subclass(Tensor)
        classes = len(self.learn.dls.vocab)
        shares = functional.one_hot(labels.long(), classes).to(torch.float32)
        mixed = self.mixup(plain_tensor(x), shares, self._generator)
        self.learn.xb, self.learn.yb = (in_class_of_tensor(x, mixed.x), *self.learn.xb[1:]), (mixed.labels,)

    def _loss(self, predicted: Tensor, target: Tensor) -> Any:
        if target.ndim == predicted.ndim and target.is_floating_point():
            return functional.cross_entropy(predicted.as_subclass(Tensor), target.as_subclass(Tensor))
        return self.plain_loss(predicted, target)
