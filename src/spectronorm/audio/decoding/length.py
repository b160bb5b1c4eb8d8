"""Length of a file in samples, without decoding it if its header can be trusted for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from spectronorm.audio.decoding.av_sound import UNKNOWN_FRAMES, AvSound
from spectronorm.audio.decoding.containers.container import look
from spectronorm.audio.decoding.content import open_content
from spectronorm.audio.decoding.decode import DecodedBlocks
from spectronorm.audio.decoding.fork_server import Limits
from spectronorm.audio.decoding.opened_sounds import LIBSNDFILE_ERRORS, opened_sounds, unreadable
from spectronorm.audio.decoding.plain_wav import plain_wav
from spectronorm.audio.decoding.sandbox import Asked, decode_untrusted
from spectronorm.audio.decoding.unpacker import unpack_untrusted
from spectronorm.audio.places.bytes_of import pieces_of
from spectronorm.audio.places.reference import ClipReference
from spectronorm.errors import AudioError


@dataclass(frozen=True)
class Length:
    """Number of samples of each channel, and their rate in Hz."""

    samples: int
    sample_rate: int


def length_of(clip: ClipReference, untrusted: Limits | None = None) -> Length:
    """Length of the file that a clip is or is cut from.

    An untrusted file is decoded within limits, unless it is a plain WAV file.

    Raises:
        AudioError: if the file cannot be read.
    """
    unpack = pieces_of if untrusted is None else partial(unpack_untrusted, limits=untrusted)
    with open_content(clip, unpack) as descriptor:
        plain = plain_wav(descriptor)
        if plain is not None:
            return Length(plain.stored // (2 * plain.channels), plain.sample_rate)
        if untrusted is None:
            return _claimed(descriptor) or _counted(descriptor)
        found = next(decode_untrusted([Asked(descriptor)], untrusted))
        if isinstance(found, AudioError):
            raise found
        return Length(len(found.samples), found.sample_rate)


def _claimed(descriptor: int) -> Length | None:
    """The length that a header claims; None if it is unknown or an estimate."""
    found, samples, rate = look(descriptor), 0, 0
    try:
        for sound in opened_sounds(descriptor, found, None):
            if isinstance(sound, AvSound) or sound.frames >= UNKNOWN_FRAMES:
                return None
            samples, rate = samples + sound.frames, sound.samplerate
    except LIBSNDFILE_ERRORS as error:
        raise unreadable(error) from None
    return Length(samples if found.frames is None else found.frames, rate)


def _counted(descriptor: int) -> Length:
    blocks = DecodedBlocks(descriptor)
    return Length(sum(len(block) for block in blocks), blocks.sample_rate)
