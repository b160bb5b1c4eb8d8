"""Small models that keep bands apart, which networks that average over bands at their end do not."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class BandMoments(nn.Module):
    """Mean and standard deviation over frames of each band: `(batch, channel, band, frame)` to `(batch, feature)`."""

    def __init__(self, *, std: bool) -> None:
        super().__init__()
        self.std = std

    def forward(self, x: Tensor) -> Tensor:
        """Return the moments of all bands, one after the other."""
        moments = [x.mean(dim=-1)]
        if self.std:
            moments.append(x.var(dim=-1, unbiased=False).add(1e-6).sqrt())
        return torch.cat(moments, dim=1).flatten(start_dim=1)


def linear(bands: int, classes: int) -> nn.Module:
    """Return a linear classifier of the bands' means over time, with weights of zero: logistic regression."""
    layer = nn.Linear(bands, classes)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return nn.Sequential(BandMoments(std=False), layer)


def mlp(bands: int, classes: int) -> nn.Module:
    """Return a network with one hidden layer of 64 units on the bands' means and standard deviations over time."""
    return nn.Sequential(BandMoments(std=True), nn.Linear(2 * bands, 64), nn.ReLU(), nn.Linear(64, classes))


BAND_MODELS = {"linear": linear, "mlp": mlp}
"""Every model that keeps bands, by the name that `--model` takes."""

_RATE = 5e-3
_RATES = {"linear": _RATE, "mlp": _RATE}


def usual_rate(model: str) -> float:
    """Return the highest learning rate that suits a model, by its name.

    Measured by `python -m benchmarks.learning_rates`; models of the user's own have that of the xResNets.
    """
    return _RATES.get(model, _RATE)
