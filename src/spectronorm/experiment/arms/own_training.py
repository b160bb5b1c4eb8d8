"""Training settings that an arm has of its own, where the comparison is one of models or of trainings."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from spectronorm.arrays import real_number, whole_number
from spectronorm.errors import ArgumentError

ALL, HEAD, NOTHING = "all", "head", "none"
TRAINS = (ALL, HEAD, NOTHING)
"""The weights that are trained: all, those of the last linear layer (a linear probe), or none (evaluation only)."""


@dataclass(frozen=True)
class OwnTraining:
    """Settings that replace those of the comparison; None keeps the comparison's.

    Attributes:
        model: Name of the model, or `package.module:callable`.
        epochs: Number of epochs.
        learning_rate: Highest learning rate.
        trains: One of `TRAINS`.

    Raises:
        ArgumentError: if a setting is out of range.
    """

    model: str | None = None
    epochs: int | None = None
    learning_rate: float | None = None
    trains: str | None = None

    def __post_init__(self) -> None:
        given: object = self.model
        if given is not None and not (isinstance(given, str) and given):
            raise ArgumentError(f"model={given!r} must be the name of a model, or package.module:callable")
        if self.epochs is not None:
            object.__setattr__(self, "epochs", whole_number(self.epochs, "epochs", 1, 1_000_000))
        if self.learning_rate is not None:
            rate = real_number(self.learning_rate, "learning_rate", 1e-12, 1e30)
            object.__setattr__(self, "learning_rate", rate)
        if self.trains is not None and self.trains not in TRAINS:
            raise ArgumentError(f"trains={self.trains!r} must be one of {', '.join(TRAINS)}")

    def settings(self) -> dict[str, Any]:
        """Return the settings that are given."""
        return {name: value for name, value in asdict(self).items() if value is not None}
