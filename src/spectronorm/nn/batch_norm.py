"""Adaptation of batch normalization to unlabelled audio, which helps where updated input statistics do not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from spectronorm.errors import ArgumentError, UpdateRefused
from spectronorm.monitor import NewAudio, Remedy
from spectronorm.monitor.mending.guards import objections_to, too_few
from spectronorm.short_repr import with_short_repr
from spectronorm.suggestion import known_keywords, known_settings


@known_settings
@with_short_repr
@dataclass(frozen=True)
class AdaptedBatchNorm:
    """Names of the adapted layers and the number of clips; `undo` restores the statistics of training.

    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.BatchNorm1d(8))
    >>> batches = [5.0 + torch.randn(8, 8, 20, generator=torch.Generator().manual_seed(n)) for n in range(4)]
    >>> adapted = adapt_batchnorm(model, batches)
    >>> adapted.clips, adapted.layers, round(float(model[0].running_mean.mean()), 1)
    (32, ('0',), 5.0)
    >>> adapted.undo(model)
    >>> float(model[0].running_mean.mean())
    0.0
    """

    layers: tuple[str, ...]
    clips: int
    objections: tuple[str, ...]
    before: dict[str, Tensor]

    def undo(self, model: nn.Module) -> None:
        """Restore the running statistics."""
        buffers = dict(model.named_buffers())
        with torch.no_grad():
            for name, value in self.before.items():
                buffers[name].copy_(value)


@known_keywords
def adapt_batchnorm(
    model: nn.Module, inputs: Iterable[Tensor], audio: NewAudio | None = None, *, force: bool = False
) -> AdaptedBatchNorm:
    """Re-estimate the running mean and variance of every batch normalization from unlabelled inputs (AdaBN).

    The weights and the modes of all modules stay unchanged (Li et al. 2016, Revisiting Batch Normalization For
    Practical Domain Adaptation). docs/monitoring.md has its measured benefit behind two dozen changes, and its cost
    with clips of few classes.

    Args:
        model: Any module with batch normalization that keeps running statistics.
        inputs: Batches of normalized spectrograms as the model takes them, each clip once.
        audio: The judgement of these clips by `measure_new`, for the guards; without it only the number is checked.
        force: Adapt despite objections.

    Returns:
        The record of the adaptation, which can undo it.

    Raises:
        UpdateRefused: if there are too few clips, if they are too alike, or if an adaptation has no measured benefit
            for the diagnosed change, unless forced.
        ArgumentError: if the model has no such layer, or if there are no inputs.

    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.BatchNorm1d(8))
    >>> batches = [5.0 + torch.randn(8, 8, 20, generator=torch.Generator().manual_seed(n)) for n in range(4)]
    >>> adapted = adapt_batchnorm(model, batches)
    >>> bool((model[0].running_mean - 5.0).abs().max() < 0.2)
    True
    """
    layers = {
        name: layer
        for name, layer in model.named_modules()
        if isinstance(layer, _BatchNorm) and layer.track_running_stats and layer.running_mean is not None
    }
    if not layers:
        raise ArgumentError("the model has no batch normalization with running statistics: there is nothing to adapt")
    batches = list(inputs)
    clips = sum(len(batch) for batch in batches)
    if not clips:
        raise ArgumentError("there are no inputs to adapt to; give batches as the model takes them")
    objections = tuple(_objections(clips, audio))
    if objections and not force:
        raise UpdateRefused(f"not adapted: {' '.join(objections)} Remove the cause first, or force the adaptation")
    before = {
        f"{name}.{buffer}".lstrip("."): value.clone()
        for name, layer in layers.items()
        for buffer, value in layer.named_buffers()
    }
    _estimate(model, layers, batches)
    return AdaptedBatchNorm(tuple(layers), clips, objections, before)


def _estimate(model: nn.Module, layers: dict[str, _BatchNorm], batches: list[Tensor]) -> None:
    """Run the inputs through the model while only these layers learn, as an average over all batches."""
    modes = {module: module.training for module in model.modules()}
    momenta = {layer: layer.momentum for layer in layers.values()}
    try:
        model.eval()
        for layer in layers.values():
            layer.reset_running_stats()
            layer.momentum = None
            layer.train()
        with torch.no_grad():
            for batch in batches:
                model(batch)
    finally:
        for module, training in modes.items():
            module.training = training
        for layer, momentum in momenta.items():
            layer.momentum = momentum


def _objections(clips: int, audio: NewAudio | None) -> list[str]:
    return too_few(clips) if audio is None else objections_to(audio, Remedy.BATCH_NORM, clips=clips)
