"""Names of the kinds of change."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """The kinds of change that can be distinguished: a closed vocabulary that programs may rely on."""

    NOTHING = "nothing"
    LEVEL = "level-change"
    EQUALIZATION = "equalization"
    NOISE = "added-noise"
    BAND_LIMIT = "band-limit"
    SILENCE = "silence"
    CLIPPING = "clipping"
    HUM = "hum"
    DYNAMICS = "dynamics"
    REVERBERATION = "reverberation"
    SPEED = "speed"
    CONTENT = "other-content"
    UNKNOWN = "unknown-change"
