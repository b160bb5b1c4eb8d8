"""Presets by name."""

from __future__ import annotations

from collections.abc import Mapping

from spectronorm.errors import ArgumentError
from spectronorm.front_end.front_end import FrontEnd
from spectronorm.front_end.presets.kaldi import KALDI_PRESETS
from spectronorm.front_end.presets.libraries import LIBRARY_PRESETS
from spectronorm.front_end.presets.preset import Preset
from spectronorm.front_end.presets.recognition import RECOGNITION_PRESETS
from spectronorm.front_end.presets.synthesis import SYNTHESIS_PRESETS
from spectronorm.suggestion import choice_of

PRESETS: Mapping[str, Preset] = dict(
    sorted({**KALDI_PRESETS, **LIBRARY_PRESETS, **RECOGNITION_PRESETS, **SYNTHESIS_PRESETS}.items())
)
"""Every preset, by the name that `preset` and `--preset` take."""


def preset(name: str) -> FrontEnd:
    """Return the front end with this name.

    Raises:
        ArgumentError: if there is no such preset.

    >>> preset("whisper").n_bands
    80
    """
    return find_preset(name).front_end


def find_preset(name: str) -> Preset:
    """Return the preset with this name, with its source.

    Raises:
        ArgumentError: if there is no such preset.
    """
    if name not in PRESETS:
        raise ArgumentError(f"preset={name!r} is unknown; use {choice_of(name, PRESETS)}")
    return PRESETS[name]
