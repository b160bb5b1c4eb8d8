"""spectronorm: spectrograms measured once, exactly, and normalized identically everywhere.

The names here are those that most programs need; the others stand in namespaces such as `sn.waveform` and `sn.errors`.

>>> import spectronorm as sn
>>> front_end = sn.FrontEnd(sample_rate=16_000, bands=sn.Mel(64))
>>> front_end.n_bands
64
>>> sn.FrontEnd(level=sn.waveform.PeakLevel()).level
PeakLevel(dbfs=0.0)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from spectronorm.version import __version__ as __version__

if TYPE_CHECKING:
    from spectronorm import audio as audio
    from spectronorm import audit as audit
    from spectronorm import augment as augment
    from spectronorm import cleaning as cleaning
    from spectronorm import datasets as datasets
    from spectronorm import engines as engines
    from spectronorm import errors as errors
    from spectronorm import experiment as experiment
    from spectronorm import explain as explain
    from spectronorm import features as features
    from spectronorm import front_end as front_end
    from spectronorm import gan as gan
    from spectronorm import images as images
    from spectronorm import interop as interop
    from spectronorm import monitor as monitor
    from spectronorm import nn as nn
    from spectronorm import normalize as normalize
    from spectronorm import passes as passes
    from spectronorm import profile as profile
    from spectronorm import report as report
    from spectronorm import sounds as sounds
    from spectronorm import testing as testing
    from spectronorm.audio import open_source as open_source
    from spectronorm.audio import read as read
    from spectronorm.display import play as play
    from spectronorm.display import plot as plot
    from spectronorm.display import plot_wave as plot_wave
    from spectronorm.errors import SpectronormError as SpectronormError
    from spectronorm.front_end import PCEN as PCEN
    from spectronorm.front_end import STFT as STFT
    from spectronorm.front_end import Decibel as Decibel
    from spectronorm.front_end import FrontEnd as FrontEnd
    from spectronorm.front_end import Gammatone as Gammatone
    from spectronorm.front_end import Levels as Levels
    from spectronorm.front_end import Linear as Linear
    from spectronorm.front_end import Ln as Ln
    from spectronorm.front_end import Mel as Mel
    from spectronorm.front_end import bands as bands
    from spectronorm.front_end import compress as compress
    from spectronorm.front_end import preset as preset
    from spectronorm.front_end import waveform as waveform
    from spectronorm.inversion import invert as invert
    from spectronorm.normalize import Fixed as Fixed
    from spectronorm.normalize import MinMax as MinMax
    from spectronorm.normalize import PerClip as PerClip
    from spectronorm.normalize import Robust as Robust
    from spectronorm.normalize import Standardize as Standardize
    from spectronorm.normalize import normalizer as normalizer
    from spectronorm.passes.apply import apply as apply
    from spectronorm.passes.check import check as check
    from spectronorm.passes.fit import fit as fit
    from spectronorm.pipeline import Pipeline as Pipeline
    from spectronorm.pipeline import load as load
    from spectronorm.pipeline import published as published
    from spectronorm.profile import Meter as Meter
    from spectronorm.profile import Profile as Profile
    from spectronorm.report.normalizations import compare_normalizations as compare_normalizations

__all__ = [
    "PCEN",
    "STFT",
    "Decibel",
    "Fixed",
    "FrontEnd",
    "Levels",
    "Linear",
    "Ln",
    "Mel",
    "Meter",
    "MinMax",
    "PerClip",
    "Pipeline",
    "Profile",
    "Robust",
    "SpectronormError",
    "Standardize",
    "__version__",
    "apply",
    "check",
    "fit",
    "invert",
    "load",
    "normalizer",
    "open_source",
    "preset",
    "published",
    "read",
]

NAMESPACES = (
    "audio",
    "audit",
    "augment",
    "cleaning",
    "datasets",
    "engines",
    "errors",
    "experiment",
    "explain",
    "features",
    "front_end",
    "gan",
    "images",
    "interop",
    "monitor",
    "nn",
    "normalize",
    "passes",
    "profile",
    "report",
    "sounds",
    "testing",
)
"""Namespaces of this package."""
HOME = {
    "Decibel": "spectronorm.front_end",
    "Fixed": "spectronorm.normalize",
    "FrontEnd": "spectronorm.front_end",
    "Gammatone": "spectronorm.front_end",
    "Levels": "spectronorm.front_end",
    "Linear": "spectronorm.front_end",
    "Ln": "spectronorm.front_end",
    "Mel": "spectronorm.front_end",
    "Meter": "spectronorm.profile",
    "MinMax": "spectronorm.normalize",
    "PCEN": "spectronorm.front_end",
    "PerClip": "spectronorm.normalize",
    "Pipeline": "spectronorm.pipeline",
    "Profile": "spectronorm.profile",
    "Robust": "spectronorm.normalize",
    "STFT": "spectronorm.front_end",
    "SpectronormError": "spectronorm.errors",
    "Standardize": "spectronorm.normalize",
    "apply": "spectronorm.passes.apply",
    "bands": "spectronorm.front_end",
    "check": "spectronorm.passes.check",
    "compare_normalizations": "spectronorm.report.normalizations",
    "compress": "spectronorm.front_end",
    "fit": "spectronorm.passes.fit",
    "invert": "spectronorm.inversion",
    "load": "spectronorm.pipeline",
    "normalizer": "spectronorm.normalize",
    "open_source": "spectronorm.audio",
    "play": "spectronorm.display",
    "plot": "spectronorm.display",
    "plot_wave": "spectronorm.display",
    "preset": "spectronorm.front_end",
    "published": "spectronorm.pipeline",
    "read": "spectronorm.audio",
    "waveform": "spectronorm.front_end",
}
"""Module of each other name.

Both are imported on first use: a program that computes nothing, such as `--help`, imports neither NumPy nor SciPy.
"""


def __getattr__(name: str) -> Any:
    if name in NAMESPACES:
        return import_module(f"{__name__}.{name}")
    if name in HOME:
        found = globals()[name] = getattr(import_module(HOME[name]), name)
        return found
    did_you_mean = import_module("spectronorm.suggestion").did_you_mean
    message = f"module {__name__!r} has no attribute {name!r}{did_you_mean(name, __dir__())}"
    raise AttributeError(message, name=name, obj=import_module(__name__))


def __dir__() -> list[str]:
    return sorted({*globals(), *NAMESPACES, *HOME})
