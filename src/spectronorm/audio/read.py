"""Reading of a file, a member of an archive or a URL as a mono clip at the requested rate."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio.channels import MEAN, STACK, ChannelPowers, cancel, check_channels, chosen, own_channel
from spectronorm.audio.clip import Clip, Remark, flatness, oddities, skipped, within
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
from spectronorm.audio.decoding.decode import (
    NEEDS_PATH,
    check_samples,
    check_whole,
    decode_descriptor,
    header_of,
)
from spectronorm.audio.decoding.fork_server import Limits
from spectronorm.audio.decoding.plain_wav import plain_wav, read_plain_wav
from spectronorm.audio.decoding.recording import cut
from spectronorm.audio.decoding.recordings import RECORDINGS, OpenRecording, digest_for, number_of, stamp
from spectronorm.audio.decoding.sandbox import Asked, decode_untrusted, header_untrusted, unpack_untrusted
from spectronorm.audio.decoding.worker import MOST_FILES
from spectronorm.audio.duration import check_duration, check_sample_rate
from spectronorm.audio.places.bytes_of import pieces_of
from spectronorm.audio.places.held import IN_MEMORY, HeldBytes
from spectronorm.audio.places.reference import ClipReference, Part, Span
from spectronorm.audio.resample import RESAMPLERS, resample, unknown_resampler
from spectronorm.errors import ArgumentError, AudioError, BadAudioReason
from spectronorm.full_scale import MAX_PEAK
from spectronorm.kernels.buffers import SAMPLES

_MOST_STORED = 1 << 23
"""Largest number of bytes of archive members held at once."""


@dataclass(frozen=True, eq=False)
class _Decoded:
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


_Outcome = _Decoded | AudioError


@dataclass(frozen=True)
class Reader:
    """Settings for reading a source's clips.

    With `untrusted`, files are decoded in separate processes within these limits; plain 16-bit WAV files need no
    decoding and are copied in this process. With `skip_flat`, silent and constant clips count as bad; otherwise they
    are clips like any other, and a profile lists them. `channels` selects from several channels: their `mean`, the
    `first` or another by its index, `each` as a separate clip, or a `stack:N` of all of them, `(channel, sample)`.
    """

    untrusted: Limits | None = None
    skip_flat: bool = False
    channels: str = "mean"
    tolerate_short: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", check_channels(self.channels))
        if not 0 <= self.tolerate_short < float("inf"):
            raise ArgumentError(f"tolerate_short={self.tolerate_short} must be a number of seconds, 0 or more")

    def read(
        self,
        clip: ClipReference | str | Path,
        sample_rate: int,
        *,
        duration: float | None = None,
        resampler: str = "soxr_hq",
    ) -> Clip:
        """Read any clip that libsndfile can decode, as mono float32 at `sample_rate` (Hz).

        Channels are averaged in floating point; integers of any depth are scaled to [-1, 1]. With `duration` (seconds),
        the clip is cropped or zero-padded at its end to exactly that length, and records its number of valid samples. A
        file that is being written meanwhile is read again, a few times.

        Raises:
            AudioError: if the clip cannot be used, with the reason.
            ArgumentError: if `duration` is not positive.
        """
        stamped = self.read_stamped(clip, sample_rate, duration=duration, resampler=resampler, with_stamp=False)
        return stamped.clip_or_raise()

    def read_stamped(
        self,
        clip: ClipReference | str | Path,
        sample_rate: int,
        *,
        duration: float | None = None,
        resampler: str = "soxr_hq",
        with_stamp: bool = True,
    ) -> Stamped:
        """Return the clip, or the error that `read` would raise, with the stamp of the bytes that were decoded."""
        reference = clip if isinstance(clip, ClipReference) else ClipReference(Path(clip).name, Path(clip))
        (stamped,) = self.read_each(
            [reference], sample_rate, duration=duration, resampler=resampler, with_stamp=with_stamp
        )
        return stamped

    def read_each(
        self,
        clips: Sequence[ClipReference],
        sample_rate: int,
        *,
        duration: float | None = None,
        resampler: str = "soxr_hq",
        with_stamp: bool = True,
    ) -> Generator[Stamped]:
        """Yield the results of `read_stamped`, in order; untrusted files go to their process several at a time."""
        sample_rate = check_sample_rate(sample_rate)
        if duration is not None:
            check_duration(duration, sample_rate)
        if resampler not in RESAMPLERS:
            raise unknown_resampler(resampler)
        with closing(self._decode_each(clips, with_stamp=with_stamp)) as each:
            for clip, (stamp, decoded) in zip(clips, each, strict=True):
                yield Stamped(stamp, self._prepared(decoded, sample_rate, duration, resampler, clip.channel))

    def read_native(self, clip: ClipReference) -> tuple[NDArray[np.float32], int]:
        """All samples of a clip `(sample, channel)` as they are stored, and their rate in Hz.

        The samples are valid until this thread reads its next clip.

        Raises:
            AudioError: if the clip cannot be used, with the reason.
        """
        ((_, decoded),) = self._decode_each([clip], with_stamp=False)
        if isinstance(decoded, AudioError):
            raise decoded
        check_samples(decoded.samples)
        check_whole(len(decoded.samples), decoded.missing, self.tolerate_short)
        return own_channel(decoded.samples, clip.channel), decoded.sample_rate

    def stamp(self, clip: ClipReference) -> bytes:
        """Return the identity of a clip's content now, as `read_stamped` gives it."""
        if self.untrusted is None:
            return stamp(clip)
        try:
            with open_content(clip, _unpack(self.untrusted)) as descriptor:
                return stamp_of_piece(content_digest(descriptor), clip)
        except AudioError as error:
            return stamp_of_error(error)

    def channel_count(self, clip: ClipReference) -> int:
        """Return the number of channels that a file's header claims.

        Raises:
            AudioError: if the header cannot be read.
        """
        with open_content(clip, _unpack(self.untrusted)) as descriptor:
            limits = self.untrusted
            count = (header_of(descriptor) if limits is None else header_untrusted(descriptor, limits))[1]
        if not count:
            raise AudioError(BadAudioReason.UNREADABLE, "its header cannot be read")
        return count

    def _prepared(
        self, decoded: _Outcome, sample_rate: int, duration: float | None, resampler: str, channel: int | None
    ) -> Clip | AudioError:
        if isinstance(decoded, AudioError):
            return decoded
        try:
            if not decoded.of_integers and not within(decoded.samples.reshape(-1), MAX_PEAK):
                check_samples(decoded.samples)  # which says what is wrong
            remarks: tuple[Remark, ...] = ()
            if decoded.missing or decoded.note:
                check_whole(len(decoded.samples), decoded.missing, self.tolerate_short)
                remarks = oddities(decoded.missing, decoded.note)
            if decoded.samples.shape[1] == 1 and self.channels == MEAN and channel is None:
                samples = decoded.samples[:, 0]
            else:
                how = self.channels if channel is None else str(channel)
                remarks = (*remarks, *_channel_remarks(decoded.samples, how))
                samples = chosen(decoded.samples, self.channels, channel)
            if decoded.borrowed and decoded.sample_rate == sample_rate and samples.base is not None:
                samples = samples.copy()
            prepared = _prepare(samples, decoded.sample_rate, sample_rate, duration, resampler, remarks)
        except AudioError as error:
            return error
        if self.skip_flat and prepared.flat is not None:
            return skipped(prepared.flat)
        return prepared

    def _decode_each(self, clips: Sequence[ClipReference], *, with_stamp: bool) -> Generator[tuple[bytes, _Outcome]]:
        """Yield stamp and samples of one unchanging state of each file."""
        if self.untrusted is None:
            for clip in clips:
                yield _attempt_here(clip, with_stamp=with_stamp) or self._decode_again(clip, with_stamp=with_stamp)
            return
        for some in _batches(clips):
            with closing(self._attempt(some, self.untrusted, with_stamp=with_stamp)) as attempted:
                for clip, found in zip(some, attempted, strict=True):
                    yield found or self._decode_again(clip, with_stamp=with_stamp)

    def _decode_again(self, clip: ClipReference, *, with_stamp: bool) -> tuple[bytes, _Outcome]:
        """Decode a clip that changed while it was read."""
        for _ in range(ATTEMPTS - 1):
            if self.untrusted is None:
                found = _attempt_here(clip, with_stamp=with_stamp)
            else:
                (found,) = self._attempt([clip], self.untrusted, with_stamp=with_stamp)
            if found is not None:
                return found
        changing = always_changing()
        return stamp_of_error(changing), changing

    def _attempt(
        self, clips: Sequence[ClipReference], limits: Limits, *, with_stamp: bool
    ) -> Generator[tuple[bytes, _Outcome] | None]:
        """Yield the result of `_attempt_here` for each file, decoded within limits."""
        with ExitStack() as stack:
            recordings: dict[object, _Opened] = {}
            unpack = _unpack(limits)
            opened = [_open(clip, stack, recordings, unpack, with_stamp=with_stamp) for clip in clips]
            files = [one for one in opened if not isinstance(one, AudioError)]
            decoded = stack.enter_context(closing(_decoded_within(limits, files)))
            for one in opened:
                if isinstance(one, AudioError):
                    yield _not_opened(one)
                else:
                    result = next(decoded)
                    yield (one.stamp, result) if content_state(one.descriptor) == one.state else None


