"""What a deployed model can do with unlabelled audio: take its input's or its BatchNorm's statistics anew."""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spectronorm.experiment.training.train import Training, autocast
from spectronorm.normalize import FittedNormalizer


def updated_input(fitted: FittedNormalizer, levels: NDArray[np.float32], *, std: bool) -> FittedNormalizer | None:
    """The normalizer with the mean, and with `std` the standard deviation too, of these levels `(clip, band, frame)`.

    None where there is nothing to update, because the normalizer has no mean and deviation of a data set.
    """
    return fitted.normalizer.updated(fitted, levels, std=std)


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
