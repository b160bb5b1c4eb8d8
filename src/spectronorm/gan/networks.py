"""Generator and discriminator of SpecGAN: DCGAN's plain stacks of 5×5 convolutions, at any width."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot
from torch.nn.utils.parametrizations import spectral_norm

from spectronorm.arrays import set_flags, set_whole_numbers
from spectronorm.errors import ArgumentError

IMAGE_SIZES = (16, 32, 64, 128)
_SMALLEST = 4
_SLOPE = 0.2


@dataclass(frozen=True)
class Architecture:
    """Architecture of both networks.

    Attributes:
        size: Number of bands and of frames in an image: 64 or 128 (16 and 32 serve tests).
        width: Channels at the largest image size, SpecGAN's d; each halving of the size doubles the channels.
        latent: Number of latent variables of an image, uniform in [-1, 1].
        classes: Number of classes for conditioning; 0 for none.
        batch_norm: Use BatchNorm in the generator.
        spectral_norm: Normalize the discriminator's weights to spectral norm 1 (Miyato et al. 2018).

    Raises:
        ArgumentError: if a number is out of range.
    """

    size: int = 64
    width: int = 32
    latent: int = 100
    classes: int = 0
    batch_norm: bool = True
    spectral_norm: bool = True

    def __post_init__(self) -> None:
        if self.size not in IMAGE_SIZES:
            raise ArgumentError(f"size={self.size} must be one of {', '.join(map(str, IMAGE_SIZES))} bands and frames")
        set_whole_numbers(self, ("size", "width"), 1, 1024)
        set_whole_numbers(self, ("latent",), 1, 4096)
        set_whole_numbers(self, ("classes",), 0, 100_000)
        set_flags(self, ("batch_norm", "spectral_norm"))

    @property
    def channels(self) -> tuple[int, ...]:
        """Number of channels from the smallest images, 4×4, to the second largest."""
        stages = (self.size // _SMALLEST).bit_length() - 1
        return tuple(self.width << stage for stage in reversed(range(stages)))


class Generator(nn.Module):
    """Network `generator(z, labels)`: latent variables `(image, latent)` to images `(image, 1, size, size)`.

    Pixels are in [-1, 1].
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        channels = architecture.channels
        self.project = nn.Linear(architecture.latent + architecture.classes, channels[0] * _SMALLEST**2)
        normalize: Callable[[int], nn.Module] = nn.BatchNorm2d if architecture.batch_norm else nn.Identity
        layers: list[nn.Module] = [normalize(channels[0]), nn.ReLU()]
        for inputs, outputs in pairwise(channels):
            layers += [_doubling(inputs, outputs), normalize(outputs), nn.ReLU()]
        self.layers = nn.Sequential(*layers, _doubling(channels[-1], 1))
        _initialize(self)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return images; `labels` `(image,)` are ignored without classes."""
        if self.architecture.classes:
            z = torch.cat([z, one_hot(labels, self.architecture.classes).to(z.dtype)], dim=1)
        small = self.project(z).reshape(len(z), -1, _SMALLEST, _SMALLEST)
        small = small.contiguous(memory_format=torch.channels_last)
        return torch.tanh(self.layers(small).float())


class Discriminator(nn.Module):
    """Network `discriminator(x, labels)`: images `(image, 1, size, size)` to logits `(image,)`, high for real images.

    With classes, the features are projected on a learned direction for each class (Miyato and Koyama 2018).
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        bound: Callable[[nn.Module], nn.Module] = spectral_norm if architecture.spectral_norm else _unchanged
        layers: list[nn.Module] = []
        channels = (*architecture.channels, 1)[::-1]
        for inputs, outputs in pairwise(channels):
            layers += [bound(nn.Conv2d(inputs, outputs, 5, stride=2, padding=2)), nn.LeakyReLU(_SLOPE)]
        features = architecture.channels[0] * _SMALLEST**2
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.judge = bound(nn.Linear(features, 1))
        self.direction = bound(nn.Embedding(architecture.classes, features)) if architecture.classes else None
        if not architecture.spectral_norm:
            _initialize(self)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Return logits; `labels` `(image,)` are ignored without classes."""
        features = self.layers(x)
        logits: Tensor = self.judge(features).squeeze(1).float()
        if self.direction is None:
            return logits
        along: Tensor = (features.float() * self.direction(labels).float()).sum(dim=1)
        return logits + along


def make_networks(architecture: Architecture, seed: int) -> tuple[Generator, Discriminator]:
    """Create networks with weights drawn from the seed; other random state is not disturbed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator, discriminator = Generator(architecture), Discriminator(architecture)
    # Convolutions are faster, especially in bfloat16, if the channels of a pixel are contiguous.
    return (
        generator.to(memory_format=torch.channels_last),  # type: ignore[call-overload]
        discriminator.to(memory_format=torch.channels_last),  # type: ignore[call-overload]
    )


def _doubling(inputs: int, outputs: int) -> nn.Module:
    return nn.ConvTranspose2d(inputs, outputs, 5, stride=2, padding=2, output_padding=1)


def _unchanged(module: nn.Module) -> nn.Module:
    return module


def _initialize(network: nn.Module) -> None:
    """Initialize with Glorot-uniform weights and zero biases, as SpecGAN does."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
