"""Models of a comparison by name: xResNets, models that keep bands, or the user's own."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spectronorm.errors import ArgumentError
from spectronorm.experiment.own_code import current_folder_importable, import_path
from spectronorm.experiment.training.band_models import BAND_MODELS
from spectronorm.experiment.training.pretrained import adapted
from spectronorm.experiment.training.xresnet import SIZES, XResNet
from spectronorm.suggestion import did_you_mean

MODELS = (*SIZES, *BAND_MODELS)
"""Every built-in model, by the name that `--model` takes in place of an import path."""


def make_model(name: str, classes: int, bands: int, seed: Sequence[int], channels: int = 1) -> nn.Module:
    """Create a model with weights drawn from the seed; other random state is not disturbed.

    Args:
        name: One of `MODELS`, or `package.module:name` of an `nn.Module` or of a callable that is given the number of
            classes.
        classes: Number of logits.
        bands: Number of bands of the input, of each channel.
        seed: Whole numbers.
        channels: Number of channels of the input of a built-in model.

    Raises:
        ArgumentError: if there is no such model, or if the callable does not return an `nn.Module`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_mixed(seed))
        if name in SIZES:
            return XResNet(SIZES[name], classes, channels)
        if name in BAND_MODELS:
            return BAND_MODELS[name](channels * bands, classes)
        return _imported(name, classes)


def check_model(name: str, classes: int, shape: tuple[int, int], channels: int = 1) -> nn.Module:
    """Create a model and check that it maps a batch of inputs of this shape to one logit for each class.

    Args:
        name: Name of the model.
        classes: Number of classes.
        shape: Bands and frames of the input.
        channels: Number of channels of the input.

    Raises:
        ArgumentError: if it does not.
    """
    model, batch = make_model(name, classes, shape[0], (0,), channels), (2, channels, *shape)
    if any(isinstance(weight, nn.parameter.UninitializedParameter) for weight in model.parameters()):
        raise ArgumentError(f"model={name!r} has lazy layers, whose weights cannot be drawn; give their sizes")
    # Two clips, because BatchNorm cannot train on one.
    try:
        logits = model(torch.zeros(batch))
    except (Exception, SystemExit) as error:  # A user's model may fail in any way.
        raise ArgumentError(f"model={name!r} does not take a batch {batch}: {error}") from None
    if not isinstance(logits, Tensor) or tuple(logits.shape) != (2, classes):
        got = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ArgumentError(
            f"model={name!r} gives {got} for a batch of 2, but logits (2, {classes}) are needed, one for each class; "
            "it is called with the number of classes: use that for its last layer"
        )
    if not logits.is_floating_point():
        raise ArgumentError(f"model={name!r} gives {logits.dtype}, but logits are needed, which are not rounded")
    if are_probabilities(logits.detach().double().numpy()):
        raise ArgumentError(f"model={name!r} gives probabilities, but logits are needed; leave out its last softmax")
    return model


def are_probabilities(outputs: NDArray[np.float64]) -> bool:
    """True if each row of outputs `(clip, class)` lies in 0 … 1 and adds up to 1, as after a softmax."""
    return bool((outputs >= 0).all() and np.allclose(outputs.sum(axis=1), 1.0, atol=1e-3))


def begins_with_batch_norm(model: nn.Module) -> bool:
    """True if the model begins with a bias-free convolution and a BatchNorm, which undo a scale and a shift."""
    leaves = [module for module in model.modules() if not any(module.children())]
    return (
        len(leaves) > 1
        and isinstance(leaves[0], nn.Conv1d | nn.Conv2d)
        and leaves[0].bias is None
        and isinstance(leaves[1], nn.modules.batchnorm._BatchNorm)
    )


def _imported(name: str, classes: int) -> nn.Module:
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise ArgumentError(
            f"model={name!r} is unknown; use one of {', '.join(MODELS)}, or an import path package.module:callable"
            f"{did_you_mean(name, MODELS)}"
        )
    try:
        found = import_path(name)
        with current_folder_importable():
            model = copy.deepcopy(found) if isinstance(found, nn.Module) else found(classes)
    except (Exception, SystemExit) as error:  # A user's callable may fail in any way.
        raise ArgumentError(
            f"model={name!r} cannot be made ({error}); a callable is given the number of classes"
        ) from None
    if not isinstance(model, nn.Module):
        raise ArgumentError(f"model={name!r} returned a {type(model).__name__}, not a torch.nn.Module")
    return adapted(model)


def _mixed(seed: Sequence[int]) -> int:
    """Combine several numbers into one below 2^63."""
    return int(np.random.SeedSequence(list(seed)).generate_state(1, np.uint64)[0]) >> 1
