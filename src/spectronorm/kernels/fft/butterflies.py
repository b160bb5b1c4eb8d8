"""Butterflies of the real DFT: the arithmetic that a stage of each radix applies to its parts.

For each radix: `first` is applied to the first values of the parts, which are real; `half`, for even radices, to their
unpaired middle values; `rest` to all other values, complex as `(re, im)`, already multiplied by their roots of unity.
Each returns one result for each part. The order of the additions is that of FFTPACK.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_SQRT_HALF = math.sqrt(0.5)
_SQRT_3_4 = 0.86602540378443864676
_COS_72, _SIN_72 = 0.3090169943749474241, 0.95105651629515357212
_COS_144, _SIN_144 = -0.8090169943749474241, 0.58778525229247312917
_COS_51, _SIN_51 = 0.62348980185873353053, 0.78183148246802980871  # of 2π/7, 4π/7 and 6π/7
_COS_103, _SIN_103 = -0.22252093395631440429, 0.97492791218182360702
_COS_154, _SIN_154 = -0.90096886790241912624, 0.43388373911755812048

Complex = tuple[Any, Any]


@dataclass(frozen=True)
class Butterfly:
    """Arithmetic of a stage of one radix; see above."""

    first: Callable[[Sequence[Any]], Sequence[Any]]
    rest: Callable[[Sequence[Complex]], Sequence[Complex]]
    half: Callable[[Sequence[Any]], Sequence[Any]] | None = None


def _first_2(a: Sequence[Any]) -> Sequence[Any]:
    return a[0] + a[1], a[0] - a[1]


def _half_2(a: Sequence[Any]) -> Sequence[Any]:
    return a[0], -1.0 * a[1]


def _rest_2(a: Sequence[Complex]) -> Sequence[Complex]:
    (r0, i0), (r1, i1) = a
    return (r0 + r1, i1 + i0), (r0 - r1, i1 - i0)


def _first_3(a: Sequence[Any]) -> Sequence[Any]:
    both = a[1] + a[2]
    return a[0] + both, a[0] + -0.5 * both, _SQRT_3_4 * (a[2] - a[1])


def _rest_3(a: Sequence[Complex]) -> Sequence[Complex]:
    (r0, i0), (r1, i1), (r2, i2) = a
    r, m = r1 + r2, i1 + i2
    u, v = r0 + -0.5 * r, i0 + -0.5 * m
    f, g = _SQRT_3_4 * (i1 - i2), _SQRT_3_4 * (r2 - r1)
    return (r0 + r, i0 + m), (u - f, g - v), (u + f, g + v)


def _first_4(a: Sequence[Any]) -> Sequence[Any]:
    odd, even = a[3] + a[1], a[0] + a[2]
    return even + odd, a[0] - a[2], a[3] - a[1], even - odd


def _half_4(a: Sequence[Any]) -> Sequence[Any]:
    im, re = -_SQRT_HALF * (a[1] + a[3]), _SQRT_HALF * (a[1] - a[3])
    return a[0] + re, im - a[2], a[0] - re, im + a[2]


def _rest_4(a: Sequence[Complex]) -> Sequence[Complex]:
    (r0, i0), (r1, i1), (r2, i2), (r3, i3) = a
    u0, u1, v0, v1 = r3 + r1, r3 - r1, i1 + i3, i1 - i3
    s0, s1, t0, t1 = r0 + r2, r0 - r2, i0 + i2, i0 - i2
    return (s0 + u0, v0 + t0), (s1 - v1, u1 - t1), (s1 + v1, u1 + t1), (s0 - u0, v0 - t0)


def _first_5(a: Sequence[Any]) -> Sequence[Any]:
    u1, v1, u2, v2 = a[4] + a[1], a[4] - a[1], a[3] + a[2], a[3] - a[2]
    return (
        a[0] + u1 + u2,
        a[0] + _COS_72 * u1 + _COS_144 * u2,
        _SIN_72 * v1 + _SIN_144 * v2,
        a[0] + _COS_144 * u1 + _COS_72 * u2,
        _SIN_144 * v1 - _SIN_72 * v2,
    )


def _rest_5(a: Sequence[Complex]) -> Sequence[Complex]:
    (r0, i0), (r1, i1), (r2, i2), (r3, i3), (r4, i4) = a
    e1, f1, g1, h1 = r4 + r1, r4 - r1, i1 + i4, i1 - i4
    e2, f2, g2, h2 = r3 + r2, r3 - r2, i2 + i3, i2 - i3
    m1, n1 = r0 + _COS_72 * e1 + _COS_144 * e2, i0 + _COS_72 * g1 + _COS_144 * g2
    m2, n2 = r0 + _COS_144 * e1 + _COS_72 * e2, i0 + _COS_144 * g1 + _COS_72 * g2
    b1, d1 = h1 * _SIN_72 + h2 * _SIN_144, f1 * _SIN_72 + f2 * _SIN_144
    b2, d2 = h1 * _SIN_144 - h2 * _SIN_72, f1 * _SIN_144 - f2 * _SIN_72
    return (r0 + e1 + e2, i0 + g1 + g2), (m1 - b1, d1 - n1), (m1 + b1, d1 + n1), (m2 - b2, d2 - n2), (m2 + b2, d2 + n2)


def _first_7(a: Sequence[Any]) -> Sequence[Any]:
    u1, v1, u2, v2, u3, v3 = a[6] + a[1], a[6] - a[1], a[5] + a[2], a[5] - a[2], a[4] + a[3], a[4] - a[3]
    return (
        a[0] + u1 + u2 + u3,
        a[0] + _COS_51 * u1 + _COS_103 * u2 + _COS_154 * u3,
        _SIN_51 * v1 + _SIN_103 * v2 + _SIN_154 * v3,
        a[0] + _COS_103 * u1 + _COS_154 * u2 + _COS_51 * u3,
        _SIN_103 * v1 - _SIN_154 * v2 - _SIN_51 * v3,
        a[0] + _COS_154 * u1 + _COS_51 * u2 + _COS_103 * u3,
        _SIN_154 * v1 - _SIN_51 * v2 + _SIN_103 * v3,
    )


def _rest_7(a: Sequence[Complex]) -> Sequence[Complex]:
    (r0, i0), (r1, i1), (r2, i2), (r3, i3), (r4, i4), (r5, i5), (r6, i6) = a
    e1, f1, g1, h1 = r6 + r1, r6 - r1, i1 + i6, i1 - i6
    e2, f2, g2, h2 = r5 + r2, r5 - r2, i2 + i5, i2 - i5
    e3, f3, g3, h3 = r4 + r3, r4 - r3, i3 + i4, i3 - i4
    m1, n1 = (x + _COS_51 * y + _COS_103 * z + _COS_154 * t for x, y, z, t in ((r0, e1, e2, e3), (i0, g1, g2, g3)))
    m2, n2 = (x + _COS_103 * y + _COS_154 * z + _COS_51 * t for x, y, z, t in ((r0, e1, e2, e3), (i0, g1, g2, g3)))
    m3, n3 = (x + _COS_154 * y + _COS_51 * z + _COS_103 * t for x, y, z, t in ((r0, e1, e2, e3), (i0, g1, g2, g3)))
    b1, d1 = (_SIN_51 * y + _SIN_103 * z + _SIN_154 * t for y, z, t in ((h1, h2, h3), (f1, f2, f3)))
    b2, d2 = (_SIN_103 * y - _SIN_154 * z - _SIN_51 * t for y, z, t in ((h1, h2, h3), (f1, f2, f3)))
    b3, d3 = (_SIN_154 * y - _SIN_51 * z + _SIN_103 * t for y, z, t in ((h1, h2, h3), (f1, f2, f3)))
    return (
        (r0 + e1 + e2 + e3, i0 + g1 + g2 + g3),
        (m1 - b1, d1 - n1),
        (m1 + b1, d1 + n1),
        (m2 - b2, d2 - n2),
        (m2 + b2, d2 + n2),
        (m3 - b3, d3 - n3),
        (m3 + b3, d3 + n3),
    )


BUTTERFLIES: Mapping[int, Butterfly] = {
    2: Butterfly(_first_2, _rest_2, _half_2),
    3: Butterfly(_first_3, _rest_3),
    4: Butterfly(_first_4, _rest_4, _half_4),
    5: Butterfly(_first_5, _rest_5),
    7: Butterfly(_first_7, _rest_7),
}
"""Butterflies by radix."""