def _attempt_here(clip: ClipReference, *, with_stamp: bool) -> tuple[bytes, _Outcome] | None:
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


def _attempt_piece(clip: ClipReference, span: Span, *, with_stamp: bool) -> tuple[bytes, _Outcome] | None:
    """Return the result of `_attempt_here` for a section of a recording, which stays open for its next one."""
    try:
        with RECORDINGS.open(clip) as opened:
            stamp = opened.stamp(clip) if with_stamp else b""
            decoded = _section(opened, span)
            return (stamp, decoded) if opened.is_unchanged else None
    except AudioError as error:
        return _not_opened(error)


def _section(opened: OpenRecording, span: Span) -> _Outcome:
    plain = None if opened.plain is None else read_plain_wav(opened.descriptor, span, opened.plain)
    if plain is not None:
        return _Decoded(*plain, borrowed=True, of_integers=True)
    try:
        found = opened.recording.read(span)
    except AudioError as error:
        return error
    return _Decoded(found.samples, found.sample_rate, borrowed=False, missing=found.missing, note=found.note)


def _not_opened(error: AudioError) -> tuple[bytes, AudioError] | None:
    return None if error.reason is BadAudioReason.CHANGING else (stamp_of_error(error), error)


def _decoded_here(clip: ClipReference, descriptor: int) -> _Outcome:
    if (plain := read_plain_wav(descriptor, clip.span)) is not None:
        return _Decoded(*plain, borrowed=True, of_integers=True)
    path = clip.path if _needs_path(clip) else None
    try:
        found = decode_descriptor(descriptor, path=path, memory=SAMPLES.floats)
        found = found if clip.span is None else cut(found, clip.span)
    except AudioError as error:
        return error
    borrowed = found.samples.base is not None
    return _Decoded(found.samples, found.sample_rate, borrowed, missing=found.missing, note=found.note)


