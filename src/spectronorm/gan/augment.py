"""Random changes applied alike to real and generated images before they are judged (Zhao et al. 2020, DiffAugment).

With few clips, a discriminator memorizes them. Random changes prevent that, since no clip is seen twice unchanged; and
because generated images are changed in the same way, with gradients passed through, the generator does not learn the
changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_FRAMES, _BANDS, _LEVEL = 8, 32, 0.2


@dataclass(frozen=True, eq=False)
class Changes:
    """Changes of a batch of images: a shift by up to 1/8 of the frames, by up to 1/32 of the bands, and in level.

    Attributes:
        frames: Number of frames that each image moves, `(image,)`.
        bands: Number of bands that each image moves, `(image,)`.
        level: Offset added to each image, `(image,)`.
    """

    frames: Tensor
    bands: Tensor
    level: Tensor

    @classmethod
    def draw(cls, images: int, size: int, generator: torch.Generator, device: torch.device) -> Changes:
        """Draw random changes on the CPU, so that a seed gives identical changes on every device."""
        frames, bands = size // _FRAMES, size // _BANDS
        return cls(
            torch.randint(-frames, frames + 1, (images,), generator=generator).to(device),
            torch.randint(-bands, bands + 1, (images,), generator=generator).to(device),
            (_LEVEL * (2.0 * torch.rand(images, generator=generator) - 1.0)).to(device),
        )

    def __call__(self, x: Tensor) -> Tensor:
        """Change images `(image, 1, band, frame)`; cells that move in are -1, the lowest level."""
        x = _shifted(x, self.frames, axis=3)
        x = _shifted(x, self.bands, axis=2)
        return x + self.level[:, None, None, None]


def _shifted(x: Tensor, by: Tensor, axis: int) -> Tensor:
    """Move each image along `axis`, and fill with -1."""
    length = x.shape[axis]
    shape = [1, 1, 1, 1]
    shape[axis] = length
    come_from = torch.arange(length, device=x.device).reshape(shape) - by[:, None, None, None]
    inside = (come_from >= 0) & (come_from < length)
    moved = torch.gather(x, axis, come_from.clamp(0, length - 1).expand(x.shape))
    return torch.where(inside, moved, -torch.ones_like(moved))
