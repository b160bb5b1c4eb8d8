"""Front end and normalizer of a waveform that comes in pieces."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.front_end import FrontEnd
from spectronorm.normalize.normalizer import FittedNormalizer


class PipelineStream:
    """Normalized frames of one waveform, piece by piece: all of them are the bits of the pipeline's call on the whole.

    Attributes:
        latency: Time in seconds from the middle of a frame to the sample that completes it; a sliding normalizer's
            first `min_length` frames come together.

    Raises:
        ArgumentError: if a frame depends on later samples than its own.
    """

    def __init__(self, front_end: FrontEnd, normalizer: FittedNormalizer, resample: int | None) -> None:
        self._levels, self._normalized = front_end.stream(resample=resample), normalizer.stream()
        self.latency = self._levels.latency

    def add(self, samples: NDArray[np.floating[Any]]) -> NDArray[Any]:
        """Return the normalized frames `(band, frame)` that these samples complete; see `FrontEnd.stream`."""
        return self._normalized.add(self._levels.add(samples))

    def flush(self) -> NDArray[Any]:
        """End the waveform, and return the frames that its end completes."""
        level = self._levels.flush()
        rest = self._normalized.add(level)
        return np.concatenate([rest, self._normalized.flush(level[..., :0])], axis=-1)
