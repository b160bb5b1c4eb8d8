"""The training loop: one readable page, shared by all arms."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import logsumexp
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, log_softmax, logsigmoid

from spectronorm.arrays import Integers, set_real_numbers, set_whole_numbers
from spectronorm.errors import ArgumentError
from spectronorm.experiment.arms.own_training import ALL, NOTHING, TRAINS
from spectronorm.experiment.training.checkpoint import Checkpoint
from spectronorm.experiment.training.device import autocast_on, check_precision, find_device
from spectronorm.experiment.training.inputs import ArmInputs, Generators
from spectronorm.experiment.training.pretrained import prepare_to_train
from spectronorm.short_repr import with_bounded_repr
from spectronorm.suggestion import known_settings


@known_settings
@with_bounded_repr
@dataclass(frozen=True)
class Training:
    """Training settings: AdamW on a one-cycle schedule (Smith and Topin 2018).

    `trains` says which weights are trained: all, those of the last linear layer (`head`), or none. With
    `search_learning_rate`, each arm's learning rate is searched around the given one (see `find_learning_rate`).

    Raises:
        ArgumentError: if a number is out of range.

    >>> Training(model="linear", epochs=5, learning_rate=1e-2).planned_epochs
    5
    >>> Training(batch_size=1)
    Traceback (most recent call last):
        ...
    spectronorm.errors.ArgumentError: batch_size=1 must be a whole number in 2 … 1048576
    """

    model: str = "tiny"
    epochs: int = 20
    batch_size: int = 32
    learning_rate: float = 5e-3
    weight_decay: float = 0.01
    label_smoothing: float = 0.0
    precision: str = "float32"
    device: str = "auto"
    trains: str = ALL
    search_learning_rate: bool = False

    def __post_init__(self) -> None:
        set_whole_numbers(self, ("epochs",), 1, 1_000_000)
        set_whole_numbers(self, ("batch_size",), 2, 1 << 20)
        set_real_numbers(self, ("learning_rate",), 1e-12, 1e30)
        set_real_numbers(self, ("weight_decay",), 0, 1000)
        set_real_numbers(self, ("label_smoothing",), 0, 0.999)
        check_precision(self.precision)
        if self.trains not in TRAINS:
            raise ArgumentError(f"trains={self.trains!r} must be one of {', '.join(TRAINS)}")
        self.torch_device()

    def torch_device(self) -> torch.device:
        """Return the device; `auto` prefers CUDA or MPS to the CPU.

        Raises:
            ArgumentError: if the device is not available.
        """
        return find_device(self.device)

    @property
    def planned_epochs(self) -> int:
        """Number of epochs; none if no weights are trained."""
        return 0 if self.trains == NOTHING else self.epochs

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, without later settings that have their defaults."""
        plain = asdict(self)
        for name, default in (("trains", ALL), ("search_learning_rate", False)):
            if plain[name] == default:
                del plain[name]
        return plain


@dataclass(frozen=True)
class Epoch:
    """Mean training loss of an epoch, and the mean log-loss of held-out clips after it, in nats; NaN if not asked."""

    loss: float
    held_out: float


def train(
    model: nn.Module,
    inputs: ArmInputs,
    labels: Integers,
    clips: Integers,
    training: Training,
    seed: Sequence[int],
    checkpoint: Checkpoint | None = None,
    held_out: Integers | None = None,
) -> Iterator[Epoch]:
    """Train the model in place; yields the losses of each epoch as it ends.

    The order of clips and the draws of augmentation and of the model (dropout) depend only on the seed, epoch, step and
    augmentation, so arms with equal seeds share them, and a training resumed from a checkpoint ends, on a CPU, with
    exactly the weights of an uninterrupted one.

    Args:
        model: The model, on the training's device.
        inputs: Supplies the augmented inputs.
        labels: The class of every clip, `(clip,)`, or zeros and ones `(clip, class)` where a clip may have several.
        clips: Indices of the clips to train on.
        training: Training settings.
        seed: Whole numbers.
        checkpoint: Checkpoint to resume from and to save to; the losses of its finished epochs are yielded at once.
        held_out: Indices of clips whose log-loss is computed after each epoch; it decides nothing.
    """
    if training.trains == NOTHING:
        return
    begin = prepare_to_train(model, training)
    size = min(training.batch_size, len(clips))
    steps = len(clips) // size
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    if not trained:
        raise ArgumentError(f"model={training.model!r} has no weights to train; give its arm trains='none'")
    optimizer = torch.optim.AdamW(trained, lr=training.learning_rate, weight_decay=training.weight_decay)
    schedule = _one_cycle(optimizer, training.learning_rate, training.epochs * steps)
    done = _restore(checkpoint, model, optimizer, schedule)
    yield from done
    for epoch in range(len(done), training.epochs):
        begin()
        losses = []
        with _own_random_numbers([*seed, epoch], training.torch_device()):
            for x, target in _batches(inputs, labels, clips, size, [*seed, epoch]):
                with autocast(training):
                    logits = model(x)
                if not logits.requires_grad:
                    raise ArgumentError(f"model={training.model!r} has logits without gradient; do not detach them")
                loss = _loss(logits.float(), target, training.label_smoothing, several=labels.ndim == 2)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
                losses.append(loss.detach())
        after = np.nan if held_out is None else _log_loss(model, inputs, labels, held_out, training)
        done.append(Epoch(float(torch.stack(losses).mean()), after))
        if checkpoint is not None and checkpoint.due(at_end=epoch + 1 == training.epochs):
            checkpoint.save(_state(done, model, optimizer, schedule))
        yield done[-1]


