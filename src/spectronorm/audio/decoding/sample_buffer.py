"""Memory for the samples of a file, of which no more is taken than the file's bytes can justify."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import soundfile
from numpy.typing import NDArray

from spectronorm.audio.decoding.av_sound import AvSound
from spectronorm.errors import AudioError, BadAudioReason
from spectronorm.kernels.buffers import MEMORY_BYTES

_FREE_BYTES = 1 << 26
_MAX_EXPANSION = 2048
"""Largest number of decoded bytes for each stored byte beyond the first 64 MB; FLAC reaches 1400 on digital silence."""
_BLOCK = 1 << 20


def most_bytes(descriptor: int) -> int:
    """Return the largest number of bytes of samples that a file's size can justify."""
    return max(_FREE_BYTES, os.fstat(descriptor).st_size * _MAX_EXPANSION)


def too_large(most: int) -> AudioError:
    """The error for a file that decodes to more bytes than it may."""
    detail = f"it decodes to more than {most} bytes, which is beyond the limit or what its size can justify"
    return AudioError(BadAudioReason.TOO_LARGE, detail)


class SampleBuffer:
    """Memory for all samples of a file: it grows with what is really there, never with what a header claims.

    Grows by a quarter at a time, in place where the system can, so that no more than twice the samples is ever held.
    """

    def __init__(
        self, most: int, into: NDArray[np.float32] | None, memory: Callable[[int], NDArray[np.float32]] | None
    ) -> None:
        self._most, self._given, self._memory = most, into, memory
        self._samples: NDArray[np.float32] | None = None
        self._fixed = into is not None
        self.filled = 0

    def _begin(self, frames: int, channels: int) -> NDArray[np.float32]:
        given = self._given
        if self._memory is not None and 0 < (count := frames * channels) <= MEMORY_BYTES // 4:
            given = self._memory(count)
        if given is not None:
            return given[: given.size // channels * channels].reshape(-1, channels)
        block = max(1, _BLOCK // channels)
        return np.empty((min(frames, block) if frames > 0 else block, channels), np.float32)

    def read_all(self, sound: soundfile.SoundFile | AvSound) -> None:
        """Read all samples of one more sound."""
        block, frame_bytes = max(1, _BLOCK // sound.channels), 4 * sound.channels
        if self._samples is None:
            self._samples = self._begin(sound.frames, sound.channels)
        begun = self.filled
        # libsndfile gives no more than it says there is: to ask once more would cost time.
        while self.filled - begun != sound.frames:
            if self.filled == len(self._samples):
                self._grow(max(block, self.filled // 4), sound.channels)
            read = len(sound.read(out=self._samples[self.filled : self.filled + block]))
            if not read:
                return
            self.filled += read
            if self.filled * frame_bytes > self._most:
                raise too_large(self._most)

    def _grow(self, more: int, channels: int) -> None:
        if self._fixed or self._samples is None:
            raise too_large(0 if self._given is None else self._given.nbytes)
        if self._samples.base is not None:  # memory that the caller gave
            held = self._samples
            self._samples = np.empty((self.filled + more, channels), np.float32)
            self._samples[: self.filled] = held[: self.filled]
        else:
            self._samples.resize((self.filled + more, channels), refcheck=False)

    def result(self) -> NDArray[np.float32]:
        """The samples that were read."""
        if self._samples is None:
            return np.empty((0, 1), np.float32)
        if self._samples.base is not None:
            return self._samples[: self.filled]
        self._samples.resize((self.filled, self._samples.shape[1]), refcheck=False)
        return self._samples
