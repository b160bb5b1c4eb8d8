"""Updates of a deployed model from unlabelled audio: re-estimate the statistics of its input or of its BatchNorm."""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spectronorm.experiment.training.train import Training, autocast
from spectronorm.normalize import FittedNormalizer


def updated_input(fitted: FittedNormalizer, levels: NDArray[np.float32], *, std: bool) -> FittedNormalizer | None:
    """Replace the normalizer's mean, and with `std` also its standard deviation, by those of the given levels.

    Args:
        fitted: The normalizer to update.
        levels: Levels `(clip, band, frame)` of the deployment.
        std: Also replace the standard deviation.

    Returns:
        The updated normalizer, or None if the normalizer has no mean and deviation of a data set.
    """
    return fitted.normalizer.updated(fitted, levels, std=std)


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
