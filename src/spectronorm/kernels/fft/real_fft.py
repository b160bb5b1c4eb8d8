"""DFT of several real signals at once, for lengths whose only prime factors are 2, 3 and 5, or also 7.

The mixed-radix algorithm for real data (Temperton 1983, "Fast mixed-radix real Fourier transforms", J. Comput. Phys.
52), with the radices, the order of the additions and the roots of unity of FFTPACK and its descendants in NumPy and
SciPy. So each lane of float64 equals the result of `numpy.fft.rfft`, on x86-64 to the last bit (the tests compare
them), except for lengths with a factor of 7.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.kernels.fft.lanes import DOUBLES, fill, load, store
from spectronorm.kernels.fft.stages import first_stage, last_stage, stage
from spectronorm.kernels.jit import njit

Floats = NDArray[np.floating[Any]]
Layout = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]
"""A window over the samples of a transform, zero outside the frame, and each sample's row and shift."""
_PI = Fraction(31415926535897932384626433832795, 10**31)


@dataclass(frozen=True, eq=False)
class Plan:
    """Stages of a transform of `n` samples: radices, and each stage's roots of unity from `starts` on."""

    n: int
    radices: NDArray[np.int64]
    starts: NDArray[np.int64]
    roots: NDArray[np.float64]


@lru_cache(maxsize=64)
def plan_of(n: int, largest: int = 5) -> Plan | None:
    """Return the plan for `n` samples, or None if it has prime factors above `largest`, which is 5 or 7."""
    radices = _radices(n)
    if max(radices, default=1) > largest:
        return None
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


@njit(nogil=True, inline="always")
def transform(
    n: int,
    radices: NDArray[np.int64],
    starts: NDArray[np.int64],
    roots: Floats,
    frames: Floats,
    other: Floats,
) -> Floats:
    """DFT of `frames` `(sample, lane)`, flat, in `frames` or `other`: the real part of bin 0, then re, im, re, ….

    Both buffers are overwritten; the one with the result is returned.
    """
    return _through(range(len(radices) - 1, -1, -1), n, n, (radices, starts, roots), frames, other)


@njit(nogil=True, inline="always")
def _through(
    stages: range,
    n: int,
    before: int,
    plan: tuple[NDArray[np.int64], NDArray[np.int64], Floats],
    source: Floats,
    target: Floats,
) -> Floats:
    """Apply these stages from buffer to buffer; `before` is the product of the radices before the first of them."""
    radices, starts, roots = plan
    for i in stages:
        inner = n // before
        before //= radices[i]
        stage(radices[i], source, target, inner, before, roots, starts[i])
        source, target = target, source
    return source


@njit(nogil=True, inline="always")
def power_spectrum(
    plan: tuple[NDArray[np.int64], NDArray[np.int64], Floats],
    columns: Floats,
    layout: Layout,
    strides: tuple[int, int],
    buffers: tuple[Floats, Floats],
    out: Floats,
    t: int,
) -> None:
    """Squared magnitudes of the DFT of one frame for each lane, from the frame `t` on.

    The plan's radices, starts and roots belong to a transform by 2, 3 and 5. Sample `k` of a frame is `columns[rows[k]
    * strides[0] + shifts[k] + t] * window[k]`, with the window, rows and shifts of the layout; bin `k` is written to
    `out[k * strides[1] + t]`. So the first stage reads the frames and the last one writes the powers.
    """
    (radices, _, roots), (window, rows, shifts), (source, target) = plan, layout, buffers
    n, stages, stride = window.size, len(radices), strides[0]
    before = n
    if stages == 1:
        for k in range(n):
            lanes = load(columns, rows[k] * stride + shifts[k] + t) * fill(columns, window[k])
            store(source, k * DOUBLES, lanes)
    else:
        before //= radices[stages - 1]
        first_stage(radices[stages - 1], columns, layout, source, before, stride, t)
    source = _through(range(stages - 2, 0, -1), n, before, plan, source, target)
    last_stage(radices[0], source, out, roots, n // radices[0], strides[1], t)
