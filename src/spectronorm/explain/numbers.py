"""Effect of a difference on the numbers, measured on a sound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import Array, Samples
from spectronorm.audio.resample import resample
from spectronorm.front_end import FrontEnd, require_front_end
from spectronorm.pipeline import Pipeline

PROBE_RATE = 48_000


def probe() -> Samples:
    """Return three seconds at 48 kHz: swelling and fading noise, a rising tone, half a second of digital silence."""
    t = np.arange(3 * PROBE_RATE) / PROBE_RATE
    noise = np.random.default_rng(0).standard_normal(len(t))
    wave = 0.05 * (1.2 + np.sin(2 * np.pi * t)) * noise + 0.2 * np.sin(2 * np.pi * (100.0 + 1200.0 * t) * t)
    wave[len(t) // 2 : len(t) // 2 + PROBE_RATE // 2] = 0.0
    return np.clip(wave, -1.0, 1.0).astype(np.float32)


def numbers(a: FrontEnd | Pipeline, b: FrontEnd | Pipeline, samples: Samples, sample_rate: int) -> list[str]:
    """Compare both outputs for one sound in sentences, cell by cell if their bands and frames match.

    Raises:
        ShapeError: if the sound is too short for one of them.
    """
    one, two = _values(a, samples, sample_rate), _values(b, samples, sample_rate)
    sentences = [
        f"{name}: {x.shape[0]} bands x {x.shape[1]} frames, mean {x.mean():.3f}, standard deviation {x.std():.3f}, "
        f"from {x.min():.3f} to {x.max():.3f} ({_unit(what)})"
        for name, what, x in (("here", a, one), ("there", b, two))
    ]
    if one.shape != two.shape:
        sentences.append("bands or frames do not match one to one, so that cells cannot be compared")
        return sentences
    if np.array_equal(one, two):
        sentences.append("every cell is equal")
        return sentences
    if _unit(a) == _unit(b):
        difference = one - two
        sentences.append(
            f"here minus there: {difference.mean():+.3f} on average, {np.quantile(difference, 0.05):+.3f} to "
            f"{np.quantile(difference, 0.95):+.3f} in nine cells of ten, at most {np.abs(difference).max():.3f}"
        )
    if two.std() > 0 and one.std() > 0:
        slope, offset = np.polyfit(two.ravel(), one.ravel(), 1)
        rest = (one - slope * two - offset).std()
        sentences.append(
            f"here = {slope:.4f} x there {offset:+.3f}, leaving a standard deviation of {rest:.3f} "
            f"({rest / one.std():.1%}): "
            + (
                "a normalizer fitted to each would take the difference out"
                if rest < 0.01 * one.std()
                else "no normalization with one mean and scale takes the difference out"
            )
        )
    return sentences


def _values(what: FrontEnd | Pipeline, samples: Samples, sample_rate: int) -> NDArray[np.float64]:
    front_end = require_front_end(what.front_end, "comparing on a sound") if isinstance(what, Pipeline) else what
    wave: Array = resample(samples, sample_rate, front_end.sample_rate, front_end.resampler).astype(np.float64)
    return np.asarray(what(wave))


def _unit(what: FrontEnd | Pipeline) -> str:
    return "normalized" if isinstance(what, Pipeline) else what.compress.unit
