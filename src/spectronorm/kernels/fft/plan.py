"""Stages of a real DFT whose length has only the prime factors 2, 3 and 5, or also 7.

The mixed-radix algorithm for real data (Temperton 1983, "Fast mixed-radix real Fourier transforms", J. Comput. Phys.
52), with the radices, the order of the additions and the roots of unity of FFTPACK and its descendants in NumPy and
SciPy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PI = Fraction(31415926535897932384626433832795, 10**31)


@dataclass(frozen=True, eq=False)
class Plan:
    """Stages of a transform of `n` samples: radices, and each stage's roots of unity from `starts` on."""

    n: int
    radices: NDArray[np.int64]
    starts: NDArray[np.int64]
    roots: NDArray[np.float64]

    @property
    def has_ends(self) -> bool:
        """True if the first stage is not the last one, so that the two can read frames and write powers."""
        return len(self.radices) > 1


@lru_cache(maxsize=64)
def plan_of(n: int, largest: int = 5) -> Plan | None:
    """Return the plan for `n` samples, or None if it has prime factors above `largest`, which is 5 or 7."""
    if largest_factor(n) > largest:
        return None
    radices = _radices(n)
    root, starts, done = _roots(n), [], 1
    roots: list[float] = []
    for radix in radices:
        inner = n // (done * radix)
        starts.append(len(roots))
        # For each pair of values: the real and the imaginary part of every part except the first.
        for i in range(1, (inner - 1) // 2 + 1):
            for part in range(1, radix):
                roots += root(part * done * i)
        done *= radix
    return Plan(n, np.array(radices), np.array(starts), np.array([*roots, 0.0]))


def largest_factor(n: int) -> int:
    """Return the largest radix of a transform of `n` samples: its largest prime factor, or 4."""
    return max(_radices(n), default=1)


def _radices(n: int) -> list[int]:
    """Return the radices: fours first, after a two if there is one, then the odd primes."""
    found = []
    while n % 4 == 0:
        found.append(4)
        n //= 4
    if n % 2 == 0:
        found.append(2)
        n //= 2
        found[0], found[-1] = found[-1], found[0]
    divisor = 3
    while divisor * divisor <= n:
        while n % divisor == 0:
            found.append(divisor)
            n //= divisor
        divisor += 2
    return [*found, n] if n > 1 else found


def _roots(n: int) -> Any:
    """Return a function from `k` to the cosine and sine of `2π k / n`, each a product of entries of short tables."""
    shift = 1
    while (1 << (2 * shift)) < (n + 2) // 2:
        shift += 1
    size = 1 << shift
    fine = [_root(k, n) for k in range(size)]
    coarse = [_root(k * size, n) for k in range(((n + 2) // 2 + size - 1) // size)]

    def root(k: int) -> tuple[float, float]:
        sign, k = (1.0, k) if 2 * k <= n else (-1.0, n - k)
        (a, b), (c, d) = fine[k % size], coarse[k // size]
        return a * c - b * d, sign * (a * d + b * c)

    return root


def _root(k: int, n: int) -> tuple[float, float]:
    """Return the cosine and sine of `2π k / n`, from an angle of at most an eighth of the circle."""
    step = float(_PI / (4 * n))
    octant, rest = divmod(8 * k, n)
    angle = (n - rest if octant % 2 else rest) * step
    c, s = math.cos(angle), math.sin(angle)
    if octant % 4 in (1, 2):
        c, s = s, c
    return (-c if 2 <= octant < 6 else c), (-s if octant >= 4 else s)
