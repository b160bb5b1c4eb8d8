"""Reader of the plainest kind of WAV files without libsndfile, which takes four times as long for equal samples.

Such files have a header of 44 bytes (RIFF, 16 bits, PCM), samples up to the end of the file, and sizes that agree with
each other and with the file. Everything else, and every judgement of a fault, is left to libsndfile.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio.decoding.opened_sounds import SAMPLE_RATES
from spectronorm.audio.places.reference import Span
from spectronorm.kernels.buffers import SAMPLES, Scratch
from spectronorm.kernels.jit import kernel

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
PLAIN_BITS = 16
"""Bits of their samples."""
_MOST_CHANNELS = 64
_BLOCK = 1 << 17
_RAW = Scratch()


@dataclass(frozen=True)
class PlainWav:
    """Content of the header of such a file."""

    channels: int
    sample_rate: int
    stored: int

    def bytes_of(self, span: Span) -> tuple[int, int]:
        """Offset of a section in the bytes of the samples, and its length; 0 for a section that cannot be."""
        if span.problem is not None:
            return 0, 0
        frame, whole = 2 * self.channels, self.stored // (2 * self.channels)
        start, stop = span.rounded(self.sample_rate)
        return frame * start, frame * ((whole if stop is None else stop) - start)


def plain_wav(descriptor: int) -> PlainWav | None:
    """Return the header of an open file; None if it is another kind of file."""
    header = os.pread(descriptor, _HEADER.size, 0) if hasattr(os, "preadv") else b""
    if len(header) < _HEADER.size or header[:4] != b"RIFF":
        return None
    size = os.fstat(descriptor).st_size
    _, rest, wave, fmt, length, tag, channels, rate, in_second, in_frame, bits, data, stored = _HEADER.unpack(header)
    plain = (
        (wave, fmt, data) == (b"WAVE", b"fmt ", b"data")
        and (length, tag, bits) == (16, 1, PLAIN_BITS)
        and 1 <= channels <= _MOST_CHANNELS
        and SAMPLE_RATES[0] <= rate <= SAMPLE_RATES[1]
        and (in_frame, in_second) == (2 * channels, 2 * channels * rate)
        and (rest, stored) == (size - 8, size - _HEADER.size)
        and stored > 0
        and stored % in_frame == 0
    )
    return PlainWav(channels, rate, stored) if plain else None


def read_plain_wav(
    descriptor: int, span: Span | None = None, header: PlainWav | None = None
) -> tuple[NDArray[np.float32], int] | None:
    """Return samples `(sample, channel)` equal to libsndfile's, and the rate in Hz; None for another kind of file.

    With a `span`, only that section is read; None if the file does not have all of it. A `header` that is known is not
    read again. The samples are in memory that
    this thread reuses for the next file.
    """
    found = plain_wav(descriptor) if header is None else header
    if found is None:
        return None
    begin, stored = (0, found.stored) if span is None else found.bytes_of(span)
    if not 0 < stored <= found.stored - begin:
        return None
    samples, raw = SAMPLES.floats(stored // 2), _RAW.bytes(_BLOCK)
    for start in range(0, stored, _BLOCK):
        wanted = min(_BLOCK, stored - start)
        if os.preadv(descriptor, [raw[:wanted].data], _HEADER.size + begin + start) != wanted:
            return None
        _scale(raw[:wanted].view("<i2"), samples[start // 2 : (start + wanted) // 2])
    return samples.reshape(-1, found.channels), found.sample_rate


def _scale_by_numpy(integers: NDArray[np.int16], out: NDArray[np.float32]) -> None:
    np.multiply(integers, np.float32(1.0 / 32768.0), out=out, dtype=np.float32, casting="unsafe")


@kernel(_scale_by_numpy, cache=True, nogil=True)
def _scale(integers: NDArray[np.int16], out: NDArray[np.float32]) -> None:
    """Scale 16-bit integers to [-1, 1), which is exact."""
    step = np.float32(1.0 / 32768.0)
    for i in range(integers.size):
        out[i] = np.float32(integers[i]) * step
