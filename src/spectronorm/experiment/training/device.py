"""Where models train, and in which precision: the one seam between the CPU and accelerators."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from spectronorm.errors import ArgumentError

PRECISIONS = ("float32", "bfloat16")


def find_device(name: str) -> torch.device:
    """The device of that name; `auto` takes CUDA or MPS before the CPU.

    Raises:
        ArgumentError: when it is not there.
    """
    found = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(known for known in ("cuda", "mps", "cpu") if found[known]))
    if not found.get(name, False):
        there = ", ".join(known for known in found if found[known])
        raise ArgumentError(f"device={name!r} is not here; use auto or one of {there}")
    return torch.device(name)


def check_precision(precision: str) -> None:
    """Raise `ArgumentError` unless it is one of `PRECISIONS`."""
    if precision not in PRECISIONS:
        raise ArgumentError(f"precision={precision!r} must be {' or '.join(PRECISIONS)}")


def autocast_on(device: torch.device, precision: str) -> AbstractContextManager[Any]:
    """Mixed precision where it is asked for; with float32, nothing."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)
