"""Updates of a deployed model from unlabelled audio: re-estimate the statistics of its input or of its BatchNorm."""

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
    """Replace the normalizer's mean, and with `std` also its standard deviation, by those of the given levels.

    Args:
        fitted: The normalizer to update.
        levels: Levels `(clip, band, frame)` of the deployment.
        std: Also replace the standard deviation.

    Returns:
        The updated normalizer, or None if the normalizer has no mean and deviation of a data set.
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
    """Copy the model with BatchNorm statistics re-estimated on these inputs (Li et al. 2016, AdaBN).

    Returns:
        The copy, or None for a model without BatchNorm.
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
