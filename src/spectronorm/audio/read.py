"""Reading of a file, a member of an archive or a URL as a mono clip at the requested rate."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio.channels import MEAN, STACK, ChannelPowers, cancel, check_channels, chosen
from spectronorm.audio.clip import Clip, Remark, flatness, oddities, skipped, within
from spectronorm.audio.decoding.content import content_digest, open_content, stamp_of_error, stamp_of_piece
from spectronorm.audio.decoding.decode import check_samples, check_whole, header_of
from spectronorm.audio.decoding.decoded import DecodedOrError, decode_each, unpacking
from spectronorm.audio.decoding.fork_server import Limits
from spectronorm.audio.decoding.recordings import stamp
from spectronorm.audio.decoding.sandbox import header_untrusted
from spectronorm.audio.duration import check_duration, check_sample_rate
from spectronorm.audio.native_format import NativeFormat
from spectronorm.audio.places.held import IN_MEMORY, HeldBytes
from spectronorm.audio.places.reference import ClipReference, Part
from spectronorm.audio.resample import RESAMPLERS, resample, unknown_resampler
from spectronorm.errors import ArgumentError, AudioError, BadAudioReason
from spectronorm.full_scale import MAX_PEAK
from spectronorm.short_repr import with_bounded_repr
from spectronorm.suggestion import known_keywords, known_settings


@known_settings
@with_bounded_repr
@dataclass(frozen=True)
class Reader:
    """Settings for reading a source's clips.

    With `untrusted`, files are decoded in separate processes within these limits; plain 16-bit WAV files need no
    decoding and are copied in this process. With `skip_flat`, silent and constant clips count as bad; otherwise they
    are clips like any other, and a profile lists them. `channels` selects from several channels: their `mean`, the
    `first` or another by its index, `each` as a separate clip, or a `stack:N` of all of them, `(channel, sample)`.

    >>> import numpy as np, spectronorm as sn
    >>> silence = np.zeros(16_000, np.float32)
    >>> source = sn.open_source([(silence, 16_000)], Reader(skip_flat=True))
    >>> try:
    ...     source.reader.read(source.clips[0], 16_000)
    ... except sn.errors.AudioError as error:
    ...     print(error.reason.value)
    silent
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
        try:
            return stamped.clip_or_raise()
        except AudioError as error:
            raise error.of(clip.name if isinstance(clip, ClipReference) else str(clip)) from None

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
        with closing(decode_each(clips, self.untrusted, with_stamp=with_stamp)) as each:
            for clip, (stamp, decoded) in zip(clips, each, strict=True):
                yield Stamped(stamp, self._prepared(decoded, sample_rate, duration, resampler, clip))

    def stamp(self, clip: ClipReference) -> bytes:
        """Return the identity of a clip's content now, as `read_stamped` gives it."""
        if self.untrusted is None:
            return stamp(clip)
        try:
            with open_content(clip, unpacking(self.untrusted)) as descriptor:
                return stamp_of_piece(content_digest(descriptor), clip)
        except AudioError as error:
            return stamp_of_error(error)

    def channel_count(self, clip: ClipReference) -> int:
        """Return the number of channels that a file's header claims.

        Raises:
            AudioError: if the header cannot be read.
        """
        with open_content(clip, unpacking(self.untrusted)) as descriptor:
            limits = self.untrusted
            count = (header_of(descriptor) if limits is None else header_untrusted(descriptor, limits))[1]
        if not count:
            raise AudioError(BadAudioReason.UNREADABLE, "its header cannot be read")
        return count

    def _prepared(
        self, decoded: DecodedOrError, sample_rate: int, duration: float | None, resampler: str, clip: ClipReference
    ) -> Clip | AudioError:
        if isinstance(decoded, AudioError):
            return decoded
        channel = clip.channel
        native = NativeFormat.of(clip, decoded.sample_rate, decoded.samples.shape[1], decoded.bits)
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
            prepared = _prepare(samples, native, sample_rate, duration, resampler, remarks)
        except AudioError as error:
            return error
        if self.skip_flat and prepared.flat is not None:
            return skipped(prepared.flat)
        return prepared


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
    native: NativeFormat,
    sample_rate: int,
    duration: float | None,
    resampler: str,
    remarks: tuple[Remark, ...],
) -> Clip:
    decoded, source_rate = samples, native.sample_rate
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
    return Clip(samples, sample_rate, length, flat, remarks, native)


def _resampled(samples: NDArray[np.float32], source_rate: int, sample_rate: int, resampler: str) -> NDArray[np.float32]:
    if samples.ndim == 1:
        resampled = resample(np.ascontiguousarray(samples), source_rate, sample_rate, resampler)
    else:
        resampled = np.stack([resample(channel, source_rate, sample_rate, resampler) for channel in samples])
    if resampled.size == 0:
        raise AudioError(BadAudioReason.TOO_SHORT, f"nothing is left of it at {sample_rate} Hz")
    return resampled


@known_keywords
def read_clip(
    clip: ClipReference | str | Path, sample_rate: int, *, duration: float | None = None, resampler: str = "soxr_hq"
) -> Clip:
    """Read one clip with default settings: mono float32 at `sample_rate` (Hz), cropped or padded to `duration` (s).

    Raises:
        AudioError: if the file cannot be used, with the reason.
        ArgumentError: if `duration` is not positive.

    >>> import pathlib, tempfile, numpy as np, soundfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "a.wav"
    ...     soundfile.write(path, np.full(8000, 0.1), 8000)
    ...     clip = read_clip(path, 16_000, duration=2.0)
    >>> clip.samples.shape, clip.length
    ((32000,), 16000)
    """
    return Reader().read(clip, sample_rate, duration=duration, resampler=resampler)


@known_keywords
def read(
    path: str | Path | bytes | IO[bytes], sample_rate: int, *, channels: str | int = "mean"
) -> NDArray[np.float32]:
    """The samples of one file as a float32 array at `sample_rate` (Hz), ready for a front end or pipeline.

    The file is given by its path, by its bytes, or open for reading bytes, from its position on. The samples are
    `(sample,)`, or `(channel, sample)` with `channels="stack"`; see `Reader` for the other ways.

    Raises:
        AudioError: if the file cannot be used, with the reason.
        ArgumentError: if `channels` is none of the ways to read them, or the file is given in another way.

    >>> import io, numpy as np, soundfile, spectronorm as sn
    >>> file = io.BytesIO()
    >>> soundfile.write(file, np.zeros((8000, 2)), 8000, format="WAV")
    >>> sn.read(file.getvalue(), 16_000).shape
    (16000,)
    """
    text = check_channels(channels)
    clip = _one_clip(path)
    try:
        text = f"{STACK}:{Reader().channel_count(clip)}" if text == STACK else text
        return Reader(channels=text).read(clip, sample_rate).samples
    except AudioError as error:
        named = str(path) if isinstance(path, str | os.PathLike) else IN_MEMORY
        raise AudioError(error.reason, error.detail, named) from None


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
