"""The DFT of several real signals at once, for lengths whose only prime factors are 2, 3 and 5, or also 7.

The mixed-radix algorithm for real data (Temperton 1983, "Fast mixed-radix real Fourier transforms", J. Comput. Phys.
52), with the radices, the order of the additions and the roots of unity of FFTPACK and its descendants in NumPy and
SciPy. So each lane of float64 is what `numpy.fft.rfft` gives, on x86-64 to the last bit (the tests
compare them), but for lengths with a factor of 7.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnorm.compiled import njit
from specnorm.fourier.lanes import fill, load, store, width

Floats = NDArray[np.floating[Any]]
_PI = Fraction(31415926535897932384626433832795, 10**31)
_SQRT_HALF = math.sqrt(0.5)
_SQRT_3_4 = 0.86602540378443864676
_COS_72, _SIN_72 = 0.3090169943749474241, 0.95105651629515357212
_COS_144, _SIN_144 = -0.8090169943749474241, 0.58778525229247312917
_COS_51, _SIN_51 = 0.62348980185873353053, 0.78183148246802980871  # of 2π/7, and twice and three times as much
_COS_103, _SIN_103 = -0.22252093395631440429, 0.97492791218182360702
_COS_154, _SIN_154 = -0.90096886790241912624, 0.43388373911755812048


@dataclass(frozen=True, eq=False)
class Plan:
    """The stages of a transform of `n` samples: radices, and each stage's roots of unity from `starts` on."""

    n: int
    radices: NDArray[np.int64]
    starts: NDArray[np.int64]
    roots: NDArray[np.float64]


@lru_cache(maxsize=64)
def plan_of(n: int, largest: int = 5) -> Plan | None:
    """The plan for `n` samples, or None when it has prime factors above `largest`, which is 5 or 7."""
    radices = _radices(n)
    if max(radices, default=1) > largest:
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


@njit(nogil=True, inline="always")
def transform(
    n: int,
    radices: NDArray[np.int64],
    starts: NDArray[np.int64],
    roots: Floats,
    frames: Floats,
    other: Floats,
) -> Floats:
    """The DFT of `frames` `(sample, lane)`, flat, in `frames` or `other`: the real part of bin 0, then re, im, re, ….

    Both buffers are overwritten; the one with the result is returned. `radices` may be the first ones of a plan alone,
    when the stages of all later ones are done.
    """
    source, target, before = frames, other, 1
    for radix in radices:
        before *= radix
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


@njit(nogil=True, inline="always")
def transform_with_sevens(
    n: int,
    radices: NDArray[np.int64],
    starts: NDArray[np.int64],
    roots: Floats,
    frames: Floats,
    other: Floats,
) -> Floats:
    """`transform` for plans that may have factors of 7, which takes longer to compile."""
    source, target, before, stages = frames, other, n, len(radices)
    while stages > 0 and radices[stages - 1] == 7:  # the largest radices stand last, and come first
        stages -= 1
        inner, before = n // before, before // 7
        _radix_7(inner, before, source, target, roots[starts[stages] :])
        source, target = target, source
    return transform(n, radices[:stages], starts, roots, source, target)


@njit(nogil=True, inline="always")
def _turned(x: Floats, at: int, w: Floats, root: int) -> Any:
    """A complex value, turned back by a root of unity."""
    c, s = fill(x, w[root]), fill(x, w[root + 1])
    re, im = load(x, at - width(x)), load(x, at)
    return c * re + s * im, c * im - s * re


@njit(nogil=True, inline="always")
def _radix_4(inner: int, before: int, x: Floats, y: Floats, w: Floats) -> None:
    lanes = width(x)
    row, step = lanes * inner, lanes * inner * before
    last, h = row - lanes, fill(x, _SQRT_HALF)
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
            im, re = fill(x, -_SQRT_HALF) * (a1 + a3), h * (a1 - a3)
            store(y, o + last, a0 + re)
            store(y, o + row, im - a2)
            store(y, o + 2 * row + last, a0 - re)
            store(y, o + 3 * row, im + a2)
            p -= last
        root = 0
        for i in range(2 * lanes, row, 2 * lanes):
            q, j = p + i, row - i
            r1, i1 = _turned(x, q + step, w, root)
            r2, i2 = _turned(x, q + 2 * step, w, root + 2)
            r3, i3 = _turned(x, q + 3 * step, w, root + 4)
            root += 6
            r0, i0 = load(x, q - lanes), load(x, q)
            u0, u1, v0, v1 = r3 + r1, r3 - r1, i1 + i3, i1 - i3
            s0, s1, t0, t1 = r0 + r2, r0 - r2, i0 + i2, i0 - i2
            store(y, o + i - lanes, s0 + u0)
            store(y, o + i, v0 + t0)
            store(y, o + row + j - lanes, s1 - v1)
            store(y, o + row + j, u1 - t1)
            store(y, o + 2 * row + i - lanes, s1 + v1)
            store(y, o + 2 * row + i, u1 + t1)
            store(y, o + 3 * row + j - lanes, s0 - u0)
            store(y, o + 3 * row + j, v0 - t0)


