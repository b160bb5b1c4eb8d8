"""Front end and normalizer of a waveform that comes in pieces."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from spectronorm.front_end import FrontEnd
from spectronorm.normalize.normalizer import FittedNormalizer, NormalizerStream


class PipelineStream:
    """Normalized frames of one waveform, piece by piece: all of them are the bits of the pipeline's call on the whole.

    Attributes:
        latency: Time in seconds from the middle of a frame to the sample that completes it; a sliding normalizer's
            first `min_length` frames come together.

    Raises:
        ArgumentError: if a frame depends on later samples than its own.
    """

    def __init__(self, front_end: FrontEnd, normalizer: FittedNormalizer, resample: int | None) -> None:
        # A map of the data set is applied while the levels are written.
        self._own: NormalizerStream | None = None
        if normalizer.normalizer.maps_clips:
            self._own, self._levels = normalizer.stream(), front_end.stream(resample=resample)
        else:
            self._levels = front_end.mapped_stream(normalizer.band_map, resample)
        self.latency = self._levels.latency

    def add(self, samples: NDArray[np.floating[Any]]) -> NDArray[Any]:
        """Return the normalized frames `(band, frame)` that these samples complete; see `FrontEnd.stream`."""
        level = self._levels.add(samples)
        return level if self._own is None else self._own.add(level)

    def __copy__(self) -> Self:
        """Return a stream that continues from here by itself."""
        return deepcopy(self)

    def flush(self) -> NDArray[Any]:
        """End the waveform, and return the frames that its end completes."""
        level = self._levels.flush()
        if self._own is None:
            return level
        return np.concatenate([self._own.add(level), self._own.flush(level[..., :0])], axis=-1)
