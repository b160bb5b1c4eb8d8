"""A file's samples as its maker stored them, or an `AudioError` that says why not.

libsndfile answers many damaged files with fewer samples and no error, so what a header promises is compared with
what came out. Files are opened by descriptor: any legal file name works, and a pipe or device is refused unread.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from specnorm.errors import AudioError, BadAudioReason

SAMPLE_RATES = (100, 1_000_000)
"""The rates (Hz) that audio can plausibly have; a header outside lies."""
MAX_PEAK = 8.0
"""Full scale is 1; float files may exceed it, but 18 dB above it they were meant for another scale."""
_BLOCK = 1 << 20
_STREAMED = {0, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFF000, 0xFFFFF000}
_DATA_SIZE = re.compile(r"^\s*(?:data|SSND)\s*:\s*(\d+) \(should be (\d+)\)", re.MULTILINE)


def decode(path: Path) -> tuple[NDArray[np.float32], int]:
    """Samples `(sample, channel)` as float32 and the sample rate in Hz.

    Raises:
        AudioError: with a reason of the closed vocabulary, when the file is missing, unreadable, empty, truncated,
            lies in its header, or holds samples that are not finite or far beyond full scale.
    """
    descriptor = _open(path)
    try:
        samples, sample_rate = _decode_descriptor(descriptor)
    finally:
        os.close(descriptor)
    peak = max(float(samples.max()), -float(samples.min()))  # NaN if any sample is
    if not np.isfinite(peak):
        raise AudioError(BadAudioReason.NOT_FINITE, "it holds NaN or infinite samples")
    if peak > MAX_PEAK:
        raise AudioError(
            BadAudioReason.OUT_OF_RANGE,
            f"its peak is {peak:.6g}, but float audio lies in [-1, 1] (at most {MAX_PEAK:g}); rescale the file",
        )
    return samples, sample_rate


def _open(path: Path) -> int:
    """A descriptor of a regular, non-empty file."""
    try:
        # Without O_NONBLOCK, opening a FIFO would wait for ever for somebody to write to it.
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


def _decode_descriptor(descriptor: int) -> tuple[NDArray[np.float32], int]:
    ends_early = _ogg_ends_early(descriptor)
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        with soundfile.SoundFile(descriptor, closefd=False) as sound:
            _check_header(sound)
            samples = _read_all(sound)
            promised, sample_rate, log = sound.frames, sound.samplerate, sound.extra_info
    except (soundfile.LibsndfileError, RuntimeError, TypeError, ValueError) as error:
        text = str(error).rsplit(": ", 1)[-1].strip() or type(error).__name__
        raise AudioError(BadAudioReason.UNREADABLE, f"libsndfile cannot read it ({text})") from None
    if ends_early or samples.shape[0] < promised or _data_cut_off(log):
        raise AudioError(BadAudioReason.TRUNCATED, f"it ends early, after {samples.shape[0]} samples")
    if samples.size == 0:
        raise AudioError(BadAudioReason.EMPTY, "it holds a header but no samples")
    return samples, sample_rate


def _check_header(sound: soundfile.SoundFile) -> None:
    low, high = SAMPLE_RATES
    if not low <= sound.samplerate <= high:
        raise AudioError(
            BadAudioReason.HEADER_LIES, f"its header claims {sound.samplerate} Hz, outside {low} … {high} Hz"
        )


def _read_all(sound: soundfile.SoundFile) -> NDArray[np.float32]:
    """All samples; memory grows with what is really there, never with what the header claims."""
    if 0 <= sound.frames <= _BLOCK:
        return np.asarray(sound.read(dtype="float32", always_2d=True))
    blocks = []
    while len(block := sound.read(_BLOCK, dtype="float32", always_2d=True)):
        blocks.append(block)
    return np.concatenate(blocks) if blocks else np.empty((0, sound.channels), np.float32)


def _data_cut_off(log: str) -> bool:
    """Whether libsndfile's log says that a WAV or AIFF data chunk promises more bytes than the file has.

    Programs that write to a pipe cannot go back to fill the size in and leave 0 or the largest number there: such
    files are whole.
    """
    found = _DATA_SIZE.search(log)
    return found is not None and int(found[1]) > int(found[2]) and int(found[1]) not in _STREAMED


def _ogg_ends_early(descriptor: int) -> bool:
    """Whether this is an Ogg file whose last page is cut off or not marked as the end of its stream (RFC 3533)."""
    if os.read(descriptor, 4) != b"OggS":
        return False
    size = os.fstat(descriptor).st_size
    os.lseek(descriptor, max(0, size - 0x11000), os.SEEK_SET)  # a page is at most 65307 bytes long
    tail = os.read(descriptor, 0x11000)
    page = tail.rfind(b"OggS")
    if page < 0 or len(tail) < page + 27:
        return True
    segments = tail[page + 26]
    body = page + 27 + segments
    return not tail[page + 5] & 4 or len(tail) < body + sum(tail[page + 27 : body])
