"""From a file, a member of an archive or a URL to a mono clip at the rate that was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from specnorm.audio.clip import Clip, flatness
from specnorm.audio.compressed import STREAMS
from specnorm.audio.content import content_digest, content_state, open_content, stamp_of_error
from specnorm.audio.decode import NEEDS_PATH, check_samples, decode_descriptor
from specnorm.audio.mpeg import recognizable
from specnorm.audio.reference import ClipReference
from specnorm.audio.resample import resample
from specnorm.audio.sandbox import Limits, close_decoders, decode_untrusted
from specnorm.audio.wav import read_plain_wav
from specnorm.errors import ArgumentError, AudioError, BadAudioReason

_ATTEMPTS = 3


@dataclass(frozen=True)
class Reader:
    """How a source's clips are read.

    With `untrusted`, files are decoded in processes of their own, within these limits. With `skip_flat`, silent and
    constant clips count as bad; otherwise they are clips like any other, and a profile lists them.
    """

    untrusted: Limits | None = None
    skip_flat: bool = False

    def read(
        self,
        clip: ClipReference | str | Path,
        sample_rate: int,
        *,
        duration: float | None = None,
        resampler: str = "soxr_hq",
    ) -> Clip:
        """Any clip that libsndfile can decode, as mono float32 at `sample_rate` (Hz).

        Channels are averaged in float; integers of any depth become [-1, 1]. With `duration` (seconds) the clip is
        cropped at its end, or padded with zeros there, to exactly that length, and remembers how many samples are real.
        A file that is written to meanwhile is read again, a few times.

        Raises:
            AudioError: when the clip cannot be used, with the reason.
            ArgumentError: when `duration` is not positive.
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
        """The clip, or the error that `read` would raise, together with the stamp of the very bytes it was made of."""
        if duration is not None and not duration > 0:
            raise ArgumentError(f"duration={duration} must be a positive number of seconds")
        reference = clip if isinstance(clip, ClipReference) else ClipReference(Path(clip).name, Path(clip))
        stamp, decoded = self._decode(reference, with_stamp=with_stamp)
        try:
            if isinstance(decoded, AudioError):
                raise decoded
            mono = decoded.samples[:, 0]
            if decoded.samples.shape[1] > 1:
                mono = decoded.samples.mean(axis=1, dtype=np.float32)
            elif decoded.borrowed and decoded.sample_rate == sample_rate:
                mono = mono.copy()
            prepared = _prepare(mono, decoded.sample_rate, sample_rate, duration, resampler)
        except AudioError as error:
            return Stamped(stamp, error)
        if self.skip_flat and prepared.flat is not None:
            skipped = AudioError(prepared.flat, "its samples are all alike, and such clips are to be skipped")
            return Stamped(stamp, skipped)
        return Stamped(stamp, prepared)

    def _decode(self, clip: ClipReference, *, with_stamp: bool) -> tuple[bytes, _Decoded | AudioError]:
        """Stamp and samples of one unchanging state of the file."""
        for _ in range(_ATTEMPTS):
            try:
                with open_content(clip) as descriptor:
                    before = content_state(descriptor)
                    stamp = content_digest(descriptor) if with_stamp else b""
                    decoded = self._decoded(clip, descriptor)
                    if content_state(descriptor) == before:
                        return stamp, decoded
            except AudioError as error:
                if error.reason is not BadAudioReason.CHANGING:
                    return stamp_of_error(error), error
        changing = AudioError(
            BadAudioReason.CHANGING, f"it was written to during each of {_ATTEMPTS} attempts to read it"
        )
        return stamp_of_error(changing), changing

    def _decoded(self, clip: ClipReference, descriptor: int) -> _Decoded | AudioError:
        if self.untrusted is None and (plain := read_plain_wav(descriptor)) is not None:
            return _Decoded(*plain, borrowed=True)
        try:
            with recognizable(descriptor) as content:
                if self.untrusted is not None:
                    samples, sample_rate = decode_untrusted(content, self.untrusted)
                else:
                    needs_path = clip.part is None and clip.path.suffix.lower() in NEEDS_PATH
                    samples, sample_rate = decode_descriptor(content, path=clip.path if needs_path else None)
            check_samples(samples)
        except AudioError as error:
            return error
        return _Decoded(samples, sample_rate, borrowed=False)


@dataclass(frozen=True, eq=False)
class _Decoded:
    """Samples `(sample, channel)` at a rate in Hz; borrowed ones are overwritten when this thread reads again."""

    samples: NDArray[np.float32]
    sample_rate: int
    borrowed: bool


@dataclass(frozen=True, eq=False)
class Stamped:
    """A clip, or the error that says why there is none, and the stamp of the bytes that it was made of."""

    stamp: bytes
    result: Clip | AudioError

    def clip_or_raise(self) -> Clip:
        """The clip; raises its `AudioError` when there is none."""
        if isinstance(self.result, AudioError):
            raise self.result
        return self.result


def _prepare(
    mono: NDArray[np.float32], source_rate: int, sample_rate: int, duration: float | None, resampler: str
) -> Clip:
    flat = flatness(mono)
    mono = resample(np.ascontiguousarray(mono), source_rate, sample_rate, resampler)
    if mono.size == 0:
        raise AudioError(BadAudioReason.TOO_SHORT, f"nothing is left of it at {sample_rate} Hz")
    length = mono.size
    if duration is not None:
        wanted = max(1, round(duration * sample_rate))
        length = min(length, wanted)
        mono = np.pad(mono[:length], (0, wanted - length))
    return Clip(mono, sample_rate, length, flat or flatness(mono[:length]))


def read_clip(
    clip: ClipReference | str | Path, sample_rate: int, *, duration: float | None = None, resampler: str = "soxr_hq"
) -> Clip:
    """One clip as `Reader().read` gives it: mono float32 at `sample_rate` (Hz), cropped or padded to `duration` (s).

    Raises:
        AudioError: when the file cannot be used, with the reason.
        ArgumentError: when `duration` is not positive.
    """
    return Reader().read(clip, sample_rate, duration=duration, resampler=resampler)


def read(path: str | Path, sample_rate: int) -> NDArray[np.float32]:
    """The samples of one file as a mono float32 array at `sample_rate` (Hz), ready for a front end or pipeline."""
    return read_clip(path, sample_rate).samples


def release() -> None:
    """Close what reading keeps open for the next clip: archives and decoding processes."""
    STREAMS.close()
    close_decoders()
