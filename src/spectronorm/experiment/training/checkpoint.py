"""A model in the middle of its training on disk, so that a kill costs seconds."""

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
"""Seconds between checkpoints: a tiny model's epoch takes less, and writing one 10 to 300 ms."""


@dataclass
class Checkpoint:
    """Where the state of one training is kept: it is whole or not there, and belongs to `key` alone.

    Attributes:
        path: The file.
        key: What is trained, such as settings, fold, seed and arm; another's checkpoint is not used.
        keeps_end: Whether the end of a training is kept too, because others come before the result is on the disk.
        every: Seconds between two checkpoints.
    """

    path: Path
    key: str
    keeps_end: bool = False
    every: float = field(default_factory=lambda: EVERY)
    _last: float = field(default_factory=time.monotonic, repr=False)

    def load(self) -> Mapping[str, Any] | None:
        """What `save` was given last; None where there is nothing, something of another key, or a damaged file."""
        remove_unfinished(self.path)
        try:
            # Tensors and plain values only: a file cannot run code.
            content = torch.load(self.path, map_location="cpu", weights_only=True)
        except (OSError, EOFError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError):
            return None
        if not isinstance(content, dict) or content.get("key") != self.key:
            return None
        state: Mapping[str, Any] = content["state"]
        return state

    def due(self, *, at_end: bool) -> bool:
        """Whether a state is to be saved: the end if it is kept, any other when the last one is long enough ago."""
        if at_end:
            return self.keeps_end
        return time.monotonic() - self._last >= self.every

    def save(self, state: Mapping[str, Any]) -> None:
        """Write tensors and plain values in place of what was there."""
        with atomic_write(self.path, None) as file:
            torch.save({"key": self.key, "state": dict(state)}, file)
        self._last = time.monotonic()

    def remove(self) -> None:
        """Take the file away when its result is on the disk."""
        self.path.unlink(missing_ok=True)
