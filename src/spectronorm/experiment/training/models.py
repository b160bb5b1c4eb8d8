"""Models of a comparison: xResNets of three sizes, or the user's own."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from spectronorm.errors import ArgumentError


@dataclass(frozen=True)
class Size:
    """Channels of the stem's convolutions and of each stage, and the number of residual blocks in a stage."""

    stem: tuple[int, ...]
    stages: tuple[int, ...]
    blocks: int


SIZES: Mapping[str, Size] = {
    "tiny": Size(stem=(16,), stages=(24, 48, 96, 160), blocks=1),
    "small": Size(stem=(16, 16, 32), stages=(32, 64, 128, 256), blocks=1),
    "xresnet18": Size(stem=(32, 32, 64), stages=(64, 128, 256, 512), blocks=2),
}
"""Every built-in model, by the name that `--model` takes in place of an import path."""


class XResNet(nn.Sequential):
    """The ResNet of He et al. 2018 (Bag of Tricks for Image Classification with CNNs), by default for one channel.

    `xresnet18` is fastai's: a stem of 3×3 convolutions with 32, 32 and 64 channels, the first of stride 2; max pooling;
    stages of basic blocks whose shortcut pools before its 1×1 convolution (ResNet-D), and whose last BatchNorm starts
    at zero; weights by He's normal initialization. The model maps `(batch, 1, band, frame)` to logits `(batch, class)`;
    with `channels`, that number of them in place of 1.
    """

    def __init__(self, size: Size, classes: int, channels: int = 1) -> None:
        widths = (channels, *size.stem)
        stem = [
            _convolution(i, o, stride=2 if n == 0 else 1)
            for n, (i, o) in enumerate(zip(widths, size.stem, strict=False))
        ]
        widths = (size.stem[-1], *size.stages)
        stages = [
            nn.Sequential(
                *(ResidualBlock(i if n == 0 else o, o, stride=2 if n == 0 and stage else 1) for n in range(size.blocks))
            )
            for stage, (i, o) in enumerate(zip(widths, size.stages, strict=False))
        ]
        head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(size.stages[-1], classes))
        super().__init__(*stem, nn.MaxPool2d(3, stride=2, padding=1), *stages, *head)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut, which pools and changes channels only if the block changes them."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        last = _convolution(outputs, outputs, activation=False)
        nn.init.zeros_(last.get_submodule("1").weight)  # type: ignore[arg-type]
        self.path = nn.Sequential(_convolution(inputs, outputs, stride=stride), last)
        shortcut: list[nn.Module] = []
        if stride != 1:
            shortcut.append(nn.AvgPool2d(2, ceil_mode=True))
        if inputs != outputs:
            shortcut.append(_convolution(inputs, outputs, kernel=1, activation=False))
        self.shortcut = nn.Sequential(*shortcut)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        result: Tensor = self.activation(self.path(x) + self.shortcut(x))
        return result


def _convolution(
    inputs: int, outputs: int, kernel: int = 3, stride: int = 1, *, activation: bool = True
) -> nn.Sequential:
    """Convolution without bias, BatchNorm, and ReLU."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, *([nn.ReLU(inplace=True)] if activation else []))


def make_model(name: str, classes: int, seed: Sequence[int], channels: int = 1) -> nn.Module:
    """Create a model with weights drawn from the seed; other random state is not disturbed.

    Args:
        name: One of `SIZES`, or `package.module:callable`, which is called with the number of classes.
        classes: Number of logits.
        seed: Whole numbers.
        channels: Number of channels of the input of a built-in model.

    Raises:
        ArgumentError: if there is no such model, or if the callable does not return an `nn.Module`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_mixed(seed))
        if name in SIZES:
            return XResNet(SIZES[name], classes, channels)
        return _imported(name, classes)


def check_model(name: str, classes: int, shape: tuple[int, int, int]) -> nn.Module:
    """Create a model and check that it maps a batch of inputs `(channel, band, frame)` to one logit for each class.

    Raises:
        ArgumentError: if it does not.
    """
    model = make_model(name, classes, (0,), shape[0])
    # Two clips, because BatchNorm cannot train on one.
    try:
        logits = model(torch.zeros(2, *shape))
    except (RuntimeError, ValueError, TypeError) as error:
        raise ArgumentError(f"model={name!r} does not take a batch {(2, *shape)}: {error}") from None
    if not isinstance(logits, Tensor) or tuple(logits.shape) != (2, classes):
        got = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ArgumentError(
            f"model={name!r} gives {got} for a batch of 2, but logits (2, {classes}) are needed, one for each class; "
            "it is called with the number of classes: use that for its last layer"
        )
    return model


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
            f"model={name!r} is unknown; use one of {', '.join(SIZES)}, or an import path package.module:callable"
        )
    # An installed command does not search the current folder for modules.
    sys.path.insert(0, str(Path.cwd()))
    try:
        model = getattr(importlib.import_module(module), attribute)(classes)
    except (ImportError, AttributeError, TypeError) as error:
        raise ArgumentError(
            f"model={name!r} cannot be made ({error}); it is called with the number of classes"
        ) from None
    finally:
        sys.path.remove(str(Path.cwd()))
    if not isinstance(model, nn.Module):
        raise ArgumentError(f"model={name!r} returned a {type(model).__name__}, not a torch.nn.Module")
    return model


def _mixed(seed: Sequence[int]) -> int:
    """Combine several numbers into one below 2^63."""
    return int(np.random.SeedSequence(list(seed)).generate_state(1, np.uint64)[0]) >> 1