@njit(nogil=True, inline="always")
def _radix_2(inner: int, before: int, x: Floats, y: Floats, w: Floats) -> None:
    lanes = width(x)
    row, step = lanes * inner, lanes * inner * before
    last = row - lanes
    for k in range(before):
        p, o = k * row, 2 * k * row
        a0, a1 = load(x, p), load(x, p + step)
        store(y, o, a0 + a1)
        store(y, o + row + last, a0 - a1)
        if inner % 2 == 0:
            store(y, o + row, fill(x, -1.0) * load(x, p + step + last))
            store(y, o + last, load(x, p + last))
        root = 0
        for i in range(2 * lanes, row, 2 * lanes):
            q, j = p + i, row - i
            r1, i1 = _turned(x, q + step, w, root)
            root += 2
            r0, i0 = load(x, q - lanes), load(x, q)
            store(y, o + i - lanes, r0 + r1)
            store(y, o + i, i1 + i0)
            store(y, o + row + j - lanes, r0 - r1)
            store(y, o + row + j, i1 - i0)


@njit(nogil=True, inline="always")
def _radix_3(inner: int, before: int, x: Floats, y: Floats, w: Floats) -> None:
    lanes = width(x)
    row, step = lanes * inner, lanes * inner * before
    last, c, s = row - lanes, fill(x, -0.5), fill(x, _SQRT_3_4)
    for k in range(before):
        p, o = k * row, 3 * k * row
        a0, a1, a2 = load(x, p), load(x, p + step), load(x, p + 2 * step)
        both = a1 + a2
        store(y, o, a0 + both)
        store(y, o + row + last, a0 + c * both)
        store(y, o + 2 * row, s * (a2 - a1))
        root = 0
        for i in range(2 * lanes, row, 2 * lanes):
            q, j = p + i, row - i
            r1, i1 = _turned(x, q + step, w, root)
            r2, i2 = _turned(x, q + 2 * step, w, root + 2)
            root += 4
            r0, i0 = load(x, q - lanes), load(x, q)
            r, m = r1 + r2, i1 + i2
            u, v = r0 + c * r, i0 + c * m
            f, g = s * (i1 - i2), s * (r2 - r1)
            store(y, o + i - lanes, r0 + r)
            store(y, o + i, i0 + m)
            store(y, o + row + j - lanes, u - f)
            store(y, o + row + j, g - v)
            store(y, o + 2 * row + i - lanes, u + f)
            store(y, o + 2 * row + i, g + v)


@njit(nogil=True, inline="always")
def _radix_5(inner: int, before: int, x: Floats, y: Floats, w: Floats) -> None:
    lanes = width(x)
    row, step = lanes * inner, lanes * inner * before
    last = row - lanes
    c1, s1, c2, s2 = fill(x, _COS_72), fill(x, _SIN_72), fill(x, _COS_144), fill(x, _SIN_144)
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
        for i in range(2 * lanes, row, 2 * lanes):
            q, j = p + i, row - i
            r1, i1 = _turned(x, q + step, w, root)
            r2, i2 = _turned(x, q + 2 * step, w, root + 2)
            r3, i3 = _turned(x, q + 3 * step, w, root + 4)
            r4, i4 = _turned(x, q + 4 * step, w, root + 6)
            root += 8
            r0, i0 = load(x, q - lanes), load(x, q)
            e1, f1, g1, h1 = r4 + r1, r4 - r1, i1 + i4, i1 - i4
            e2, f2, g2, h2 = r3 + r2, r3 - r2, i2 + i3, i2 - i3
            store(y, o + i - lanes, r0 + e1 + e2)
            store(y, o + i, i0 + g1 + g2)
            m1, n1 = r0 + c1 * e1 + c2 * e2, i0 + c1 * g1 + c2 * g2
            m2, n2 = r0 + c2 * e1 + c1 * e2, i0 + c2 * g1 + c1 * g2
            b1, d1 = h1 * s1 + h2 * s2, f1 * s1 + f2 * s2
            b2, d2 = h1 * s2 - h2 * s1, f1 * s2 - f2 * s1
            store(y, o + row + j - lanes, m1 - b1)
            store(y, o + row + j, d1 - n1)
            store(y, o + 2 * row + i - lanes, m1 + b1)
            store(y, o + 2 * row + i, d1 + n1)
            store(y, o + 3 * row + j - lanes, m2 - b2)
            store(y, o + 3 * row + j, d2 - n2)
            store(y, o + 4 * row + i - lanes, m2 + b2)
            store(y, o + 4 * row + i, d2 + n2)


