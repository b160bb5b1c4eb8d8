"""The sounds of a file, opened one after the other by libsndfile, or by FFmpeg's libraries where that cannot read them.

libsndfile answers many damaged files with fewer samples and no error, so the length that a header claims is compared
with the sound that is present.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import soundfile

from spectronorm.audio.decoding.av_sound import UNKNOWN_FRAMES, AvSound
from spectronorm.audio.decoding.containers.foreign import needs_ffmpeg, unsupported
from spectronorm.audio.decoding.containers.found import Found
from spectronorm.audio.decoding.containers.log import claimed_frames
from spectronorm.audio.decoding.containers.view import FileBytes, View
from spectronorm.errors import AudioError, BadAudioReason

SAMPLE_RATES = (100, 1_000_000)
"""Range of plausible sample rates (Hz); a header with a rate outside is wrong."""
_UNKNOWN_ENCODINGS = frozenset({1, 4})
"""Codes of libsndfile's errors for a format (SF_ERR_UNRECOGNISED_FORMAT) or encoding that it does not know."""
LIBSNDFILE_ERRORS = (soundfile.LibsndfileError, RuntimeError, TypeError, ValueError)


class Forward(soundfile.SoundFile):  # type: ignore[misc]
    """A file that is read from its beginning to its end.

    soundfile would seek to where each read should have ended: behind a short read, sound would come a second time.
    """

    def seekable(self) -> bool:
        """It never seeks."""
        return False


def _sound(descriptor: int, found: Found, view: View, path: Path | None) -> soundfile.SoundFile | AvSound:
    """Open a view: by libsndfile, or by FFmpeg where libsndfile does not know the container or the encoding."""
    if found.foreign is not None:
        return AvSound(descriptor, found.foreign)
    try:
        return Forward(view.open(descriptor) if path is None else path, closefd=False)
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
                    f"{first[1]} and {this[1]} channels; split it",
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


def _check_header(sound: soundfile.SoundFile | AvSound) -> None:
    low, high = SAMPLE_RATES
    if not low <= sound.samplerate <= high:
        raise AudioError(
            BadAudioReason.HEADER_LIES, f"its header claims {sound.samplerate} Hz, outside {low} … {high} Hz"
        )
