"""Short-time normalization of the waveform: each sample by the mean and deviation of its neighbourhood."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from spectronorm.arrays import Array, SlidingStream, SlidingWindow, set_flags, set_whole_numbers, sliding_affine
from spectronorm.front_end.waveform.streams import WaveformStream
from spectronorm.front_end.waveform.waveform_level import WAVEFORM_LEVELS, WaveformLevel


@WAVEFORM_LEVELS.register("sliding")
@dataclass(frozen=True)
class SlidingStandardizeWaveform(WaveformLevel):
    """Maps `(x - mean) / std` over a window of `length` samples around each sample, or before it with `center=False`.

    See `spectronorm.arrays.sliding.SlidingWindow` for the ends, and `sliding_standardize` for the map that an inverse
    needs. Digital silence within a clip stays zero.

    Raises:
        ArgumentError: unless `1 <= min_length <= length`.

    >>> import numpy as np
    >>> wave = np.repeat([0.1, 1.0], 8000) * np.random.default_rng(0).standard_normal(16_000)
    >>> x = SlidingStandardizeWaveform(length=1600)(wave, 16_000)
    >>> round(float(x[:6000].std()), 1), round(float(x[10_000:].std()), 1)
    (1.0, 1.0)
    """

    length: int = field(default=16_000, metadata={"help": "number of samples in the window"})
    min_length: int = field(default=1, metadata={"help": "samples required at the start, if not centred"})
    center: bool = field(
        default=True, metadata={"help": "centre the window on each sample, instead of ending it there"}
    )

    def __post_init__(self) -> None:
        set_whole_numbers(self, ("length", "min_length"), 1, 1 << 31)
        set_flags(self, ("center",))
        self._window()

    @override
    def __call__(self, wave: Array, sample_rate: int | None = None, valid: Array | None = None) -> Array:
        return sliding_affine(wave, self._window(), valid=valid)(wave)

    @override
    def stream(self) -> WaveformStream:
        return _SlidingSamples(SlidingStream(self._window(), rows=1))

    def _window(self) -> SlidingWindow:
        return SlidingWindow(self.length, self.min_length, self.center)


class _SlidingSamples:
    """Standardized samples of a waveform in pieces."""

    def __init__(self, moments: SlidingStream) -> None:
        self._moments = moments

    def add(self, samples: NDArray[Any]) -> NDArray[np.float64]:
        """Return the samples whose windows are complete, standardized."""
        ready, affine = self._moments.add(samples.astype(np.float64)[None])
        return np.asarray(affine(ready)[0])

    def flush(self) -> NDArray[np.float64]:
        """Return the rest."""
        ready, affine = self._moments.flush()
        return np.asarray(affine(ready)[0])
