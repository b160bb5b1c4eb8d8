"""Samples of a file as stored, or an `AudioError` with the reason why they cannot be used.

Files are opened by descriptor: any legal file name works, and a pipe or device is refused unread.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio.decoding.av_sound import AvSound, load_av
from spectronorm.audio.decoding.bit_depth import bits_of
from spectronorm.audio.decoding.containers.container import look
from spectronorm.audio.decoding.containers.foreign import Foreign
from spectronorm.audio.decoding.containers.found import Found
from spectronorm.audio.decoding.memory_file import fill, unnamed_file
from spectronorm.audio.decoding.opened_sounds import (
    LIBSNDFILE_ERRORS,
    Forward,
    opened_sounds,
    seconds_missing,
    unreadable,
)
from spectronorm.audio.decoding.sample_buffer import SampleBuffer, most_bytes, too_large
from spectronorm.errors import AudioError, BadAudioReason
from spectronorm.full_scale import MAX_PEAK

NEEDS_PATH = frozenset({".sd2"})
"""Sound Designer II keeps its header in a resource fork, a second file."""
_STREAMED_SAMPLES = 1 << 18
"""Number of samples of all channels in a block of `DecodedBlocks`: 1 MB."""


@dataclass(frozen=True, eq=False)
class DecodedFile:
    """Samples `(sample, channel)` at a rate in Hz.

    Attributes:
        missing: Seconds of sound that the file claims and that are not there; `check_whole` raises the error.
        note: Description of an oddity of a file whose sound was all read; empty for most.
        bits: Bits of a stored sample; 0 if its encoding has none.
    """

    samples: NDArray[np.float32]
    sample_rate: int
    missing: float = 0.0
    note: str = ""
    bits: int = 0


def check_samples(samples: NDArray[np.float32]) -> None:
    """Check that every sample is finite and within reach of full scale.

    Raises:
        AudioError: if one is not.
    """
    peak = max(-float(samples.min()), float(samples.max()))
    if not np.isfinite(peak):
        raise AudioError(BadAudioReason.NOT_FINITE, "it holds NaN or infinite samples")
    if peak > MAX_PEAK:
        raise AudioError(
            BadAudioReason.OUT_OF_RANGE,
            f"its peak is {peak:.6g}, but float audio lies in [-1, 1] (at most {MAX_PEAK:g}); rescale the file",
        )


def open_regular(path: str | Path) -> int:
    """Open a descriptor of a regular, non-empty file, without waiting for any other kind of file.

    Raises:
        AudioError: if it is another kind of file, or empty.
    """
    try:
        # Without O_NONBLOCK, opening a FIFO would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise AudioError(BadAudioReason.MISSING, "there is no such file") from None
    except (OSError, ValueError) as error:
        raise AudioError(BadAudioReason.UNREADABLE, f"it cannot be opened ({error})") from None
    status = os.fstat(descriptor)
    problem = None
    if not stat.S_ISREG(status.st_mode):
        problem = AudioError(BadAudioReason.UNREADABLE, "it is not a regular file")
    elif status.st_size == 0:
        problem = AudioError(BadAudioReason.EMPTY, "it holds 0 bytes")
    if problem is not None:
        os.close(descriptor)
        raise problem
    return descriptor


def check_whole(read: int, missing: float, tolerated: float) -> None:
    """Raise `AudioError` when more than `tolerated` seconds are missing behind `read` samples."""
    if missing > tolerated + 1e-9:
        raise AudioError(BadAudioReason.TRUNCATED, f"it ends early, after {read} samples: {missing:.4g} s are missing")


def decode_descriptor(
    descriptor: int,
    *,
    into: NDArray[np.float32] | None = None,
    path: Path | None = None,
    memory: Callable[[int], NDArray[np.float32]] | None = None,
) -> DecodedFile:
    """All samples of a file as float32; `check_samples` and `check_whole` are for the caller to do.

    With `into`, the samples are written there, and must fit. With `memory`, a function that returns room for a given
    number of samples, the samples of a file of at most `MEMORY_BYTES` are written there, and the result is a view of
    it. With `path`, the file is opened again by that name, for formats that need a second file next to it (see
    `NEEDS_PATH`).

    Raises:
        AudioError: with a reason of the closed vocabulary, if the file is unreadable, empty or damaged, if its header
            is wrong, or if it claims far more samples than its bytes can justify.
    """
    found = Found(examined=False) if path is not None else look(descriptor)
    buffer = SampleBuffer(most_bytes(descriptor), into, memory)
    missing, sample_rate, bits = found.missing, 0, 0
    try:
        for sound in opened_sounds(descriptor, found, path):
            before, sample_rate, bits = buffer.filled, sound.samplerate, bits_of(sound.subtype)
            buffer.read_all(sound)
            missing += seconds_missing(sound, buffer.filled - before, found)
        samples = buffer.result()
    except LIBSNDFILE_ERRORS as error:
        raise unreadable(error) from None
    except MemoryError:
        raise AudioError(BadAudioReason.TOO_LARGE, "its samples do not fit into memory") from None
    _check_not_empty(len(samples), missing)
    return DecodedFile(samples, sample_rate, missing, found.note, bits)


class DecodedBlocks:
    """The samples of `decode_descriptor` in blocks `(sample, channel)`, each valid until the next; the same errors.

    `found` is the result of `look`, if it is known.

    Attributes:
        missing, note: As in `DecodedFile`; known after a whole iteration.
        sample_rate: In Hz; known with the first block, as `bits` are.
        bits: As in `DecodedFile`.
    """

    def __init__(self, descriptor: int, found: Found | None = None) -> None:
        self._descriptor, self._found = descriptor, found
        self.missing, self.note, self.sample_rate, self.bits = 0.0, "", 0, 0

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """The blocks; an error that only the end of a file can tell is raised after the last one."""
        found = self._found or look(self._descriptor)
        self.missing, self.note = found.missing, found.note
        justified = most_bytes(self._descriptor)
        total, buffer = 0, None
        try:
            for sound in opened_sounds(self._descriptor, found, None):
                read, self.sample_rate, self.bits = 0, sound.samplerate, bits_of(sound.subtype)
                if buffer is None:
                    buffer = np.empty((max(1, _STREAMED_SAMPLES // sound.channels), sound.channels), np.float32)
                while read != sound.frames and len(block := sound.read(out=buffer)):
                    read += len(block)
                    total += len(block)
                    if 4 * sound.channels * total > justified:
                        raise too_large(justified)
                    yield block
                self.missing += seconds_missing(sound, read, found)
        except LIBSNDFILE_ERRORS as error:
            raise unreadable(error) from None
        _check_not_empty(total, self.missing)


def prepare_confined(*, ffmpeg: bool) -> None:
    """Load what is loaded on first use, since a confined process can open no file, and get no memory for callbacks."""
    header = b"RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\4\0\0\0"
    with Forward(io.BytesIO(header + bytes(4))):
        pass
    if not ffmpeg or load_av() is None:
        return
    descriptor = unnamed_file()
    try:
        fill(descriptor, header + bytes(4))
        with AvSound(descriptor, Foreign("WAV", "wav")) as sound:
            sound.read(out=np.empty((4, 1), np.float32))
    finally:
        os.close(descriptor)


def header_of(descriptor: int) -> tuple[int, int, int]:
    """Sample rate (Hz), channels and samples that a file's header claims; zeros when libsndfile cannot read it."""
    rate, channels, frames = 0, 0, 0
    try:
        for sound in opened_sounds(descriptor, look(descriptor), None):
            claimed = sound.estimated_frames if isinstance(sound, AvSound) else sound.frames
            rate, channels, frames = sound.samplerate, sound.channels, frames + claimed
    except (*LIBSNDFILE_ERRORS, AudioError):
        return 0, 0, 0
    return rate, channels, frames


def _check_not_empty(read: int, missing: float) -> None:
    if read == 0 and missing > 0:
        raise AudioError(BadAudioReason.TRUNCATED, f"it ends right after its header: {missing:.4g} s are missing")
    if read == 0:
        raise AudioError(BadAudioReason.EMPTY, "it holds a header but no samples")
