"""Samples of a file as stored, or an `AudioError` with the reason why they cannot be used.

libsndfile answers many damaged files with fewer samples and no error, so the length that a header claims is compared
with the sound that is present. Files are opened by descriptor: any legal file name works, and a pipe or device is
refused unread.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from spectronorm.audio.decoding.truncation import ends_early, ogg_ends_early
from spectronorm.errors import AudioError, BadAudioReason
from spectronorm.kernels.buffers import MEMORY_BYTES

SAMPLE_RATES = (100, 1_000_000)
"""Range of plausible sample rates (Hz); a header with a rate outside is wrong."""
MAX_PEAK = 8.0
"""Full scale is 1; float files may exceed it, but values 18 dB above it were meant for another scale."""
NEEDS_PATH = frozenset({".sd2"})
"""Sound Designer II keeps its header in a resource fork, a second file."""
FREE_BYTES = 1 << 26
MAX_EXPANSION = 2048
"""Largest number of decoded bytes for each stored byte beyond the first 64 MB; FLAC reaches 1400 on digital silence."""
_BLOCK = 1 << 20


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


def decode_descriptor(
    descriptor: int,
    *,
    into: NDArray[np.float32] | None = None,
    path: Path | None = None,
    memory: Callable[[int], NDArray[np.float32]] | None = None,
) -> tuple[NDArray[np.float32], int]:
    """Decode all samples of a file as float32; the caller calls `check_samples`.

    With `into`, the samples are written there, and must fit. With `memory`, a function that returns room for a given
    number of samples, the samples of a file of at most `MEMORY_BYTES` are written there, and the result is a view of
    it. With `path`, the file is opened again by that name, for formats that need a second file next to it (see
    `NEEDS_PATH`).

    Raises:
        AudioError: with a reason of the closed vocabulary, if the file is unreadable, empty or damaged, if its header
            is wrong, or if it claims far more samples than its bytes can justify.
    """
    early = ogg_ends_early(descriptor)
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        with soundfile.SoundFile(descriptor if path is None else path, closefd=False) as sound:
            _check_header(sound)
            justified = max(FREE_BYTES, os.fstat(descriptor).st_size * MAX_EXPANSION)
            if memory is not None and 0 < (count := sound.frames * sound.channels) <= MEMORY_BYTES // 4:
                into = memory(count)
            samples = _read_all(sound, justified, into)
            sample_rate = sound.samplerate
            early = early or samples.shape[0] < sound.frames or ends_early(descriptor, sound)
    except (soundfile.LibsndfileError, RuntimeError, TypeError, ValueError) as error:
        raise _unreadable(error) from None
    except MemoryError:
        raise AudioError(BadAudioReason.TOO_LARGE, "its samples do not fit into memory") from None
    _check_end(samples.shape[0], early=early)
    return samples, sample_rate


def decode_blocks(descriptor: int) -> Iterator[NDArray[np.float32]]:
    """The samples of `decode_descriptor` in blocks `(sample, channel)`, each valid until the next; the same errors.

    What only the end of a file can tell (that it is truncated, say) is raised after the last block.
    """
    early = ogg_ends_early(descriptor)
    os.lseek(descriptor, 0, os.SEEK_SET)
    read = 0
    try:
        with soundfile.SoundFile(descriptor, closefd=False) as sound:
            _check_header(sound)
            justified = max(FREE_BYTES, os.fstat(descriptor).st_size * MAX_EXPANSION)
            buffer = np.empty((max(1, _BLOCK // sound.channels), sound.channels), np.float32)
            while read != sound.frames and len(block := sound.read(out=buffer)):
                read += len(block)
                if 4 * sound.channels * read > justified:
                    raise _too_large(justified)
                yield block
            early = early or read < sound.frames or ends_early(descriptor, sound)
    except (soundfile.LibsndfileError, RuntimeError, TypeError, ValueError) as error:
        raise _unreadable(error) from None
    _check_end(read, early=early)


def header_of(descriptor: int) -> tuple[int, int, int]:
    """Return sample rate (Hz), channels and samples from a file's header; zeros if libsndfile cannot read it."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        with soundfile.SoundFile(descriptor, closefd=False) as sound:
            return sound.samplerate, sound.channels, sound.frames
    except (soundfile.LibsndfileError, RuntimeError, TypeError, ValueError):
        return 0, 0, 0


def _unreadable(error: Exception) -> AudioError:
    text = str(error).rsplit(": ", 1)[-1].strip() or type(error).__name__
    return AudioError(BadAudioReason.UNREADABLE, f"libsndfile cannot read it ({text})")


def _check_end(read: int, *, early: bool) -> None:
    if early:
        raise AudioError(BadAudioReason.TRUNCATED, f"it ends early, after {read} samples")
    if read == 0:
        raise AudioError(BadAudioReason.EMPTY, "it holds a header but no samples")


def _check_header(sound: soundfile.SoundFile) -> None:
    low, high = SAMPLE_RATES
    if not low <= sound.samplerate <= high:
        raise AudioError(
            BadAudioReason.HEADER_LIES, f"its header claims {sound.samplerate} Hz, outside {low} … {high} Hz"
        )


def _read_all(sound: soundfile.SoundFile, most: int, into: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """All samples; memory grows with what is really there, never with what the header claims.

    Grows by a quarter at a time, in place where the system can, so that no more than twice the samples is ever held.
    """
    block, frame_bytes = max(1, _BLOCK // sound.channels), 4 * sound.channels
    if into is None:
        samples = np.empty((min(sound.frames, block) if sound.frames > 0 else block, sound.channels), np.float32)
    else:
        samples = into[: into.size // sound.channels * sound.channels].reshape(-1, sound.channels)
    filled = 0
    # libsndfile gives no more than it says there is: to ask once more would cost a seek, which Ogg takes long for.
    while filled != sound.frames and (read := len(sound.read(out=samples[filled : filled + block]))):
        filled += read
        if filled * frame_bytes > most:
            raise _too_large(most)
        if filled == len(samples) and filled != sound.frames:
            if into is not None:
                raise _too_large(into.nbytes)
            samples.resize((filled + max(block, filled // 4), sound.channels), refcheck=False)
    if into is not None:
        return samples[:filled]
    samples.resize((filled, sound.channels), refcheck=False)
    return samples


def _too_large(most: int) -> AudioError:
    detail = f"it decodes to more than {most} bytes, which is beyond the limit or what its size can justify"
    return AudioError(BadAudioReason.TOO_LARGE, detail)