def _needs_path(clip: ClipReference) -> bool:
    return clip.part is None and str(clip.location)[-4:].lower() in NEEDS_PATH


def _decoded_within(limits: Limits, opened: Sequence[_Opened]) -> Generator[_Outcome]:
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
                yield _Decoded(*copied, borrowed=True, of_integers=True)
                continue
            found = next(decode_untrusted([one.asked], limits, SAMPLES.floats) if here else decoded)
            if isinstance(found, AudioError):
                yield found
            else:
                yield _Decoded(found.samples, found.sample_rate, borrowed=True, missing=found.missing, note=found.note)


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


def _unpack(limits: Limits | None) -> Unpack:
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


@dataclass(frozen=True, eq=False)
class Stamped:
    """A clip, or the error that explains its absence, with the stamp of the bytes that were read."""

    stamp: bytes
    result: Clip | AudioError

    def clip_or_raise(self) -> Clip:
        """Return the clip.

        Raises:
            AudioError: if there is no clip.
        """
        if isinstance(self.result, AudioError):
            raise self.result
        return self.result


def _channel_remarks(samples: NDArray[np.float32], channels: str) -> tuple[Remark, ...]:
    if samples.shape[1] == 1:
        return ()
    powers = ChannelPowers()
    powers.add(samples)
    return powers.remarks(channels)


