"""Device and precision of the training: the one seam between the CPU and accelerators."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from spectronorm.errors import ArgumentError

PRECISIONS = ("float32", "bfloat16")


def find_device(name: str) -> torch.device:
    """Return the device with this name; `auto` prefers CUDA or MPS to the CPU.

    Raises:
        ArgumentError: if the device is not available.
    """
    found = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(known for known in ("cuda", "mps", "cpu") if found[known]))
    if not found.get(name, False):
        there = ", ".join(known for known in found if found[known])
        raise ArgumentError(f"device={name!r} is not available on this machine; use auto or one of {there}")
    return torch.device(name)


def check_precision(precision: str) -> None:
    """Check that the precision is one of `PRECISIONS`.

    Raises:
        ArgumentError: if it is not.
    """
    if precision not in PRECISIONS:
        raise ArgumentError(f"precision={precision!r} must be {' or '.join(PRECISIONS)}")


def autocast_on(device: torch.device, precision: str) -> AbstractContextManager[Any]:
    """Return a context with mixed precision if asked for; with float32, a context without effect."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)
