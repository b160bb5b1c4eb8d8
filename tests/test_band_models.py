"""Models that keep bands find what networks that average over bands miss, and short trainings have a schedule."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from spectronorm.errors import ArgumentError  # noqa: E402
from spectronorm.experiment.training.models import check_model, make_model  # noqa: E402
from spectronorm.experiment.training.train import _one_cycle  # noqa: E402


@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_a_model_that_keeps_bands_sees_which_band_it_is(name: str) -> None:
    """Two classes that differ only by which of two bands is louder are told apart within a hundred steps."""
    generator = torch.Generator().manual_seed(0)
    target = torch.arange(64) % 2
    x = torch.randn(64, 1, 8, 20, generator=generator)
    x[target == 0, :, 2] += 1.0
    x[target == 1, :, 5] += 1.0
    model = make_model(name, 2, 8, (1,))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05)
    for _ in range(100):
        loss = torch.nn.functional.cross_entropy(model(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (model(x).argmax(dim=1) == target).all()


@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_equal_seeds_give_equal_weights(name: str) -> None:
    """The weights depend on the seed alone."""
    first, second = (make_model(name, 3, 8, (4,)).state_dict() for _ in range(2))
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_an_unknown_model_is_refused_by_name() -> None:
    """The error names the models that there are."""
    with pytest.raises(ArgumentError, match="tiny, small, xresnet18, linear, mlp"):
        check_model("ridge", 3, (8, 20))


@pytest.mark.parametrize("steps", range(1, 41))
def test_every_number_of_steps_has_a_schedule(steps: int) -> None:
    """The learning rate is finite, positive and at most the highest for any number of steps, four among them."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = _one_cycle(optimizer, 0.5, steps)
    rates = []
    for _ in range(steps):
        rates += schedule.get_last_lr()
        optimizer.step()
        if len(rates) < steps:
            schedule.step()
    assert np.isfinite(rates).all()
    assert 0 < min(rates) <= max(rates) <= 0.5
