"""Samples of a file as stored, or an `AudioError` with the reason why they cannot be used.

libsndfile answers many damaged files with fewer samples and no error, so the length that a header claims is compared
with the sound that is present. Containers that it does not know are decoded by FFmpeg's libraries (extra `av`).
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
import soundfile
from numpy.typing import NDArray

from spectronorm.audio.decoding.av_sound import UNKNOWN_FRAMES, AvSound, load_av
from spectronorm.audio.decoding.bit_depth import bits_of
from spectronorm.audio.decoding.containers.container import look
from spectronorm.audio.decoding.containers.foreign import Foreign, needs_ffmpeg, unsupported
from spectronorm.audio.decoding.containers.found import Found
from spectronorm.audio.decoding.containers.log import claimed_frames
from spectronorm.audio.decoding.containers.view import FileBytes, View
from spectronorm.audio.decoding.memory_file import fill, unnamed_file
from spectronorm.errors import AudioError, BadAudioReason
from spectronorm.full_scale import MAX_PEAK
from spectronorm.kernels.buffers import MEMORY_BYTES

SAMPLE_RATES = (100, 1_000_000)
"""Range of plausible sample rates (Hz); a header with a rate outside is wrong."""
NEEDS_PATH = frozenset({".sd2"})
"""Sound Designer II keeps its header in a resource fork, a second file."""
FREE_BYTES = 1 << 26
MAX_EXPANSION = 2048
"""Largest number of decoded bytes for each stored byte beyond the first 64 MB; FLAC reaches 1400 on digital silence."""
_BLOCK = 1 << 20
_UNKNOWN_ENCODINGS = frozenset({1, 4})
"""Codes of libsndfile's errors for a format (SF_ERR_UNRECOGNISED_FORMAT) or encoding that it does not know."""
_STREAMED_SAMPLES = 1 << 18
"""Number of samples of all channels in a block of `DecodedBlocks`: 1 MB."""
LIBSNDFILE_ERRORS = (soundfile.LibsndfileError, RuntimeError, TypeError, ValueError)


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


class _Forward(soundfile.SoundFile):  # type: ignore[misc]
    """A file that is read from its beginning to its end.

    soundfile would seek to where each read should have ended: behind a short read, sound would come a second time.
    """

    def seekable(self) -> bool:
        """It never seeks."""
        return False


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
    room = _Room(max(FREE_BYTES, os.fstat(descriptor).st_size * MAX_EXPANSION), into, memory)
    missing, sample_rate, bits = found.missing, 0, 0
    try:
        for sound in opened_sounds(descriptor, found, path):
            before, sample_rate, bits = room.filled, sound.samplerate, bits_of(sound.subtype)
            room.read_all(sound)
            missing += seconds_missing(sound, room.filled - before, found)
        samples = room.result()
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
        justified = max(FREE_BYTES, os.fstat(self._descriptor).st_size * MAX_EXPANSION)
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
    with _Forward(io.BytesIO(header + bytes(4))):
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


def _sound(descriptor: int, found: Found, view: View, path: Path | None) -> soundfile.SoundFile | AvSound:
    """Open a view: by libsndfile, or by FFmpeg where libsndfile does not know the container or the encoding."""
    if found.foreign is not None:
        return AvSound(descriptor, found.foreign)
    try:
        return _Forward(view.open(descriptor) if path is None else path, closefd=False)
    except soundfile.LibsndfileError as error:
        file = FileBytes(descriptor)
        unknown = path is None and (error.code in _UNKNOWN_ENCODINGS or needs_ffmpeg(file))
        other = unsupported(file) if unknown and found.views == (View(),) else None
        if other is None:
            raise
        return AvSound(descriptor, other)


def opened_sounds(descriptor: int, found: Found, path: Path | None) -> Iterator[soundfile.SoundFile | AvSound]:
    """Each view of the file, opened; raises `AudioError` when they differ in rate or channels."""
    first: tuple[int, int] | None = None
    for view in found.views:
        with _sound(descriptor, found, view, path) as sound:
            _check_header(sound)
            this = sound.samplerate, sound.channels
            if first is not None and this != first:
                raise AudioError(
                    BadAudioReason.HEADER_LIES,
                    f"it is several sounds in one, of {first[0]} and {this[0]} Hz, "
                    f"{first[1]} and {this[1]} channels; take them apart",
                )
            first = this
            yield sound


def seconds_missing(sound: soundfile.SoundFile | AvSound, read: int, found: Found) -> float:
    """The seconds that a file claims beyond the `read` samples; raises `AudioError` when it claims too few."""
    claimed = sound.frames if sound.frames < UNKNOWN_FRAMES else read
    if found.frames is not None:
        claimed = found.frames
    if not found.examined:
        said = claimed_frames(sound.extra_info, sound.format, claimed)
        claimed = max(claimed, said)
        if said < read:
            raise AudioError(
                BadAudioReason.HEADER_LIES,
                "its header claims fewer samples than are there, and something else may follow them",
            )
    return float(max(0, claimed - read) / sound.samplerate)


def unreadable(error: Exception) -> AudioError:
    """The error for a fault that libsndfile reports."""
    text = str(error).rsplit(": ", 1)[-1].strip() or type(error).__name__
    return AudioError(BadAudioReason.UNREADABLE, f"libsndfile cannot read it ({text})")


def _check_not_empty(read: int, missing: float) -> None:
    if read == 0 and missing > 0:
        raise AudioError(BadAudioReason.TRUNCATED, f"it ends behind its header: {missing:.4g} s are missing")
    if read == 0:
        raise AudioError(BadAudioReason.EMPTY, "it holds a header but no samples")


def _check_header(sound: soundfile.SoundFile | AvSound) -> None:
    low, high = SAMPLE_RATES
    if not low <= sound.samplerate <= high:
        raise AudioError(
            BadAudioReason.HEADER_LIES, f"its header claims {sound.samplerate} Hz, outside {low} … {high} Hz"
        )


class _Room:
    """Memory for all samples: it grows with what is really there, never with what a header claims.

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


def too_large(most: int) -> AudioError:
    """The error for a file that decodes to more bytes than it may."""
    detail = f"it decodes to more than {most} bytes, which is beyond the limit or what its size can justify"
    return AudioError(BadAudioReason.TOO_LARGE, detail)
