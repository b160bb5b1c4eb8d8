"""Samples of one unchanging state of each file, decoded in this process or in confined ones."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio.decoding.content import (
    ATTEMPTS,
    Unpack,
    always_changing,
    content_digest,
    content_state,
    open_content,
    stamp_of_error,
    stamp_of_piece,
)
from spectronorm.audio.decoding.decode import NEEDS_PATH, DecodedFile, decode_descriptor
from spectronorm.audio.decoding.fork_server import Limits
from spectronorm.audio.decoding.plain_wav import PLAIN_BITS, plain_wav, read_plain_wav
from spectronorm.audio.decoding.recording import cut
from spectronorm.audio.decoding.recordings import RECORDINGS, OpenRecording, digest_for, number_of
from spectronorm.audio.decoding.sandbox import Asked, decode_untrusted
from spectronorm.audio.decoding.unpacker import unpack_untrusted
from spectronorm.audio.decoding.worker import MOST_FILES
from spectronorm.audio.places.bytes_of import pieces_of
from spectronorm.audio.places.reference import ClipReference, Span
from spectronorm.errors import AudioError, BadAudioReason
from spectronorm.kernels.buffers import SAMPLES

_MOST_STORED = 1 << 23
"""Largest number of bytes of archive members held at once."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """Samples `(sample, channel)` at a rate in Hz.

    `borrowed`: the buffer is reused by this thread's next read. `of_integers`: decoded from integers, so no range check
    is needed.
    """

    samples: NDArray[np.float32]
    sample_rate: int
    borrowed: bool
    of_integers: bool = False
    missing: float = 0.0
    note: str = ""
    bits: int = 0


DecodedOrError = Decoded | AudioError


def decode_each(
    clips: Sequence[ClipReference], limits: Limits | None, *, with_stamp: bool
) -> Generator[tuple[bytes, DecodedOrError]]:
    """Yield stamp and samples of one unchanging state of each file."""
    if limits is None:
        for clip in clips:
            yield _attempt_here(clip, with_stamp=with_stamp) or _decode_again(clip, limits, with_stamp=with_stamp)
        return
    for some in _batches(clips):
        with closing(_attempt(some, limits, with_stamp=with_stamp)) as attempted:
            for clip, found in zip(some, attempted, strict=True):
                yield found or _decode_again(clip, limits, with_stamp=with_stamp)


def _decode_again(clip: ClipReference, limits: Limits | None, *, with_stamp: bool) -> tuple[bytes, DecodedOrError]:
    """Decode a clip that changed while it was read."""
    for _ in range(ATTEMPTS - 1):
        if limits is None:
            found = _attempt_here(clip, with_stamp=with_stamp)
        else:
            (found,) = _attempt([clip], limits, with_stamp=with_stamp)
        if found is not None:
            return found
    changing = always_changing()
    return stamp_of_error(changing), changing


def _attempt(
    clips: Sequence[ClipReference], limits: Limits, *, with_stamp: bool
) -> Generator[tuple[bytes, DecodedOrError] | None]:
    """Yield the result of `_attempt_here` for each file, decoded within limits."""
    with ExitStack() as stack:
        recordings: dict[object, _Opened] = {}
        unpack = unpacking(limits)
        opened = [_open(clip, stack, recordings, unpack, with_stamp=with_stamp) for clip in clips]
        files = [one for one in opened if not isinstance(one, AudioError)]
        decoded = stack.enter_context(closing(_decoded_within(limits, files)))
        for one in opened:
            if isinstance(one, AudioError):
                yield _not_opened(one)
            else:
                result = next(decoded)
                yield (one.stamp, result) if content_state(one.descriptor) == one.state else None


def _attempt_here(clip: ClipReference, *, with_stamp: bool) -> tuple[bytes, DecodedOrError] | None:
    """Return stamp and samples of a file; None if the file changed meanwhile."""
    if clip.span is not None and not _needs_path(clip):
        return _attempt_piece(clip, clip.span, with_stamp=with_stamp)
    try:
        with open_content(clip) as descriptor:
            state = content_state(descriptor)
            stamp = stamp_of_piece(content_digest(descriptor), clip) if with_stamp else b""
            decoded = _decoded_here(clip, descriptor)
            return (stamp, decoded) if content_state(descriptor) == state else None
    except AudioError as error:  # The file could not be opened.
        return _not_opened(error)


def _attempt_piece(clip: ClipReference, span: Span, *, with_stamp: bool) -> tuple[bytes, DecodedOrError] | None:
    """Return the result of `_attempt_here` for a section of a recording, which stays open for its next one."""
    try:
        with RECORDINGS.open(clip) as opened:
            stamp = opened.stamp(clip) if with_stamp else b""
            decoded = _section(opened, span)
            return (stamp, decoded) if opened.is_unchanged else None
    except AudioError as error:
        return _not_opened(error)


def _section(opened: OpenRecording, span: Span) -> DecodedOrError:
    plain = None if opened.plain is None else read_plain_wav(opened.descriptor, span, opened.plain)
    if plain is not None:
        return Decoded(*plain, borrowed=True, of_integers=True, bits=PLAIN_BITS)
    try:
        found = opened.recording.read(span)
    except AudioError as error:
        return error
    return _decoded(found, borrowed=False)


def _decoded(found: DecodedFile, *, borrowed: bool) -> Decoded:
    return Decoded(found.samples, found.sample_rate, borrowed, missing=found.missing, note=found.note, bits=found.bits)


def _not_opened(error: AudioError) -> tuple[bytes, AudioError] | None:
    return None if error.reason is BadAudioReason.CHANGING else (stamp_of_error(error), error)


def _decoded_here(clip: ClipReference, descriptor: int) -> DecodedOrError:
    if (plain := read_plain_wav(descriptor, clip.span)) is not None:
        return Decoded(*plain, borrowed=True, of_integers=True, bits=PLAIN_BITS)
    path = clip.path if _needs_path(clip) else None
    try:
        found = decode_descriptor(descriptor, path=path, memory=SAMPLES.floats)
        found = found if clip.span is None else cut(found, clip.span)
    except AudioError as error:
        return error
    borrowed = found.samples.base is not None
    return _decoded(found, borrowed=borrowed)


def _needs_path(clip: ClipReference) -> bool:
    return clip.part is None and str(clip.location)[-4:].lower() in NEEDS_PATH


def _decoded_within(limits: Limits, opened: Sequence[_Opened]) -> Generator[DecodedOrError]:
    # Plain samples are copied, not decoded, so there is no decoder to confine.
    plain = [_is_plain(one.descriptor, limits, one.span) for one in opened]
    faults = [None if one.span is None else one.span.problem for one in opened]
    sent = [one.asked for one, here, fault in zip(opened, plain, faults, strict=True) if not here and fault is None]
    with closing(decode_untrusted(sent, limits, SAMPLES.floats)) as decoded:
        for one, here, fault in zip(opened, plain, faults, strict=True):
            if fault is not None:
                yield AudioError(BadAudioReason.SPAN, fault)
                continue
            copied = read_plain_wav(one.descriptor, one.span) if here else None
            if copied is not None:
                yield Decoded(*copied, borrowed=True, of_integers=True, bits=PLAIN_BITS)
                continue
            found = next(decode_untrusted([one.asked], limits, SAMPLES.floats) if here else decoded)
            if isinstance(found, AudioError):
                yield found
            else:
                yield _decoded(found, borrowed=True)


def _is_plain(descriptor: int, limits: Limits, span: Span | None) -> bool:
    found = plain_wav(descriptor)
    if found is None:
        return False
    stored = found.stored if span is None else found.bytes_of(span)[1]
    return 2 * stored <= limits.megabytes << 20


@dataclass(frozen=True)
class _Opened:
    """An open clip: `descriptor` is decoded, `state` is the file's state when it was opened.

    `number` is shared by the sections of one unchanged file.
    """

    descriptor: int
    state: tuple[int, ...]
    stamp: bytes
    span: Span | None = None
    number: int = 0

    @property
    def asked(self) -> Asked:
        """The request to a decoding process."""
        return Asked(self.descriptor, self.span, self.number)


def unpacking(limits: Limits | None) -> Unpack:
    """Return the way to unpack members of archives: here, or in a separate process within limits."""
    return pieces_of if limits is None else partial(unpack_untrusted, limits=limits)


def _open(
    clip: ClipReference, stack: ExitStack, recordings: dict[object, _Opened], unpack: Unpack, *, with_stamp: bool
) -> _Opened | AudioError:
    """Open a clip; pieces of one of the `recordings` share its descriptor."""
    file = clip.location, clip.part
    try:
        one = None if clip.span is None else recordings.get(file)
        if one is None:
            descriptor = stack.enter_context(open_content(clip, unpack))
            state = content_state(descriptor)
            digest = digest_for(clip, descriptor, state) if with_stamp else b""
            one = _Opened(descriptor, state, digest, number=number_of(clip, state))
            recordings[file] = one
    except AudioError as error:
        return error
    return replace(one, span=clip.span, stamp=stamp_of_piece(one.stamp, clip) if with_stamp else b"")


def _batches(clips: Sequence[ClipReference]) -> Iterator[Sequence[ClipReference]]:
    """Yield batches of the size that a decoding process takes, limited in the members of archives held in memory."""
    begin, stored = 0, 0
    for end, clip in enumerate(clips):
        size = 0 if clip.part is None else clip.part.size or clip.part.stored or _MOST_STORED
        if end > begin and (end - begin == MOST_FILES or stored + size > _MOST_STORED):
            yield clips[begin:end]
            begin, stored = end, 0
        stored += size
    yield clips[begin:]
