"""A wrong speed or sample rate: the training set's spectrum, moved along the frequencies."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from spectronorm.arrays import Floats
from spectronorm.monitor.change.causes.cause import Hypothesis
from spectronorm.monitor.change.kind import Kind
from spectronorm.monitor.change.observed import Observed

_FACTORS = np.concatenate([np.geomspace(0.4, 0.85, 13), np.geomspace(1.18, 2.5, 13)])
_FEWEST_RANGES = 6
_BEYOND_DB = 60.0


def speeds(o: Observed) -> Iterator[Hypothesis]:
    """Yield the two speeds that come nearest."""
    hz = o.hz
    if not (np.isfinite(hz).all() and (np.diff(hz) > 0).all() and hz[0] > 0) or len(hz) < _FEWEST_RANGES:
        return
    mean = o.levels.mean(axis=0)

    def rest(factor: float) -> float:
        return float(np.var((_played(hz, mean, factor) - mean - o.shift)[:, 1:].mean(axis=1)))

    for factor in sorted(_FACTORS.tolist(), key=rest)[:2]:
        yield Hypothesis(
            Kind.SPEED,
            partial(_faster, o),
            lambda p: f"The spectrum is that of the training set at {np.exp(p[0]):.2g} times the speed.",
            start=[float(np.log(factor)), 0.0],
            deviation=[0.5, 5.0],
            figures={"rms": (0.0, 3.0), "crest": (0.0, 1.5)},
            weight=-0.7,
        )


def _faster(o: Observed, levels: Floats, p: Floats) -> Floats:
    return np.asarray(np.maximum(_played(o.hz, levels, float(np.exp(p[0]))) + p[1], o.floor))


def _played(hz: Floats, levels: Floats, factor: float) -> Floats:
    """Levels `(…, range, 3)` played at another speed; nothing was recorded above the highest band."""
    there = np.log(np.clip(hz / factor, hz[0], None))
    weights = np.stack([np.interp(there, np.log(hz), one) for one in np.eye(len(hz))], axis=1)
    beyond = np.clip(np.log2(hz / factor / hz[-1]), 0.0, 1.0)[:, None]
    return np.asarray(weights @ levels - _BEYOND_DB * beyond)
