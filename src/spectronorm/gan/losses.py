"""What the two networks are trained for: two losses, chosen by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from spectronorm.errors import ArgumentError

Critic = Callable[[Tensor], Tensor]
"""Images to logits, with labels and augmentation already in it."""


@dataclass(frozen=True)
class Loss:
    """A loss, with the settings that go with it.

    Attributes:
        critic_steps: Steps of the discriminator for one of the generator.
        learning_rate: Adam's, of the generator, unless another is asked for.
        faster: How many times as high the discriminator's is (Heusel et al. 2017).
        betas: Adam's.
        gradient_penalty: The weight of WGAN's gradient penalty; 0 for none.
        bounded: Whether the discriminator's weights are spectrally normalized, and the generator has BatchNorm.
    """

    critic_steps: int
    learning_rate: float
    faster: float
    betas: tuple[float, float]
    gradient_penalty: float
    bounded: bool

    def of_discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """From logits of real and of generated images."""
        if self.bounded:
            each: Tensor = softplus(-real) + softplus(fake)
        else:
            each = fake - real
        return each.mean()

    def of_generator(self, fake: Tensor) -> Tensor:
        """From logits of generated images."""
        loss: Tensor = softplus(-fake).mean() if self.bounded else -fake.mean()
        return loss

    def penalty(self, critic: Critic, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
        """The gradient penalty (Gulrajani et al. 2017): how far slopes between images of both kinds are from 1.

        `mix` `(image, 1, 1, 1)` says in 0 … 1 where between them.
        """
        between = (real + mix * (fake - real)).requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        norm = slope.float().flatten(1).norm(dim=1)
        penalty: Tensor = self.gradient_penalty * ((norm - 1.0) ** 2).mean()
        return penalty


LOSSES: Mapping[str, Loss] = {
    # Goodfellow et al. 2014's generator loss, with Miyato et al. 2018's bound; Adam as Radford et al. 2016 have it.
    "non_saturating": Loss(1, 2e-4, 4.0, (0.5, 0.999), 0.0, bounded=True),
    # As SpecGAN was trained.
    "wgan_gp": Loss(5, 1e-4, 1.0, (0.5, 0.9), 10.0, bounded=False),
}
"""What `--loss` takes."""


def find_loss(name: str) -> Loss:
    """The loss of that name; raises `ArgumentError` when there is none."""
    if name not in LOSSES:
        raise ArgumentError(f"loss={name!r} must be one of {', '.join(LOSSES)}")
    return LOSSES[name]
