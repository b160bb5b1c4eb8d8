"""Short search of an arm's learning rate on its training folds alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from torch import nn

from spectronorm.arrays import Integers
from spectronorm.errors import ArgumentError
from spectronorm.experiment.clips.folds import LabelledClips
from spectronorm.experiment.training.inputs import ArmInputs
from spectronorm.experiment.training.train import Training, train

RATE_FACTORS = (1 / 9, 1 / 3, 1.0, 3.0, 9.0)
"""The tried learning rates, as multiples of the given one."""
_SHARE = 0.25
_VALIDATED = 0.25


def find_learning_rate(
    make: Callable[[], nn.Module],
    inputs: ArmInputs,
    clips: LabelledClips,
    fold: str,
    training: Training,
    seed: tuple[int, ...],
) -> float:
    """Return the tried learning rate with the lowest log-loss on a quarter of the training recordings.

    A quarter of the epochs (at least two) is trained with each rate on the other recordings. All rates, and all arms of
    a block, share the split, the initial weights and the order, so their losses are paired. The held-out fold is not
    looked at.

    Args:
        make: Makes the model with its initial weights.
        inputs: Inputs of the arm, normalized by the training folds.
        clips: The labelled clips.
        fold: The held-out fold.
        training: Training settings, whose learning rate is the centre of the search.
        seed: Whole numbers.

    Raises:
        ArgumentError: if every rate diverges.
    """
    learned, validated = _split(clips, fold)
    short = replace(training, epochs=max(2, math.ceil(_SHARE * training.epochs)))
    losses = []
    for factor in RATE_FACTORS:
        tried = replace(short, learning_rate=factor * training.rate)
        last = math.inf
        for epoch in train(make(), inputs, clips.labels, learned, tried, seed, held_out=validated):
            last = epoch.held_out if math.isfinite(epoch.held_out) else math.inf
        losses.append(last)
    if not math.isfinite(min(losses)):
        raise ArgumentError(f"training diverged at every learning rate around {training.rate:g}; give a lower one")
    return RATE_FACTORS[losses.index(min(losses))] * training.rate


def _split(clips: LabelledClips, fold: str) -> tuple[Integers, Integers]:
    """Training clips without and of a random quarter of their recordings; of at least one."""
    own = clips.train_clips(fold)
    names = sorted({clips.groups[i] for i in own})
    chosen = np.random.default_rng(0).permutation(names)[: max(1, round(_VALIDATED * len(names)))]
    held = np.isin([clips.groups[i] for i in own], chosen)
    if held.all():
        raise ArgumentError("the search of a learning rate needs clips of two recordings to train on; give the rate")
    return own[~held], own[held]
