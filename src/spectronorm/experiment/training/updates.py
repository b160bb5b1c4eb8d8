"""What a deployed model can do with unlabelled audio: take its input's or its BatchNorm's statistics anew."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spectronorm.arrays import Affine
from spectronorm.experiment.training.train import Training, autocast
from spectronorm.normalize import FittedNormalizer, Standardize
from spectronorm.normalize.safe_scale import safe_scale


def updated_input(fitted: FittedNormalizer, levels: NDArray[np.float32], *, std: bool) -> FittedNormalizer | None:
    """The normalizer with the mean, and with `std` the standard deviation too, of these levels `(clip, band, frame)`.

    None where there is nothing to update, because the normalizer has no mean and deviation of a data set.
    """
    settings, affine = fitted.normalizer, fitted.affine
    if not isinstance(settings, Standardize) or affine is None:
        return None
    axes = (0, 2) if settings.per == "band" else (0, 1, 2)
    exact = levels.astype(np.float64)
    mean = exact.mean(axis=axes).reshape(-1, 1)
    scale = affine.scale
    if std:
        scale = safe_scale(exact.std(axis=axes).reshape(-1, 1), settings.min_scale)
    return replace(fitted, affine=Affine(mean, scale))


@torch.no_grad()
def updated_batch_norm(model: nn.Module, x: Tensor, training: Training) -> nn.Module | None:
    """A copy of the model whose BatchNorm statistics are those of these inputs (Li et al. 2016, AdaBN).

    None for a model without BatchNorm.
    """
    adapted = copy.deepcopy(model)
    layers = [m for m in adapted.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    if not layers:
        return None
    adapted.eval()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the plain average over batches
        layer.train()
    with autocast(training):
        for part in x.tensor_split(max(1, len(x) // max(training.batch_size, 16))):
            adapted(part.to(training.torch_device()))
    return adapted
