"""Pretrained models of any make: evaluated as they are, trained in their last layer, or trained whole."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Protocol

from torch import Tensor, nn

from spectronorm.errors import ArgumentError
from spectronorm.experiment.arms.own_training import HEAD

_TRANSFORMERS_INPUT = "input_values"


class _Trains(Protocol):
    @property
    def trains(self) -> str: ...


class FromTransformers(nn.Module):
    """A spectrogram model of Hugging Face (such as AST) as a map from `(batch, 1, band, frame)` to logits.

    Such models take `(batch, frame, band)` and return an object with `logits`.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Any:
        """Return the logits `(batch, class)`."""
        return self.model(x[:, 0].transpose(1, 2)).logits


def adapted(model: nn.Module) -> nn.Module:
    """Return the model, wrapped if its `forward` takes `input_values` as those of Hugging Face's `transformers` do."""
    first = next(iter(inspect.signature(model.forward).parameters), "")
    return FromTransformers(model) if first == _TRANSFORMERS_INPUT else model


def prepare_to_train(model: nn.Module, training: _Trains) -> Callable[[], object]:
    """Freeze what is not trained; return a function that puts the model into its mode for training.

    With a linear probe all layers but the last linear one keep their weights and run in evaluation mode, so that
    dropout is off and batch normalization keeps its statistics.

    Raises:
        ArgumentError: if a linear probe is asked for and the model has no linear layer.
    """
    if training.trains != HEAD:
        return model.train
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise ArgumentError("trains='head' needs a model with a linear layer, whose last one is trained; train all")
    model.requires_grad_(requires_grad=False)
    layers[-1].requires_grad_(requires_grad=True)
    return model.eval
