"""Checkpoints of a training in progress, so that an interruption costs only seconds."""

from __future__ import annotations

import pickle
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from spectronorm.storage.atomic import atomic_write, remove_unfinished

EVERY = 10.0
"""Seconds between checkpoints: a tiny model's epoch takes less, and writing a checkpoint takes 10 to 300 ms."""


@dataclass
class Checkpoint:
    """State of one training on disk, written atomically and valid for `key` alone.

    Attributes:
        path: The file.
        key: Identity of the training, such as settings, fold, seed and arm; a checkpoint with another key is ignored.
        keeps_end: Also keep the state at the end of a training, because others finish before the result is saved.
        every: Seconds between two checkpoints.
    """

    path: Path
    key: str
    keeps_end: bool = False
    every: float = field(default_factory=lambda: EVERY)
    _last: float = field(default_factory=time.monotonic, repr=False)

    def load(self) -> Mapping[str, Any] | None:
        """Return the state that was saved last; None if there is no file, another key, or damage."""
        remove_unfinished(self.path)
        try:
            # Only tensors and plain values are loaded, so that a file cannot run code.
            content = torch.load(self.path, map_location="cpu", weights_only=True)
        except (OSError, EOFError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError):
            return None
        if not isinstance(content, dict) or content.get("key") != self.key:
            return None
        state: Mapping[str, Any] = content["state"]
        return state

    def due(self, *, at_end: bool) -> bool:
        """True if a state should be saved: the end if `keeps_end`, else any state long enough after the last one."""
        if at_end:
            return self.keeps_end
        return time.monotonic() - self._last >= self.every

    def save(self, state: Mapping[str, Any]) -> None:
        """Replace the file by a state of tensors and plain values."""
        with atomic_write(self.path, None) as file:
            torch.save({"key": self.key, "state": dict(state)}, file)
        self._last = time.monotonic()

    def remove(self) -> None:
        """Remove the file once its result is on disk."""
        self.path.unlink(missing_ok=True)
