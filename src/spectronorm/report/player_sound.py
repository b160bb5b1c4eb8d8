"""Short sounds inside a page, as data addresses: the page plays without any other file."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

_SECONDS = 10.0
_MOST_CHANNELS = 2


def player_address(samples: NDArray[np.floating[Any]], sample_rate: int, seconds: float = _SECONDS) -> str:
    """Encode the first seconds of a sound as the address of an audio element: FLAC of 16 bits, at its own level.

    Args:
        samples: `(sample,)` or `(channel, sample)`, of which two channels are kept; above full scale they are clipped.
        sample_rate: Sample rate in Hz.
        seconds: Longest sound that is kept.
    """
    kept = np.atleast_2d(samples)[:_MOST_CHANNELS, : max(1, round(seconds * sample_rate))]
    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(kept.T, -1, 1), sample_rate, format="FLAC", subtype="PCM_16")
    return f"data:audio/flac;base64,{base64.b64encode(buffer.getvalue()).decode()}"
