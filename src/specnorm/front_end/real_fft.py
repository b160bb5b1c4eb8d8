"""The DFT of eight real frames at once, for lengths whose only prime factors are 2, 3 and 5.

The mixed-radix algorithm for real data (Temperton 1983, "Fast mixed-radix real Fourier transforms", J. Comput. Phys.
52), with the radices, the order of the additions and the roots of unity of FFTPACK and its descendants in NumPy and
SciPy. So each lane is what `numpy.fft.rfft` gives, on x86-64 to the last bit (the tests compare them).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from specnorm.front_end.lanes import WIDTH, fill, load, store

_RADICES = (2, 3, 4, 5)
_PI = Fraction(31415926535897932384626433832795, 10**31)
_SQRT_HALF = math.sqrt(0.5)
_SQRT_3_4 = 0.86602540378443864676
_COS_72, _SIN_72 = 0.3090169943749474241, 0.95105651629515357212
_COS_144, _SIN_144 = -0.8090169943749474241, 0.58778525229247312917


@dataclass(frozen=True, eq=False)
class Plan:
    """The stages of a transform of `n` samples: radices, and each stage's roots of unity from `starts` on."""

    n: int
    radices: NDArray[np.int64]
    starts: NDArray[np.int64]
    roots: NDArray[np.float64]


