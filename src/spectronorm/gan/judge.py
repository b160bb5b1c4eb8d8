"""Classifier for scoring: a small convolutional network trained on the training clips."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import xxhash
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from spectronorm.gan.training import mixed_seed

EPOCHS = 8
FEATURES = 128
_BATCH = 32
_RATE, _DECAY = 5e-3, 0.01


class JudgeNetwork(nn.Module):
    """Three convolutions, each with BatchNorm, ReLU and max pooling; the mean over the image; a linear layer.

    The network standardizes levels by the mean and standard deviation of each band over its training images, padding
    included, so it does not depend on the scale of a model's images.
    """

    def __init__(self, levels: NDArray[np.float32], classes: int) -> None:
        super().__init__()
        mean, std = levels.mean(axis=(0, 2)), levels.std(axis=(0, 2))
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.from_numpy(np.asarray(mean))[:, None])
        self.register_buffer("std", torch.from_numpy(np.maximum(std, 1e-3))[:, None])
        widths = (1, FEATURES // 4, FEATURES // 2, FEATURES)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            first = inputs == 1
            convolution = nn.Conv2d(
                inputs, outputs, 5 if first else 3, stride=2 if first else 1, padding=2 if first else 1, bias=False
            )
            layers += [convolution, nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(FEATURES, classes)

    def standardized(self, levels: Tensor) -> Tensor:
        """Convert levels `(clip, band, frame)` to the network's input `(clip, 1, band, frame)`."""
        x = ((levels - self.mean) / self.std)[:, None]
        return x.contiguous(memory_format=torch.channels_last)

    def features(self, x: Tensor) -> Tensor:
        """Return features `(clip, feature)` of standardized input."""
        result: Tensor = self.layers(x).mean(dim=(2, 3))
        return result


@dataclass(frozen=True, eq=False)
class Judge:
    """Trained classifier of levels."""

    network: JudgeNetwork

    @classmethod
    def trained(
        cls,
        levels: NDArray[np.float32],
        labels: NDArray[np.int64],
        classes: int,
        seed: int,
        device: torch.device,
        epochs: int = EPOCHS,
    ) -> Judge:
        """Train a classifier with AdamW on a one-cycle schedule.

        Args:
            levels: Levels `(clip, band, frame)`.
            labels: The class index of each clip, `(clip,)`.
            classes: Number of classes.
            seed: Seed of the initial weights and of the order of clips.
            device: Device of the network.
            epochs: Number of epochs.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(mixed_seed(seed, 10))
            network = JudgeNetwork(levels, classes).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        size, rng = min(_BATCH, len(levels)), np.random.default_rng([seed, 11])
        steps = len(levels) // size
        optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=epochs * steps, pct_start=0.25)
        network.train()
        for _ in range(epochs):
            order = rng.permutation(len(levels))
            for index in order[: steps * size].reshape(steps, size):
                x = network.standardized(torch.from_numpy(levels[index]).to(device))
                target = torch.from_numpy(labels[index]).to(device)
                loss = cross_entropy(network.head(network.features(x)), target)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
        return cls(network.eval())

    @torch.no_grad()
    def __call__(self, levels: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return class probabilities `(clip, class)` and features `(clip, feature)` of levels `(clip, band, frame)`."""
        device = self.network.mean.device
        features, probabilities = [], []
        for part in torch.split(torch.from_numpy(np.asarray(levels, dtype=np.float32)), 256):
            found = self.network.features(self.network.standardized(part.to(device)))
            features.append(found.double().cpu())
            probabilities.append(torch.softmax(self.network.head(found).double(), dim=1).cpu())
        return torch.cat(probabilities).numpy(), torch.cat(features).numpy()

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that identify the weights: scores by different classifiers are not comparable."""
        state = self.network.state_dict()
        return xxhash.xxh3_64_hexdigest(b"".join(state[name].cpu().numpy().tobytes() for name in sorted(state)))
