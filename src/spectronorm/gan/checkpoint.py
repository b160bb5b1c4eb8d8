"""Checkpoint of a training in one file, from which the training continues as if it had never stopped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spectronorm.errors import FileFormatError
from spectronorm.gan.training import GanTrainer
from spectronorm.storage import container
from spectronorm.version import __version__

KIND, FORMAT = "gan_checkpoint", 2
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


def save_checkpoint(trainer: GanTrainer, path: Path) -> None:
    """Write weights, both optimizers' moments, the moving average and the step, atomically.

    The state of random generators is not needed: the draws of a step depend only on the seed and the step's number.
    """
    header = {"kind": KIND, "format": FORMAT, "version": __version__, **_belongs_to(trainer), "step": trainer.step}
    container.save_tensors(path, header, {name: tensor.detach().cpu().numpy() for name, tensor in _state(trainer)})


def load_checkpoint(trainer: GanTrainer, path: Path) -> None:
    """Restore a saved state into a new trainer.

    Raises:
        FileFormatError: if the file is not a valid checkpoint of this version and of this training.
    """
    header, tensors = container.load_tensors(path)
    if header.get("kind") != KIND or header.get("format") != FORMAT:
        raise FileFormatError(
            f"{path}: holds a {header.get('kind')!r} of format {header.get('format')!r}, written by spectronorm "
            f"{header.get('version')!r}, but a {KIND!r} of format {FORMAT} is needed; train in another folder"
        )
    expected = _belongs_to(trainer)
    if {name: header.get(name) for name in expected} != expected or not _is_step(header.get("step")):
        raise FileFormatError(f"{path}: belongs to another training; train in another folder")
    if header["step"]:  # Before the first step, optimizers have no moments to fill.
        _make_moments(trainer)
    state = dict(_state(trainer))
    fits = len(state) == len(tensors) and all(
        name in tensors
        and tensors[name].size == tensor.numel()
        and str(tensors[name].dtype) == str(tensor.dtype).removeprefix("torch.")
        for name, tensor in state.items()
    )
    if not fits:
        raise FileFormatError(f"{path}: its weights do not fit these networks; train in another folder")
    if not all(np.isfinite(tensors[name]).all() for name in state):
        raise FileFormatError(f"{path}: holds NaN or infinite weights; train in another folder")
    with torch.no_grad():
        for name, tensor in state.items():
            tensor.copy_(torch.from_numpy(np.array(tensors[name])).reshape(tensor.shape))
    trainer.step = header["step"]


def _is_step(step: object) -> bool:
    return type(step) is int and 0 <= step < 1 << 53


def _belongs_to(trainer: GanTrainer) -> Mapping[str, Any]:
    """Return the settings that a checkpoint must match; the device may differ."""
    training = {name: value for name, value in asdict(trainer.training).items() if name != "device"}
    return {"architecture": asdict(trainer.architecture), "training": training}


def _state(trainer: GanTrainer) -> Iterator[tuple[str, Tensor]]:
    """Yield every tensor that changes in training, with its name."""
    networks = {"generator": trainer.generator, "discriminator": trainer.discriminator, "average": trainer.average}
    for name, network in networks.items():
        for key, tensor in network.state_dict().items():
            yield f"{name}.{key}", tensor
    for name, optimizer in trainer.optimizers.items():
        for number, parameter in enumerate(optimizer.param_groups[0]["params"]):
            for moment in _MOMENTS:
                if moment in optimizer.state[parameter]:
                    yield f"optimizer.{name}.{number}.{moment}", optimizer.state[parameter][moment]


def _make_moments(trainer: GanTrainer) -> None:
    """Create moments as Adam does at its first step, in the memory layout of their parameters."""
    for optimizer in trainer.optimizers.values():
        for parameter in optimizer.param_groups[0]["params"]:
            optimizer.state[parameter] = {
                "step": torch.zeros(()),
                "exp_avg": torch.zeros_like(parameter, memory_format=torch.preserve_format),
                "exp_avg_sq": torch.zeros_like(parameter, memory_format=torch.preserve_format),
            }