def _prepare(
    samples: NDArray[np.float32],
    source_rate: int,
    sample_rate: int,
    duration: float | None,
    resampler: str,
    remarks: tuple[Remark, ...],
) -> Clip:
    decoded = samples
    flat = flatness(samples.reshape(-1))
    if source_rate != sample_rate:
        samples = _resampled(samples, source_rate, sample_rate, resampler)
    length = samples.shape[-1]
    if duration is not None:
        wanted = max(1, round(duration * sample_rate))
        length = min(length, wanted)
        samples = np.pad(samples[..., :length], [(0, 0)] * (samples.ndim - 1) + [(0, wanted - length)])
    if flat is None and samples is not decoded:
        flat = flatness(samples[..., :length].reshape(-1))
    # Channels that cancel leave nothing of a recording that is not silent.
    flat = None if remarks and cancel(remarks) else flat
    return Clip(samples, sample_rate, length, flat, remarks)


def _resampled(samples: NDArray[np.float32], source_rate: int, sample_rate: int, resampler: str) -> NDArray[np.float32]:
    if samples.ndim == 1:
        resampled = resample(np.ascontiguousarray(samples), source_rate, sample_rate, resampler)
    else:
        resampled = np.stack([resample(channel, source_rate, sample_rate, resampler) for channel in samples])
    if resampled.size == 0:
        raise AudioError(BadAudioReason.TOO_SHORT, f"nothing is left of it at {sample_rate} Hz")
    return resampled


def read_clip(
    clip: ClipReference | str | Path, sample_rate: int, *, duration: float | None = None, resampler: str = "soxr_hq"
) -> Clip:
    """Read one clip with default settings: mono float32 at `sample_rate` (Hz), cropped or padded to `duration` (s).

    Raises:
        AudioError: if the file cannot be used, with the reason.
        ArgumentError: if `duration` is not positive.
    """
    return Reader().read(clip, sample_rate, duration=duration, resampler=resampler)


def read(
    path: str | Path | bytes | IO[bytes], sample_rate: int, *, channels: str | int = "mean"
) -> NDArray[np.float32]:
    """The samples of one file as a float32 array at `sample_rate` (Hz), ready for a front end or pipeline.

    The file is given by its path, by its bytes, or open for reading bytes, from its position on. The samples are
    `(sample,)`, or `(channel, sample)` with `channels="stack"`; see `Reader` for the other ways.

    Raises:
        AudioError: if the file cannot be used, with the reason.
        ArgumentError: if `channels` is none of the ways to read them, or the file is given in another way.
    """
    text = check_channels(channels)
    clip = _one_clip(path)
    text = f"{STACK}:{Reader().channel_count(clip)}" if text == STACK else text
    return Reader(channels=text).read(clip, sample_rate).samples


def _one_clip(path: str | Path | bytes | IO[bytes]) -> ClipReference:
    """The clip of a path, of bytes or of an open file."""
    if isinstance(path, str | os.PathLike):
        return ClipReference(Path(path).name, path)
    data = path.read() if hasattr(path, "read") else path
    if not isinstance(data, bytes | bytearray):
        raise ArgumentError(
            f"a file is given by its path, its bytes, or open for bytes (rb), not as {type(data).__name__}"
        )
    return ClipReference(IN_MEMORY, IN_MEMORY, part=Part(IN_MEMORY, held=HeldBytes(bytes(data))))