@lru_cache(maxsize=64)
def plan_of(n: int) -> Plan | None:
    """The plan for `n` samples, or None when it has other prime factors."""
    radices = _radices(n)
    if not set(radices) <= set(_RADICES):
        return None
    root, starts, done = _roots(n), [], 1
    roots: list[float] = []
    for radix in radices:
        inner = n // (done * radix)
        starts.append(len(roots))
        # For each pair of values: of every part but the first, the real and the imaginary part.
        for i in range(1, (inner - 1) // 2 + 1):
            for part in range(1, radix):
                roots += root(part * done * i)
        done *= radix
    return Plan(n, np.array(radices), np.array(starts), np.array([*roots, 0.0]))


def _radices(n: int) -> list[int]:
    """Fours first, behind a two if there is one, then the odd primes."""
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
    """A function from `k` to the cosine and sine of `2π k / n`, each product of two entries of short tables."""
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
    """The cosine and sine of `2π k / n`, from an angle of at most an eighth of the circle."""
    step = float(_PI / (4 * n))
    octant, rest = divmod(8 * k, n)
    angle = (n - rest if octant % 2 else rest) * step
    c, s = math.cos(angle), math.sin(angle)
    if octant % 4 in (1, 2):
        c, s = s, c
    return (-c if 2 <= octant < 6 else c), (-s if octant >= 4 else s)


@numba.njit(nogil=True, inline="always")
def transform(
    n: int,
    radices: NDArray[np.int64],
    starts: NDArray[np.int64],
    roots: NDArray[np.float64],
    frames: NDArray[np.float64],
    other: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The DFT of `frames` `(sample, lane)`, flat, in `frames` or `other`: the real part of bin 0, then re, im, re, ….

    Both buffers are overwritten; the one with the result is returned.
    """
    source, target, before = frames, other, n
    for stage in range(len(radices) - 1, -1, -1):
        radix, inner = radices[stage], n // before
        before //= radix
        w = roots[starts[stage] :]
        if radix == 4:
            _radix_4(inner, before, source, target, w)
        elif radix == 5:
            _radix_5(inner, before, source, target, w)
        elif radix == 3:
            _radix_3(inner, before, source, target, w)
        else:
            _radix_2(inner, before, source, target, w)
        source, target = target, source
    return source


@numba.njit(nogil=True, inline="always")
def _turned(x: NDArray[np.float64], at: int, w: NDArray[np.float64], root: int) -> Any:
    """A complex value, turned back by a root of unity."""
    c, s = fill(w[root]), fill(w[root + 1])
    re, im = load(x, at - WIDTH), load(x, at)
    return c * re + s * im, c * im - s * re


@numba.njit(nogil=True, inline="always")
def _radix_4(inner: int, before: int, x: NDArray[np.float64], y: NDArray[np.float64], w: NDArray[np.float64]) -> None:
    row, step = WIDTH * inner, WIDTH * inner * before
    last, h = row - WIDTH, fill(_SQRT_HALF)
    for k in range(before):
        p, o = k * row, 4 * k * row
        a0, a1, a2, a3 = load(x, p), load(x, p + step), load(x, p + 2 * step), load(x, p + 3 * step)
        odd, even = a3 + a1, a0 + a2
        store(y, o, even + odd)
        store(y, o + row + last, a0 - a2)
        store(y, o + 2 * row, a3 - a1)
        store(y, o + 3 * row + last, even - odd)
        if inner % 2 == 0:
            p += last
            a0, a1, a2, a3 = load(x, p), load(x, p + step), load(x, p + 2 * step), load(x, p + 3 * step)
            im, re = fill(-_SQRT_HALF) * (a1 + a3), h * (a1 - a3)
            store(y, o + last, a0 + re)
            store(y, o + row, im - a2)
            store(y, o + 2 * row + last, a0 - re)
            store(y, o + 3 * row, im + a2)
            p -= last
        root = 0
        for i in range(2 * WIDTH, row, 2 * WIDTH):
            q, j = p + i, row - i
            r1, i1 = _turned(x, q + step, w, root)
            r2, i2 = _turned(x, q + 2 * step, w, root + 2)
            r3, i3 = _turned(x, q + 3 * step, w, root + 4)
            root += 6
            r0, i0 = load(x, q - WIDTH), load(x, q)
            u0, u1, v0, v1 = r3 + r1, r3 - r1, i1 + i3, i1 - i3
            s0, s1, t0, t1 = r0 + r2, r0 - r2, i0 + i2, i0 - i2
            store(y, o + i - WIDTH, s0 + u0)
            store(y, o + i, v0 + t0)
            store(y, o + row + j - WIDTH, s1 - v1)
            store(y, o + row + j, u1 - t1)
            store(y, o + 2 * row + i - WIDTH, s1 + v1)
            store(y, o + 2 * row + i, u1 + t1)
            store(y, o + 3 * row + j - WIDTH, s0 - u0)
            store(y, o + 3 * row + j, v0 - t0)


@numba.njit(nogil=True, inline="always")
def _radix_2(inner: int, before: int, x: NDArray[np.float64], y: NDArray[np.float64], w: NDArray[np.float64]) -> None:
    row, step = WIDTH * inner, WIDTH * inner * before
    last = row - WIDTH
    for k in range(before):
        p, o = k * row, 2 * k * row
        a0, a1 = load(x, p), load(x, p + step)
        store(y, o, a0 + a1)
        store(y, o + row + last, a0 - a1)
        if inner % 2 == 0:
            store(y, o + row, fill(-1.0) * load(x, p + step + last))
            store(y, o + last, load(x, p + last))
        root = 0
        for i in range(2 * WIDTH, row, 2 * WIDTH):
            q, j = p + i, row - i
            r1, i1 = _turned(x, q + step, w, root)
            root += 2
            r0, i0 = load(x, q - WIDTH), load(x, q)
            store(y, o + i - WIDTH, r0 + r1)
            store(y, o + i, i1 + i0)
            store(y, o + row + j - WIDTH, r0 - r1)
            store(y, o + row + j, i1 - i0)


@numba.njit(nogil=True, inline="always")
def _radix_3(inner: int, before: int, x: NDArray[np.float64], y: NDArray[np.float64], w: NDArray[np.float64]) -> None:
    row, step = WIDTH * inner, WIDTH * inner * before
    last, c, s = row - WIDTH, fill(-0.5), fill(_SQRT_3_4)
    for k in range(before):
        p, o = k * row, 3 * k * row
        a0, a1, a2 = load(x, p), load(x, p + step), load(x, p + 2 * step)
        both = a1 + a2
        store(y, o, a0 + both)
        store(y, o + row + last, a0 + c * both)
        store(y, o + 2 * row, s * (a2 - a1))
        root = 0
        for i in range(2 * WIDTH, row, 2 * WIDTH):
            q, j = p + i, row - i
            r1, i1 = _turned(x, q + step, w, root)
            r2, i2 = _turned(x, q + 2 * step, w, root + 2)
            root += 4
            r0, i0 = load(x, q - WIDTH), load(x, q)
            r, m = r1 + r2, i1 + i2
            u, v = r0 + c * r, i0 + c * m
            f, g = s * (i1 - i2), s * (r2 - r1)
            store(y, o + i - WIDTH, r0 + r)
            store(y, o + i, i0 + m)
            store(y, o + row + j - WIDTH, u - f)
            store(y, o + row + j, g - v)
            store(y, o + 2 * row + i - WIDTH, u + f)
            store(y, o + 2 * row + i, g + v)


@numba.njit(nogil=True, inline="always")
def _radix_5(inner: int, before: int, x: NDArray[np.float64], y: NDArray[np.float64], w: NDArray[np.float64]) -> None:
    row, step = WIDTH * inner, WIDTH * inner * before
    last = row - WIDTH
    c1, s1, c2, s2 = fill(_COS_72), fill(_SIN_72), fill(_COS_144), fill(_SIN_144)
    for k in range(before):
        p, o = k * row, 5 * k * row
        a0, a1, a2, a3 = load(x, p), load(x, p + step), load(x, p + 2 * step), load(x, p + 3 * step)
        a4 = load(x, p + 4 * step)
        u1, v1, u2, v2 = a4 + a1, a4 - a1, a3 + a2, a3 - a2
        store(y, o, a0 + u1 + u2)
        store(y, o + row + last, a0 + c1 * u1 + c2 * u2)
        store(y, o + 2 * row, s1 * v1 + s2 * v2)
        store(y, o + 3 * row + last, a0 + c2 * u1 + c1 * u2)
        store(y, o + 4 * row, s2 * v1 - s1 * v2)
        root = 0
        for i in range(2 * WIDTH, row, 2 * WIDTH):
            q, j = p + i, row - i
            r1, i1 = _turned(x, q + step, w, root)
            r2, i2 = _turned(x, q + 2 * step, w, root + 2)
            r3, i3 = _turned(x, q + 3 * step, w, root + 4)
            r4, i4 = _turned(x, q + 4 * step, w, root + 6)
            root += 8
            r0, i0 = load(x, q - WIDTH), load(x, q)
            e1, f1, g1, h1 = r4 + r1, r4 - r1, i1 + i4, i1 - i4
            e2, f2, g2, h2 = r3 + r2, r3 - r2, i2 + i3, i2 - i3
            store(y, o + i - WIDTH, r0 + e1 + e2)
            store(y, o + i, i0 + g1 + g2)
            m1, n1 = r0 + c1 * e1 + c2 * e2, i0 + c1 * g1 + c2 * g2
            m2, n2 = r0 + c2 * e1 + c1 * e2, i0 + c2 * g1 + c1 * g2
            b1, d1 = h1 * s1 + h2 * s2, f1 * s1 + f2 * s2
            b2, d2 = h1 * s2 - h2 * s1, f1 * s2 - f2 * s1
            store(y, o + row + j - WIDTH, m1 - b1)
            store(y, o + row + j, d1 - n1)
            store(y, o + 2 * row + i - WIDTH, m1 + b1)
            store(y, o + 2 * row + i, d1 + n1)
            store(y, o + 3 * row + j - WIDTH, m2 - b2)
            store(y, o + 3 * row + j, d2 - n2)
            store(y, o + 4 * row + i - WIDTH, m2 + b2)
            store(y, o + 4 * row + i, d2 + n2)