def _loss(logits: Tensor, target: Tensor, smoothing: float, *, several: bool) -> Tensor:
    """Cross-entropy over the classes, or if a clip may have several, the mean over classes of each one's own."""
    if not several:
        return cross_entropy(logits, target, label_smoothing=smoothing)
    return binary_cross_entropy_with_logits(logits, target.to(logits.dtype) * (1 - smoothing) + smoothing / 2)


def _one_cycle(optimizer: torch.optim.Optimizer, highest: float, steps: int) -> torch.optim.lr_scheduler.OneCycleLR:
    """Return a schedule that rises over the first quarter of the steps.

    The class divides by the number of steps of the rise minus one. With four steps, the only number for which a quarter
    makes that zero, the rise is a little longer.
    """
    share = 0.25 if steps != 4 else 0.3
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, highest, total_steps=steps, pct_start=share)


def _batches(
    inputs: ArmInputs, labels: Integers, clips: Integers, size: int, seed: Sequence[int]
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield one epoch's inputs and targets in the epoch's own order; an incomplete last batch is dropped."""
    order = np.random.default_rng(seed).permutation(clips)
    for step in range(len(clips) // size):
        index = order[step * size : (step + 1) * size]
        yield inputs.batch(index, labels[index], _generators([*seed, step]))


@contextmanager
def _own_random_numbers(seed: Sequence[int], device: torch.device) -> Iterator[None]:
    """Seed torch's random numbers inside the context, and restore the state of the generators after it."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(int(np.random.default_rng(seed).integers(2**63)))
        yield


def _state(losses: list[Epoch], *parts: Any) -> dict[str, Any]:
    """Collect the losses and the states of model, optimizer and schedule."""
    return {"losses": [[e.loss, e.held_out] for e in losses], "parts": [part.state_dict() for part in parts]}


def _restore(checkpoint: Checkpoint | None, *parts: Any) -> list[Epoch]:
    """Restore the states of all parts from the checkpoint, and return the losses of the finished epochs."""
    state = None if checkpoint is None else checkpoint.load()
    if state is None:
        return []
    for part, saved in zip(parts, state["parts"], strict=True):
        part.load_state_dict(saved)
    return [Epoch(*pair) for pair in state["losses"]]


def _log_loss(model: nn.Module, inputs: ArmInputs, labels: Integers, clips: Integers, training: Training) -> float:
    """Mean log-loss of clips in nats; NaN where the outputs are not finite."""
    logits = _logits(model, inputs.evaluated(clips), training)
    return float(_loss(logits, torch.from_numpy(labels[clips]), 0.0, several=labels.ndim == 2))


@torch.no_grad()
def log_probabilities(model: nn.Module, x: Tensor, training: Training, *, several: bool = False) -> NDArray[np.float64]:
    """Log-probabilities `(clip, class)` of inputs `(clip, 1, band, frame)`, in evaluation mode.

    With `several`, each class has a probability of its own; else the probabilities of a clip add up to 1.

    Raises:
        ArgumentError: if they are not finite, because training diverged.
    """
    logits = _logits(model, x, training)
    result = (logsigmoid(logits) if several else log_softmax(logits, dim=1)).numpy()
    if not np.isfinite(result).all():
        raise ArgumentError(_diverged(training))
    return np.asarray(result)


def _diverged(training: Training) -> str:
    advice = f"lower learning_rate={training.learning_rate:g}"
    if training.precision == "bfloat16":
        advice = f"use precision='float32' (torch's convolutions in bfloat16 fail on some processors), or {advice}"
    return f"training diverged: the model's outputs are not finite; {advice}"


@torch.no_grad()
def _logits(model: nn.Module, x: Tensor, training: Training) -> Tensor:
    """Logits `(clip, class)` in evaluation mode, in double precision on the CPU."""
    model.eval()
    batches = []
    for part in torch.split(x, training.batch_size):
        with autocast(training):
            logits = model(part.to(training.torch_device()))
        batches.append(logits.double().cpu())
    return torch.cat(batches)


def mean_log_probabilities(
    model: nn.Module, views: Iterable[Tensor], training: Training, *, several: bool = False
) -> NDArray[np.float64]:
    """Logarithm of the mean probability over several views of each clip; raises as `log_probabilities` does."""
    return mean_probability([log_probabilities(model, view, training, several=several) for view in views])


def mean_probability(each: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Logarithm of the mean of probabilities given as logarithms."""
    return np.asarray(each[0] if len(each) == 1 else logsumexp(each, axis=0) - np.log(len(each)))


def autocast(training: Training) -> AbstractContextManager[Any]:
    """Return a context with mixed precision if the training asks for it."""
    return autocast_on(training.torch_device(), training.precision)


def _generators(seed: Sequence[int]) -> Generators:
    """Return one generator for each name, so that one augmentation does not change the draws of another."""
    return lambda name: np.random.default_rng([*seed, zlib.crc32(name.encode())])
