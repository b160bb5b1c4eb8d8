"""Every front end and normalizer there is, as pipelines that the tests of the torch modules run over."""

from __future__ import annotations

from functools import cache

import numpy as np

import spectronorm as sn
from spectronorm.front_end import PRESETS
from spectronorm.front_end.front_end import SLOTS
from spectronorm.normalize import normalizer
from spectronorm.profile import LevelCounter

FRONT_ENDS = {name: preset.front_end for name, preset in PRESETS.items()} | {
    f"{slot} {kind}": sn.FrontEnd(sample_rate=8_000, **{slot: cls()})
    for slot in ("level", "bands", "compress")
    for kind, cls in SLOTS[slot].classes().items()
    if cls is not sn.bands.Gammatone
}


@cache
def pipeline(front_end: str = "fastaudio", normalize: str = "global") -> sn.Pipeline:
    """A pipeline of that front end, its normalizer fitted to noise of several levels and to silence."""
    chosen = FRONT_ENDS[front_end]
    counter, rng = LevelCounter(chosen), np.random.default_rng(0)
    for gain in (0.5, 0.02, 0.0):
        counter.add(gain * rng.standard_normal(chosen.min_samples * 6))
    profile = sn.Profile(chosen, {(): counter.measurement()})
    return sn.Pipeline(chosen, normalizer(normalize).fit(profile))


def waves(front_end: str, clips: int = 3, seed: int = 0) -> np.ndarray:
    """Noise, a tone in noise, and noise that is silent for half its time."""
    chosen, rng = FRONT_ENDS[front_end], np.random.default_rng(seed)
    x = 0.1 * rng.standard_normal((clips, chosen.min_samples * 3 + 77))
    x[1::3] = 0.01 * x[1::3] + np.sin(0.3 * np.arange(x.shape[1]))
    x[2::3, x.shape[1] // 3 :] = 0.0
    return x
