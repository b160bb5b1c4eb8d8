"""Presets by name."""

from __future__ import annotations

from collections.abc import Mapping

from spectronorm.errors import ArgumentError
from spectronorm.front_end.front_end import FrontEnd
from spectronorm.front_end.presets.kaldi import AST, BEATS, EAT, FUNASR, KALDI, LHOTSE, SEAMLESS, WENET
from spectronorm.front_end.presets.libraries import ESPNET, FASTAUDIO, LIBROSA, NEMO, TORCHAUDIO
from spectronorm.front_end.presets.preset import Preset
from spectronorm.front_end.presets.recognition import BYOL_A, CLAP, GEMMA3N, PANNS, PASST, VGGISH, WHISPER
from spectronorm.front_end.presets.synthesis import HIFIGAN, LOGMEL, SPECGAN, SPEECHT5
from spectronorm.suggestion import choice_of

PRESETS: Mapping[str, Preset] = {
    "ast": AST,
    "beats": BEATS,
    "byol-a": BYOL_A,
    "clap": CLAP,
    "eat": EAT,
    "espnet": ESPNET,
    "fastaudio": FASTAUDIO,
    "funasr": FUNASR,
    "gemma3n": GEMMA3N,
    "hifigan": HIFIGAN,
    "kaldi": KALDI,
    "lhotse": LHOTSE,
    "librosa": LIBROSA,
    "logmel": LOGMEL,
    "nemo": NEMO,
    "panns": PANNS,
    "passt": PASST,
    "seamless": SEAMLESS,
    "specgan": SPECGAN,
    "speecht5": SPEECHT5,
    "torchaudio": TORCHAUDIO,
    "vggish": VGGISH,
    "wenet": WENET,
    "whisper": WHISPER,
}
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
