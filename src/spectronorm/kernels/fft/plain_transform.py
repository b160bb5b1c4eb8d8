"""The DFT of several real signals at once with NumPy: the stages of the compiled transform, with the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.kernels.fft.butterflies import BUTTERFLIES
from spectronorm.kernels.fft.plan import Plan

_Floats = NDArray[np.floating[Any]]


def transform_by_numpy(plan: Plan, signals: _Floats) -> _Floats:
    """The DFT of `signals` `(sample, signal)` as rows: the real part of bin 0, then re, im, re, …; in their dtype."""
    before, x = plan.n, signals
    roots = plan.roots.astype(signals.dtype)
    for i in range(len(plan.radices) - 1, -1, -1):
        radix = int(plan.radices[i])
        inner = plan.n // before
        before //= radix
        x = _stage(radix, x.reshape(radix, before, inner, -1), roots[plan.starts[i] :])
    return x.reshape(signals.shape)


def _stage(radix: int, x: _Floats, roots: _Floats) -> _Floats:
    """Transforms of `radix` parts: `(part, before, inner, signal)` to `(before, part, inner, signal)`."""
    _, before, inner, signals = x.shape
    y = np.empty((before, radix, inner, signals), x.dtype)
    butterfly = BUTTERFLIES[radix]
    for m, value in enumerate(butterfly.first(x[:, :, 0])):  # type: ignore[arg-type]
        y[:, m, -1 if m % 2 else 0] = value
    if butterfly.half is not None and inner % 2 == 0:
        for m, value in enumerate(butterfly.half(x[:, :, -1])):  # type: ignore[arg-type]
            y[:, m, 0 if m % 2 else -1] = value
    pairs = (inner - 1) // 2
    if pairs:
        turn = roots[: pairs * 2 * (radix - 1)].reshape(pairs, radix - 1, 2, 1)
        re, im = x[:, :, 1 : 2 * pairs : 2], x[:, :, 2 : 2 * pairs + 1 : 2]
        parts = [(re[0], im[0])]
        for part in range(1, radix):
            c, s = turn[:, part - 1, 0], turn[:, part - 1, 1]
            parts.append((c * re[part] + s * im[part], c * im[part] - s * re[part]))
        for m, (real, imaginary) in enumerate(butterfly.rest(parts)):
            last = inner - 2 * pairs - 1
            if m % 2:
                y[:, m, last : inner - 2 : 2] = real[:, ::-1]
                y[:, m, last + 1 : inner - 1 : 2] = imaginary[:, ::-1]
            else:
                y[:, m, 1 : 2 * pairs : 2], y[:, m, 2 : 2 * pairs + 1 : 2] = real, imaginary
    return y
