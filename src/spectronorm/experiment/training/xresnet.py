"""xResNets of three sizes for one-channel input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn


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
"""Every size, by the name that `--model` takes."""


class XResNet(nn.Sequential):
    """The ResNet of He et al. 2018 (Bag of Tricks for Image Classification with CNNs), for one channel by default.

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
