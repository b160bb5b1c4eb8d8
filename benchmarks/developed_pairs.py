"""Two developed-on changes at once, one pair of each two kinds: the diagnosis of pairs may be developed on these.

The pairs that are reported are of an outsider's choice, in `benchmarks.fresh_changes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np

from benchmarks.changes import Change, chain
from benchmarks.developed_on import DEVELOP

_SEED = 18
_OF_A_KIND: Mapping[str, tuple[str, ...]] = {
    "level-change": ("10 dB quieter", "25 dB quieter", "7 dB louder"),
    "equalization": (
        "presence, +12 dB at 3 kHz",
        "bass, +10 dB",
        "treble, -12 dB",
        "treble, +10 dB",
        "tilt, +4 dB an octave",
        "tilt, -4 dB an octave",
        "nasal, +12 dB at 800 Hz",
        "two resonances",
        "dull",
    ),
    "added-noise": (
        "wind, -5 dB",
        "white noise, 15 dB",
        "white noise, 0 dB",
        "brown noise, 5 dB",
        "pink noise, 5 dB",
        "blue noise, 15 dB",
        "noise of one level",
        "hiss at the top, 10 dB",
    ),
    "band-limit": ("through 8 kHz", "through 6 kHz", "cut at 0.55, steep", "telephone", "mu-law at 6 kHz"),
    "hum": ("hum of 50 Hz, 5 dB", "hum of 50 Hz, -5 dB", "hum of 60 Hz, 12 dB", "hum of 100 Hz, 0 dB"),
    "dynamics": (
        "noise suppressor, 18 dB",
        "noise suppressor, 10 dB",
        "spectral subtraction, strong",
        "automatic gain, 4 : 1",
        "automatic gain, 2 : 1",
        "expander, 1 : 2",
    ),
    "reverberation": ("room of 0.8 s", "room of 0.4 s", "room of 1 s, far", "hall of 2.5 s"),
    "speed": ("speed 0.75", "speed 1.25", "speed 2", "five semitones up", "four semitones down"),
    "clipping": ("saturated, both halves", "saturated at 6 dB over the RMS", "overdriven softly"),
}


def _drawn() -> Iterator[tuple[str, Change]]:
    """One pair of each two kinds, in one of both orders; any name that is right for either change is right."""
    generator = np.random.default_rng(_SEED)
    for kinds in combinations(_OF_A_KIND, 2):
        first, second = generator.permutation([generator.choice(_OF_A_KIND[kind]) for kind in kinds])
        devices = [change.device for change in (DEVELOP[first], DEVELOP[second]) if change.device is not None]
        yield f"{first}; {second}", Change(chain(*devices), DEVELOP[first].right | DEVELOP[second].right)


DEVELOPED_PAIRS: Mapping[str, Change] = dict(_drawn())
"""Thirty-six pairs of changes."""
