"""Sounds as they are stored: every channel at the file's own rate, long recordings block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio.channels import own_channel
from spectronorm.audio.decoding.content import ATTEMPTS, always_changing
from spectronorm.audio.decoding.decode import DecodedBlocks, check_samples, check_whole
from spectronorm.audio.decoding.decoded import decode_each
from spectronorm.audio.decoding.recording import Section
from spectronorm.audio.decoding.recordings import RECORDINGS
from spectronorm.audio.long_clip import LONG_SAMPLES, is_large, length_of_span
from spectronorm.audio.places.reference import ClipReference
from spectronorm.audio.read import Reader
from spectronorm.errors import AudioError, BadAudioReason

_Result = TypeVar("_Result")
Work = Callable[[int, Iterable[NDArray[np.float32]]], _Result]
"""A function of the sample rate in Hz and of blocks `(sample, channel)`, each valid until the next."""


def with_native_blocks(reader: Reader, clip: ClipReference, work: Work[_Result]) -> _Result:
    """Return the result of `work` on a clip as it is stored; only long recordings come in more than one block.

    Raises:
        AudioError: if the clip cannot be used, with the reason.
    """
    if reader.untrusted is None and is_large(clip):
        for _ in range(ATTEMPTS):
            try:
                found = _in_blocks(reader, clip, work)
            except AudioError as error:
                if error.reason is not BadAudioReason.CHANGING:
                    raise
            else:
                if found is None:
                    break
                if found[1]:
                    return found[0]
        else:
            raise always_changing()
    ((_, decoded),) = decode_each([clip], reader.untrusted, with_stamp=False)
    if isinstance(decoded, AudioError):
        raise decoded
    check_samples(decoded.samples)
    check_whole(len(decoded.samples), decoded.missing, reader.tolerate_short)
    return work(decoded.sample_rate, [own_channel(decoded.samples, clip.channel)])


def _in_blocks(reader: Reader, clip: ClipReference, work: Work[_Result]) -> tuple[_Result, bool] | None:
    """The result, and true if the file was unchanged meanwhile; None for a clip that is not long."""
    with RECORDINGS.open(clip) as opened:
        rate, channels, frames = opened.header()
        if channels * length_of_span(clip.span, rate, frames) <= LONG_SAMPLES:
            return None
        blocks = DecodedBlocks(opened.descriptor) if clip.span is None else opened.recording.section(clip.span)
        return work(rate, _checked(reader, clip, blocks)), opened.is_unchanged


def _checked(reader: Reader, clip: ClipReference, blocks: DecodedBlocks | Section) -> Iterator[NDArray[np.float32]]:
    count = 0
    for block in blocks:
        check_samples(block)
        count += len(block)
        yield own_channel(block, clip.channel)
    check_whole(count, blocks.missing, reader.tolerate_short)
