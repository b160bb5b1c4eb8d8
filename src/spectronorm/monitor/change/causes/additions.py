"""Sounds that are added: noise of a smooth spectrum, steady or uneven, and hum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from spectronorm.arrays import Floats
from spectronorm.monitor.change.causes.cause import Figures, Hypothesis, curves_over, fitted_curve, raised
from spectronorm.monitor.change.kind import Kind
from spectronorm.monitor.change.observed import Observed

_LOG = np.log(10.0) / 10.0
_HUM_HZ = (450.0, 900.0)
_CURVES_DB = (20.0, 20.0, 12.0, 8.0, 5.0)
_NOISE: Figures = {"rms": (0.0, 5.0), "flux": (-0.1, 0.3), "steadiest": (-0.1, 0.2)}
_UNEVEN: Figures = {"rms": (0.0, 5.0), "flux": (0.0, 0.25), "steadiest": (0.0, 0.15)}
_UNEVEN_CURVES_DB = (20.0, 8.0, 5.0, 4.0, 3.0)
_UNEVEN_DB = 4.0
_MOMENTS = np.array([-1.0, 0.0, 1.0])
_OF_SIX = -float(np.log(6.0))
"""Logarithm of the prior weight of each of six variants of noise."""
_STEADY = ([-1.0, -0.2, 0.0], [0.5, 0.3, 0.15])
_HUM: Figures = {"rms": (0.0, 5.0), "flux": _STEADY, "steadiest": _STEADY}


def additions(o: Observed) -> Iterator[Hypothesis]:
    """Yield noises and hums of one level in all clips, and of a level that follows the clips'."""
    followed = [np.zeros((1, 1, 1))]
    if o.gain_reaches and len(o.levels) > 1:
        loud = o.levels[:, :, 2].max(axis=1)
        followed.append((loud - loud.mean())[:, None, None])
    for louder in followed:
        for count in (1, len(_CURVES_DB)):
            yield _noise(o, curves_over(o.ranges, count), louder)
        yield _uneven_noise(o, curves_over(o.ranges, len(_CURVES_DB)), louder)
        for low in (o.hz < hz for hz in _HUM_HZ):
            if low.any() and low.sum() <= o.ranges // 2:
                yield _hum(o, np.where(low, 0.0, -300.0), louder)


def _noise(o: Observed, curves: Floats, louder: Floats) -> Hypothesis:
    def noisy(levels: Floats, p: Floats) -> Floats:
        return _with(raised(levels, p[-1], o.floor), (curves @ p[:-1])[:, None] + louder)

    quiet = o.levels[:, :, 0].mean(axis=0)
    count = curves.shape[1]
    return Hypothesis(
        Kind.NOISE,
        noisy,
        lambda p: f"The quiet moments are filled by noise of about {p[0]:.0f} dB.",
        start=[*fitted_curve(curves, quiet + o.shift[:, 0]), 0.0],
        deviation=[*_CURVES_DB[:count], 6.0],
        centre=[float(quiet.mean()), *np.zeros(count)],
        figures=_NOISE,
        weight=_OF_SIX,
    )


def _uneven_noise(o: Observed, curves: Floats, louder: Floats) -> Hypothesis:
    """Noise with quiet and loud moments of its own, such as voices, rain or music.

    Steps between frames hardly move, and the noise fills most of the spectrum: a sound of few ranges may be hum.
    """
    steady = _noise(o, curves, louder)
    count = curves.shape[1]

    def noisy(levels: Floats, p: Floats) -> Floats:
        moments = np.abs(p[-1]) * _MOMENTS
        return _with(raised(levels, p[count], o.floor), (curves @ p[:count])[:, None] + moments + louder)

    return replace(
        steady,
        moved=noisy,
        says=lambda p: f"The quiet moments are filled by uneven noise of about {p[0]:.0f} dB.",
        start=[*steady.start, 4.0],
        deviation=[*_UNEVEN_CURVES_DB[:count], steady.deviation[-1], _UNEVEN_DB],
        centre=[*steady.centre, 0.0],
        figures=_UNEVEN,
    )


def _hum(o: Observed, lost: Floats, louder: Floats) -> Hypothesis:
    place = np.arange(o.ranges)

    def hummed(levels: Floats, p: Floats) -> Floats:
        return _with(raised(levels, p[2], o.floor), (lost + p[0] - np.abs(p[1]) * place)[:, None] + louder)

    quiet = o.levels[:, :, 0].mean(axis=0)
    return Hypothesis(
        Kind.HUM,
        hummed,
        lambda p: f"At low frequencies the quiet moments are filled by a steady sound of about {p[0]:.0f} dB.",
        start=[float(quiet[0] + o.shift[0, 0]), 6.0, 0.0],
        deviation=[25.0, 6.0, 6.0],
        centre=[float(quiet.mean()), 6.0, 0.0],
        figures=_HUM,
        weight=-0.7,
    )


def _with(levels: Floats, noise: Floats) -> Floats:
    return np.asarray(np.logaddexp(_LOG * levels, _LOG * noise) / _LOG)
