"""Training loop: each step is a pure function of the state, the images and the seed, so training can be resumed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spectronorm.arrays import MAX_SEED, set_flags, set_real_numbers, set_whole_numbers
from spectronorm.errors import ArgumentError
from spectronorm.experiment.training.device import autocast_on, check_precision, find_device
from spectronorm.gan.augment import Changes
from spectronorm.gan.losses import Loss, find_loss
from spectronorm.gan.networks import Architecture, Generator, make_networks
from spectronorm.short_repr import with_bounded_repr
from spectronorm.suggestion import known_settings


@known_settings
@with_bounded_repr
@dataclass(frozen=True)
class GanTraining:
    """Settings of the optimization with Adam.

    Attributes:
        loss: `non_saturating` with spectral normalization, or `wgan_gp`.
        batch_size: Number of images in a step.
        learning_rate: Learning rate of the generator; by default a value that suits the loss.
        average: Decay of the moving average of the generator's weights, which is the model kept (Yazıcı et al. 2019).
        augment: Change real and generated images at random before they are judged (see `Changes`).
        precision: float32 or bfloat16.
        device: auto, cpu, cuda or mps.
        seed: Seed of the weights, the order of clips and all draws.

    Raises:
        ArgumentError: if a setting is invalid or the device is not available.

    >>> GanTraining(batch_size=4, loss="wgan_gp").loss
    'wgan_gp'
    >>> GanTraining(loss="hinge")
    Traceback (most recent call last):
        ...
    spectronorm.errors.ArgumentError: loss='hinge' must be one of non_saturating, wgan_gp
    """

    loss: str = "non_saturating"
    batch_size: int = 64
    learning_rate: float | None = None
    average: float = 0.999
    augment: bool = True
    precision: str = "float32"
    device: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        find_loss(self.loss)
        set_whole_numbers(self, ("batch_size",), 2, 1 << 20)
        set_whole_numbers(self, ("seed",), 0, MAX_SEED)
        set_flags(self, ("augment",))
        set_real_numbers(self, ("average",), 0, 1)
        if self.learning_rate is not None:
            set_real_numbers(self, ("learning_rate",), 1e-12, 1)
        if self.average == 1:
            raise ArgumentError(
                f"average={self.average} must be in 0 … 1, below 1, learning_rate={self.learning_rate} above 0, up to 1"
            )
        check_precision(self.precision)
        find_device(self.device)

    def architecture(self, size: int, width: int, latent: int, classes: int) -> Architecture:
        """Return the architecture that goes with this loss."""
        bounded = find_loss(self.loss).bounded
        return Architecture(size, width, latent, classes, batch_norm=bounded, spectral_norm=bounded)


@dataclass(frozen=True)
class StepLosses:
    """Losses of one step (of the last discriminator step, if there are several)."""

    discriminator: Tensor
    generator: Tensor


class GanTrainer:
    """Both networks, their optimizers, and the averaged generator: the whole state of a training."""

    def __init__(
        self, architecture: Architecture, training: GanTraining, images: NDArray[np.float32], labels: NDArray[np.int64]
    ) -> None:
        """Create the networks at step 0.

        Args:
            architecture: Architecture of the networks.
            training: Settings of the optimization.
            images: Images `(clip, band, frame)` in [-1, 1].
            labels: The class index of each image, `(clip,)`.
        """
        self.architecture, self.training, self.loss = architecture, training, find_loss(training.loss)
        self.device = find_device(training.device)
        self.images, self.labels = torch.from_numpy(images[:, None]), torch.from_numpy(labels)
        generator, discriminator = make_networks(architecture, mixed_seed(training.seed, 0))
        self.average = Generator(architecture).to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average.load_state_dict(generator.state_dict())
        self.average.eval().requires_grad_(requires_grad=False)
        self.generator, self.discriminator = generator.to(self.device), discriminator.to(self.device)
        self.rate = self.loss.learning_rate if training.learning_rate is None else training.learning_rate
        self.optimizers = {
            "generator": _adam(self.generator, self.rate, self.loss),
            "discriminator": _adam(self.discriminator, self.rate * self.loss.faster, self.loss),
        }
        self.step = 0

    def advance(self) -> StepLosses:
        """Train for one step."""
        self.generator.train()
        self.discriminator.train()
        for critic_step in range(self.loss.critic_steps):
            last = critic_step == self.loss.critic_steps - 1
            number = self.step * self.loss.critic_steps + critic_step
            draw = torch.Generator().manual_seed(mixed_seed(self.training.seed, 1, number))
            real, labels = self._batch(number)
            # The generator step judges the images of the last discriminator step, so that they are generated only once.
            with torch.set_grad_enabled(last), autocast_on(self.device, self.training.precision):
                fake = self.generator(self._latent(len(real), draw), labels)
            discriminator_loss = self._train_discriminator(real, fake.detach(), labels, draw)
        generator_loss = self._train_generator(fake, labels, draw)
        self._follow()
        self.step += 1
        return StepLosses(discriminator_loss, generator_loss)

    def _train_discriminator(self, real: Tensor, fake: Tensor, labels: Tensor, draw: torch.Generator) -> Tensor:
        real, fake = self._changed(real, draw), self._changed(fake, draw)
        with autocast_on(self.device, self.training.precision):
            logits = self.discriminator(_side_by_side(torch.cat([real, fake])), torch.cat([labels, labels]))
            loss = self.loss.of_discriminator(*logits.chunk(2))
            if self.loss.gradient_penalty:
                mix = torch.rand(len(real), 1, 1, 1, generator=draw).to(self.device)
                loss = loss + self.loss.penalty(lambda x: self.discriminator(x, labels), real, fake, mix)
        self._update("discriminator", loss)
        return loss.detach()

    def _train_generator(self, fake: Tensor, labels: Tensor, draw: torch.Generator) -> Tensor:
        # Gradients of the discriminator's weights would be a third of the work.
        self.discriminator.requires_grad_(requires_grad=False)
        with autocast_on(self.device, self.training.precision):
            logits = self.discriminator(_side_by_side(self._changed(fake, draw)), labels)
            loss = self.loss.of_generator(logits)
        self._update("generator", loss)
        self.discriminator.requires_grad_(requires_grad=True)
        return loss.detach()

    def _update(self, name: str, loss: Tensor) -> None:
        optimizer = self.optimizers[name]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the average towards the generator; faster at first, so that the average forgets the initial weights."""
        decay = min(self.training.average, (1.0 + self.step) / (10.0 + self.step))
        for mean, now in zip(self.average.parameters(), self.generator.parameters(), strict=True):
            mean.lerp_(now, 1.0 - decay)
        for kept, present in zip(self.average.buffers(), self.generator.buffers(), strict=True):
            kept.copy_(present)

    def _batch(self, number: int) -> tuple[Tensor, Tensor]:
        """Return the images and labels of batch `number`; each epoch has its own order."""
        size = min(self.training.batch_size, len(self.images))
        epoch, place = divmod(number, len(self.images) // size)
        index = _order(self.training.seed, epoch, len(self.images))[place * size : (place + 1) * size]
        return self.images[index].to(self.device), self.labels[index].to(self.device)

    def _latent(self, images: int, draw: torch.Generator) -> Tensor:
        return (2.0 * torch.rand(images, self.architecture.latent, generator=draw) - 1.0).to(self.device)

    def _changed(self, x: Tensor, draw: torch.Generator) -> Tensor:
        if not self.training.augment:
            return x
        return Changes.draw(len(x), self.architecture.size, draw, self.device)(x)


@contextmanager
def explained_memory(architecture: Architecture, images: int) -> Iterator[None]:
    """Convert an out-of-memory error inside the context into advice.

    Raises:
        ArgumentError: if memory runs out inside the context.
    """
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError, RuntimeError) as error:
        short = isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(error)
        if not short:
            raise
        raise ArgumentError(
            f"out of memory with width={architecture.width}, size={architecture.size} and {images} images at once; "
            f"use a smaller --width or --batch-size ({str(error).splitlines()[0]})"
        ) from None


def mixed_seed(*numbers: int) -> int:
    """Combine several numbers into one below 2^63."""
    return int(np.random.SeedSequence(list(numbers)).generate_state(1, np.uint64)[0]) >> 1


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, clips: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, 2, epoch]).permutation(clips)


def _adam(network: nn.Module, rate: float, loss: Loss) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), lr=rate, betas=loss.betas)


def _side_by_side(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)