@njit(nogil=True, inline="always")
def _radix_7(inner: int, before: int, x: Floats, y: Floats, w: Floats) -> None:
    lanes = width(x)
    row, step = lanes * inner, lanes * inner * before
    last = row - lanes
    c1, s1, c2, s2 = fill(x, _COS_51), fill(x, _SIN_51), fill(x, _COS_103), fill(x, _SIN_103)
    c3, s3 = fill(x, _COS_154), fill(x, _SIN_154)
    for k in range(before):
        p, o = k * row, 7 * k * row
        a0, a1, a2, a3 = load(x, p), load(x, p + step), load(x, p + 2 * step), load(x, p + 3 * step)
        a4, a5, a6 = load(x, p + 4 * step), load(x, p + 5 * step), load(x, p + 6 * step)
        u1, v1, u2, v2, u3, v3 = a6 + a1, a6 - a1, a5 + a2, a5 - a2, a4 + a3, a4 - a3
        store(y, o, a0 + u1 + u2 + u3)
        store(y, o + row + last, a0 + c1 * u1 + c2 * u2 + c3 * u3)
        store(y, o + 2 * row, s1 * v1 + s2 * v2 + s3 * v3)
        store(y, o + 3 * row + last, a0 + c2 * u1 + c3 * u2 + c1 * u3)
        store(y, o + 4 * row, s2 * v1 - s3 * v2 - s1 * v3)
        store(y, o + 5 * row + last, a0 + c3 * u1 + c1 * u2 + c2 * u3)
        store(y, o + 6 * row, s3 * v1 - s1 * v2 + s2 * v3)
        root = 0
        for i in range(2 * lanes, row, 2 * lanes):
            q, j = p + i, row - i
            r1, i1 = _turned(x, q + step, w, root)
            r2, i2 = _turned(x, q + 2 * step, w, root + 2)
            r3, i3 = _turned(x, q + 3 * step, w, root + 4)
            r4, i4 = _turned(x, q + 4 * step, w, root + 6)
            r5, i5 = _turned(x, q + 5 * step, w, root + 8)
            r6, i6 = _turned(x, q + 6 * step, w, root + 10)
            root += 12
            r0, i0 = load(x, q - lanes), load(x, q)
            e1, f1, g1, h1 = r6 + r1, r6 - r1, i1 + i6, i1 - i6
            e2, f2, g2, h2 = r5 + r2, r5 - r2, i2 + i5, i2 - i5
            e3, f3, g3, h3 = r4 + r3, r4 - r3, i3 + i4, i3 - i4
            store(y, o + i - lanes, r0 + e1 + e2 + e3)
            store(y, o + i, i0 + g1 + g2 + g3)
            m1, n1 = r0 + c1 * e1 + c2 * e2 + c3 * e3, i0 + c1 * g1 + c2 * g2 + c3 * g3
            b1, d1 = s1 * h1 + s2 * h2 + s3 * h3, s1 * f1 + s2 * f2 + s3 * f3
            m2, n2 = r0 + c2 * e1 + c3 * e2 + c1 * e3, i0 + c2 * g1 + c3 * g2 + c1 * g3
            b2, d2 = s2 * h1 - s3 * h2 - s1 * h3, s2 * f1 - s3 * f2 - s1 * f3
            m3, n3 = r0 + c3 * e1 + c1 * e2 + c2 * e3, i0 + c3 * g1 + c1 * g2 + c2 * g3
            b3, d3 = s3 * h1 - s1 * h2 + s2 * h3, s3 * f1 - s1 * f2 + s2 * f3
            store(y, o + row + j - lanes, m1 - b1)
            store(y, o + row + j, d1 - n1)
            store(y, o + 2 * row + i - lanes, m1 + b1)
            store(y, o + 2 * row + i, d1 + n1)
            store(y, o + 3 * row + j - lanes, m2 - b2)
            store(y, o + 3 * row + j, d2 - n2)
            store(y, o + 4 * row + i - lanes, m2 + b2)
            store(y, o + 4 * row + i, d2 + n2)
            store(y, o + 5 * row + j - lanes, m3 - b3)
            store(y, o + 5 * row + j, d3 - n3)
            store(y, o + 6 * row + i - lanes, m3 + b3)
            store(y, o + 6 * row + i, d3 + n3)
