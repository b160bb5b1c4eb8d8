"""Published comparisons as designs, so that one command repeats them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from spectronorm.errors import ArgumentError
from spectronorm.experiment.arms.arm import Arm
from spectronorm.experiment.design import Design
from spectronorm.experiment.training.train import Training
from spectronorm.front_end import AsRecorded, find_preset
from spectronorm.normalize import Standardize, Unchanged
from spectronorm.suggestion import choice_of


@dataclass(frozen=True)
class Protocol:
    """A published comparison.

    Attributes:
        summary: Description in words.
        design: Arms, training and seeds.
        duration: Length of each clip in seconds.
        hold_out: The folds that are tested; () is all.
    """

    summary: str
    design: Design
    duration: float
    hold_out: tuple[str, ...]


_STANDARDIZED = find_preset("fastaudio").front_end
_TRAINING = Training(model="xresnet18", epochs=20, batch_size=64, learning_rate=1e-3)
_GLOBAL = Arm("global", _STANDARDIZED, Standardize(per="global"))
_CHANNEL = Arm("channel", _STANDARDIZED, Standardize(per="band", min_scale=0.0))

PROTOCOLS: Mapping[str, Protocol] = {
    "esc50-norms-2022": Protocol(
        "How to normalize spectrograms (enzokro.dev, 2022): xResNet18, fold 1 held out, five runs; the arm none has no "
        "waveform normalization either",
        Design(
            (Arm("none", replace(_STANDARDIZED, level=AsRecorded()), Unchanged()), _GLOBAL, _CHANNEL),
            _TRAINING,
            seeds=5,
        ),
        duration=5.0,
        hold_out=("1",),
    ),
    "esc50-norms-2022-all-folds": Protocol(
        "The same on every fold, and with the waveform standardized in every arm",
        Design((Arm("none", _STANDARDIZED, Unchanged()), _GLOBAL, _CHANNEL), _TRAINING, seeds=1),
        duration=5.0,
        hold_out=(),
    ),
}
"""Every published comparison, by the name that `--protocol` takes."""


def find_protocol(name: str) -> Protocol:
    """Return the protocol with this name.

    Raises:
        ArgumentError: if there is no such protocol.
    """
    if name not in PROTOCOLS:
        raise ArgumentError(f"protocol={name!r} is unknown; use {choice_of(name, PROTOCOLS)}")
    return PROTOCOLS[name]
