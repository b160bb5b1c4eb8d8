"""Offset and clamp that keep the logarithm of silence finite, shared by `Ln` and `Log10`."""

from __future__ import annotations

from typing import Protocol

from spectronorm.arrays import Array, at_least, plus, set_real_numbers
from spectronorm.errors import ArgumentError


class HasOffset(Protocol):
    """A compression with both settings."""

    @property
    def offset(self) -> float:
        """Added before the logarithm."""

    @property
    def amin(self) -> float:
        """Smallest value."""


def check_offset(compress: HasOffset) -> None:
    """Check both settings in a compression's `__post_init__`.

    Raises:
        ArgumentError: if either is negative, or if their sum is not between 1e-30 and 1.
    """
    set_real_numbers(compress, ("offset", "amin"), 0, 1)
    if not 1e-30 <= compress.offset + compress.amin <= 1:
        raise ArgumentError(
            f"offset={compress.offset} and amin={compress.amin} must not be negative, and their sum must lie in "
            "1e-30 … 1: it keeps the logarithm of silence finite"
        )


def clamped_and_offset(values: Array, compress: HasOffset) -> Array:
    """Return `max(values, amin) + offset`, without the steps that change nothing."""
    clamped = at_least(values, compress.amin) if compress.amin else values
    return plus(clamped, compress.offset) if compress.offset else clamped
