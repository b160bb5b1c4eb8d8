"""Resampling of a waveform that comes in pieces."""

from __future__ import annotations

from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from spectronorm.errors import ArgumentError

_QUALITIES = {"soxr_hq": "HQ", "soxr_vhq": "VHQ"}
_Samples = NDArray[np.floating[Any]]


class PieceResampler:
    """Resamples pieces `(channel, sample)` of one waveform by a front end's resampler.

    Args:
        source_rate: Rate of the pieces in Hz.
        target_rate: Rate of the result in Hz.
        resampler: Name of the resampler.

    Raises:
        ArgumentError: if the resampler needs whole clips.
    """

    def __init__(self, source_rate: int, target_rate: int, resampler: str) -> None:
        if resampler not in _QUALITIES:
            raise ArgumentError(
                f"resampler={resampler!r} resamples whole clips, not streams; use {' or '.join(_QUALITIES)}"
            )
        self._rates, self._quality = (source_rate, target_rate), _QUALITIES[resampler]
        self._streams: list[Any] = []

    def add(self, piece: _Samples) -> _Samples:
        """Return the samples at the other rate that are complete, `(channel, sample)` in the dtype of the piece."""
        if not self._streams:
            dtype = piece.dtype.name
            self._streams = [soxr.ResampleStream(*self._rates, 1, dtype=dtype, quality=self._quality) for _ in piece]
        rows = [s.resample_chunk(np.ascontiguousarray(row)) for s, row in zip(self._streams, piece, strict=True)]
        return np.stack(rows).astype(piece.dtype, copy=False)

    def flush(self, like: _Samples) -> _Samples:
        """Return the samples that the end of the waveform completes; `like` is an empty piece."""
        if not self._streams:
            return like
        return np.stack(
            [stream.resample_chunk(row, last=True) for stream, row in zip(self._streams, like, strict=True)]
        )

    def __getstate__(self) -> dict[str, Any]:
        """Return the settings.

        Raises:
            ArgumentError: if a piece has been resampled: SoXR's streams cannot be read.
        """
        if self._streams:
            raise ArgumentError(
                f"a stream that resamples from {self._rates[0]} Hz to {self._rates[1]} Hz cannot be copied or pickled "
                "after its first piece, since SoXR's state cannot be read; resample before the stream, or begin another"
            )
        return self.__dict__
