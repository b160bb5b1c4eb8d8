"""Names of the kinds of change."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """The kinds of change that can be distinguished: a closed vocabulary that programs may rely on.

    `CONTENT` is never diagnosed, since a few classes of sound look like almost any change: other content is told as
    `UNKNOWN`. Only the records of older updates may hold it.

    >>> [kind.value for kind in Kind][:5]
    ['nothing', 'level-change', 'equalization', 'added-noise', 'band-limit']
    """

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
