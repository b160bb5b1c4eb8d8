"""Losses of the two networks, chosen by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from spectronorm.errors import ArgumentError

Critic = Callable[[Tensor], Tensor]
"""Maps images to logits, with labels and augmentation included."""


@dataclass(frozen=True)
class Loss:
    """A loss and the training settings that go with it.

    Attributes:
        critic_steps: Discriminator steps for each generator step.
        learning_rate: Default learning rate of Adam for the generator.
        faster: Ratio of the discriminator's learning rate to the generator's (Heusel et al. 2017).
        betas: Adam's betas.
        gradient_penalty: Weight of WGAN's gradient penalty; 0 for none.
        bounded: Normalize the discriminator's weights spectrally, and use BatchNorm in the generator.
    """

    critic_steps: int
    learning_rate: float
    faster: float
    betas: tuple[float, float]
    gradient_penalty: float
    bounded: bool

    def of_discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Discriminator loss from the logits of real and of generated images."""
        if self.bounded:
            each: Tensor = softplus(-real) + softplus(fake)
        else:
            each = fake - real
        return each.mean()

    def of_generator(self, fake: Tensor) -> Tensor:
        """Generator loss from the logits of generated images."""
        loss: Tensor = softplus(-fake).mean() if self.bounded else -fake.mean()
        return loss

    def penalty(self, critic: Critic, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
        """Gradient penalty (Gulrajani et al. 2017): deviation from 1 of the slopes between real and generated images.

        `mix` `(image, 1, 1, 1)` is the position between each pair, 0 … 1.
        """
        between = (real + mix * (fake - real)).requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        norm = slope.float().flatten(1).norm(dim=1)
        penalty: Tensor = self.gradient_penalty * ((norm - 1.0) ** 2).mean()
        return penalty


LOSSES: Mapping[str, Loss] = {
    # Generator loss of Goodfellow et al. 2014, with the bound of Miyato et al. 2018; Adam as in Radford et al. 2016.
    "non_saturating": Loss(1, 2e-4, 4.0, (0.5, 0.999), 0.0, bounded=True),
    # Settings of SpecGAN.
    "wgan_gp": Loss(5, 1e-4, 1.0, (0.5, 0.9), 10.0, bounded=False),
}
"""Every loss, by the name that `--loss` takes."""


def find_loss(name: str) -> Loss:
    """Return the loss with this name.

    Raises:
        ArgumentError: if there is no such loss.
    """
    if name not in LOSSES:
        raise ArgumentError(f"loss={name!r} must be one of {', '.join(LOSSES)}")
    return LOSSES[name]
