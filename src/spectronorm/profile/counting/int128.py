"""Integers of 128 bits and more, in NumPy: sums of squares over a large data set do not fit into 64 bits.

A wide integer is a row of four int64 limbs of base 2^32, the last one signed: `Σ limb[i] · 2^(32 i)`. In normal form
the first three limbs lie in [0, 2^32), so equal numbers have equal bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.kernels.jit import njit

LIMBS = 4
_MASK = 0xFFFFFFFF


def zeros(*shape: int) -> NDArray[np.int64]:
    """Return wide zeros of this shape, with limbs in the last axis."""
    return np.zeros((*shape, LIMBS), dtype=np.int64)


def normalized(limbs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return equal numbers with every carry done."""
    limbs = limbs.copy()
    for i in range(LIMBS - 1):
        limbs[..., i + 1] += limbs[..., i] >> 32
        limbs[..., i] &= _MASK
    return limbs


def is_normal(limbs: NDArray[np.int64]) -> bool:
    """True if every limb except the last lies in [0, 2^32)."""
    low = limbs[..., :-1]
    return bool(((low >= 0) & (low <= _MASK)).all())


def to_integers(limbs: NDArray[np.int64]) -> NDArray[Any]:
    """Convert to Python integers, in an object array."""
    total = limbs[..., -1].astype(object)
    for i in range(LIMBS - 2, -1, -1):
        total = total * (1 << 32) + limbs[..., i].astype(object)
    return np.asarray(total, dtype=object)


def from_integers(numbers: NDArray[Any]) -> NDArray[np.int64]:
    """Convert Python integers below 2^127 to wide integers in normal form; the inverse of `to_integers`.

    >>> to_integers(from_integers(np.array([-5, 2**100], dtype=object))).tolist()
    [-5, 1267650600228229401496703205376]
    """
    limbs = zeros(*numbers.shape)
    for index, number in np.ndenumerate(numbers):
        for i in range(LIMBS - 1):
            limbs[(*index, i)] = (int(number) >> (32 * i)) & _MASK
        limbs[(*index, LIMBS - 1)] = int(number) >> (32 * (LIMBS - 1))
    return limbs


def add_products(limbs: NDArray[np.int64], a: NDArray[np.int64], b: NDArray[np.int64]) -> None:
    """Add `a · b`, element by element, to wide integers `(..., limb)`; |a| and |b| must stay below 2^60."""
    a_low, a_high, b_low, b_high = a & _MASK, a >> 32, b & _MASK, b >> 32
    low = a_low.astype(np.uint64) * b_low.astype(np.uint64)
    one, two, high = a_high * b_low, a_low * b_high, a_high * b_high
    limbs[..., 0] += (low & np.uint64(_MASK)).astype(np.int64)
    limbs[..., 1] += (low >> np.uint64(32)).astype(np.int64) + (one & _MASK) + (two & _MASK)
    limbs[..., 2] += (one >> 32) + (two >> 32) + (high & _MASK)
    limbs[..., 3] += high >> 32
    limbs[...] = normalized(limbs)


@njit(cache=True, nogil=True)
def add_product(limbs: NDArray[np.int64], a: int, b: int) -> None:
    """Add `a · b` to one wide integer; |a| and |b| must stay below 2^60."""
    a_low, a_high = a & 0xFFFFFFFF, a >> 32
    b_low, b_high = b & 0xFFFFFFFF, b >> 32
    low = np.uint64(a_low) * np.uint64(b_low)
    one, two = a_high * b_low, a_low * b_high
    limbs[0] += np.int64(low & np.uint64(0xFFFFFFFF))
    limbs[1] += np.int64(low >> np.uint64(32)) + (one & 0xFFFFFFFF) + (two & 0xFFFFFFFF)
    limbs[2] += (one >> 32) + (two >> 32) + ((a_high * b_high) & 0xFFFFFFFF)
    limbs[3] += (a_high * b_high) >> 32
    for i in range(3):
        limbs[i + 1] += limbs[i] >> 32
        limbs[i] &= 0xFFFFFFFF
