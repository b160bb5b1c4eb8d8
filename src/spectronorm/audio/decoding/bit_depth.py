"""Bit depth of the samples of an encoding, as its file stores them."""

from __future__ import annotations

import re
from typing import Any

_BITS = {"PCM_S8": 8, "PCM_U8": 8, "FLOAT": 32, "DOUBLE": 64, "ULAW": 8, "ALAW": 8, "DPCM_8": 8, "DPCM_16": 16}
_WITH_BITS = re.compile(r"(?:PCM|ALAC)_(\d\d)|pcm_[suf](\d\d?)(?:[bl]e|)(?:_planar|)")
MAX_BITS = 64


def bits_of(encoding: Any) -> int:
    """Bits of a stored sample by libsndfile's or FFmpeg's name of the encoding; 0 for an encoding that has none.

    >>> bits_of("PCM_24"), bits_of("pcm_s16le"), bits_of("VORBIS")
    (24, 16, 0)
    """
    if encoding in _BITS:
        return _BITS[encoding]
    found = _WITH_BITS.fullmatch(encoding) if isinstance(encoding, str) else None
    return 0 if found is None else int(found[1] or found[2])
