"""The same random changes to real and generated images before they are judged (Zhao et al. 2020, DiffAugment).

With few clips a discriminator learns them by heart. It cannot when it never sees one twice the same; and because
generated images are changed alike, and gradients go through, the generator does not learn the changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_FRAMES, _BANDS, _LEVEL = 8, 32, 0.2


@dataclass(frozen=True, eq=False)
class Changes:
    """Changes of a batch of images: a shift in time by up to an eighth, in bands by up to a 32nd, and in level.

    Attributes:
        frames: Frames that each image moves, `(image,)`.
        bands: Bands that it moves.
        level: What is added to it.
    """

    frames: Tensor
    bands: Tensor
    level: Tensor

    @classmethod
    def draw(cls, images: int, size: int, generator: torch.Generator, device: torch.device) -> Changes:
        """Random changes; drawn on the CPU, so that a seed gives the same ones on every device."""
        frames, bands = size // _FRAMES, size // _BANDS
        return cls(
            torch.randint(-frames, frames + 1, (images,), generator=generator).to(device),
            torch.randint(-bands, bands + 1, (images,), generator=generator).to(device),
            (_LEVEL * (2.0 * torch.rand(images, generator=generator) - 1.0)).to(device),
        )

    def __call__(self, x: Tensor) -> Tensor:
        """Changed images `(image, 1, band, frame)`; what moves in is -1, the lowest level."""
        x = _shifted(x, self.frames, axis=3)
        x = _shifted(x, self.bands, axis=2)
        return x + self.level[:, None, None, None]


def _shifted(x: Tensor, by: Tensor, axis: int) -> Tensor:
    """Each image moved along `axis`, with -1 where nothing was."""
    length = x.shape[axis]
    shape = [1, 1, 1, 1]
    shape[axis] = length
    come_from = torch.arange(length, device=x.device).reshape(shape) - by[:, None, None, None]
    inside = (come_from >= 0) & (come_from < length)
    moved = torch.gather(x, axis, come_from.clamp(0, length - 1).expand(x.shape))
    return torch.where(inside, moved, -torch.ones_like(moved))
