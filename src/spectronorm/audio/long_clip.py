"""Clips that are too long to be held: their samples come in blocks, as often as somebody asks for them.

Decoding and resampling in blocks gives the samples of doing it at once, bit for bit: soxr keeps between blocks what
it would keep within one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import soxr
from numpy.typing import NDArray

from spectronorm.audio.channels import STACK, ChannelPowers, chosen
from spectronorm.audio.clip import skipped
from spectronorm.audio.decoding.bare_mpeg import recognizable
from spectronorm.audio.decoding.content import (
    ATTEMPTS,
    always_changing,
    content_digest,
    content_state,
    open_content,
    stamp_of_error,
)
from spectronorm.audio.decoding.decode import NEEDS_PATH, check_samples, decode_blocks, header_of
from spectronorm.audio.places.reference import ClipReference
from spectronorm.audio.read import Reader
from spectronorm.errors import AudioError, BadAudioReason

_Result = TypeVar("_Result")
LONG_SAMPLES = 1 << 22
"""Samples of all channels beyond which a clip is not held: 16 MB, 95 seconds at 44.1 kHz in mono."""
TWICE = 4
"""How much longer it must be when its blocks are asked for twice: decoding again costs more time than memory."""
SMALL_BYTES = 1 << 20
"""Files up to this size are not asked how long they are: it would cost each short clip a tenth of its time."""
_QUALITIES: Mapping[str, str] = {"soxr_hq": "HQ", "soxr_vhq": "VHQ"}
"""Resamplers that work in blocks, by name, with soxr's name for them."""


class _Extremes:
    """First, last, lowest and highest of the values seen."""

    def __init__(self) -> None:
        self._ends: tuple[float, float] | None = None
        self._low, self._high = np.inf, -np.inf

    def add(self, values: NDArray[np.float32]) -> None:
        """More values."""
        if values.size:
            first = float(values.flat[0]) if self._ends is None else self._ends[0]
            self._ends = first, float(values.flat[-1])
            # np.minimum keeps a NaN, which Python's min may lose.
            self._low = float(np.minimum(self._low, values.min()))
            self._high = float(np.maximum(self._high, values.max()))

    @property
    def bounds(self) -> NDArray[np.float32]:
        """The lowest and the highest."""
        return np.array([self._low, self._high], dtype=np.float32)

    @property
    def flat(self) -> BadAudioReason | None:
        """`silent` for zeros, `constant` for any other single value, else None."""
        if self._ends is None or self._low != self._high:
            return None
        return BadAudioReason.CONSTANT if self._low else BadAudioReason.SILENT


class LongClip:
    """The samples of an open file in blocks: mono float32 at `sample_rate` (Hz), cropped to `duration` (seconds).

    Attributes:
        flat: `silent` or `constant` when all samples are alike, else None; known after a whole iteration.
        flags: What is wrong with the channels; known after a whole iteration.
    """

    def __init__(
        self,
        descriptor: int,
        rates: tuple[int, int],
        resampler: str,
        duration: float | None,
        channels: tuple[str, str | None] = ("mean", None),
    ) -> None:
        self._descriptor, self._channels = descriptor, channels
        self._rates = rates
        self._quality = _QUALITIES[resampler]
        self._most = None if duration is None else max(1, round(duration * rates[1]))
        self.flat: BadAudioReason | None = None
        self.flags: tuple[BadAudioReason, ...] = ()

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """Blocks of samples, from the beginning; raises `AudioError` as reading the clip would, some after the last."""
        decoded, sources, results = _Extremes(), _Extremes(), _Extremes()
        powers = ChannelPowers()
        given = 0
        for block in self._resampled(decoded, sources, powers):
            rest = len(block) if self._most is None else min(len(block), self._most - given)
            if rest:
                results.add(block[:rest])
                given += rest
                yield block[:rest]
        check_samples(decoded.bounds)
        if given == 0:
            raise AudioError(BadAudioReason.TOO_SHORT, f"nothing is left of it at {self._rates[1]} Hz")
        self.flags = powers.flags(self._channels[0])
        self.flat = None if BadAudioReason.CHANNELS_CANCEL in self.flags else sources.flat or results.flat

    def _resampled(
        self, decoded: _Extremes, sources: _Extremes, powers: ChannelPowers
    ) -> Iterator[NDArray[np.float32]]:
        source_rate, sample_rate = self._rates
        stream = None
        if source_rate != sample_rate:
            stream = soxr.ResampleStream(source_rate, sample_rate, 1, dtype="float32", quality=self._quality)
        for block in decode_blocks(self._descriptor):
            decoded.add(block)
            if not np.isfinite(decoded.bounds).all():
                check_samples(decoded.bounds)
            powers.add(block)
            mono = chosen(block, *self._channels)
            mono = mono.copy() if np.may_share_memory(mono, block) else mono
            sources.add(mono)
            yield mono if stream is None else stream.resample_chunk(mono)
        if stream is not None:
            yield stream.resample_chunk(np.empty(0, np.float32), last=True)


@dataclass(frozen=True, eq=False)
class Streamed(Generic[_Result]):
    """What was made of a long clip, or the error that says why nothing was, and the stamp of the bytes it was made of.

    `flat` and `flags` are as in `LongClip`.
    """

    stamp: bytes
    result: _Result | AudioError
    flat: BadAudioReason | None = None
    flags: tuple[BadAudioReason, ...] = ()


def stream(
    reader: Reader,
    clip: ClipReference,
    sample_rate: int,
    work: Callable[[LongClip], _Result],
    *,
    duration: float | None = None,
    resampler: str = "soxr_hq",
    with_stamp: bool = True,
    twice: bool = False,
) -> Streamed[_Result] | None:
    """What `work` makes of a clip that is too long to be held; None for any other clip, which is then to be read.

    `twice` says that the work goes through the blocks twice. Untrusted files are never streamed: the process that
    decodes them has a limit on memory already.
    """
    kept = reader.channels.startswith(STACK)
    if reader.untrusted is not None or resampler not in _QUALITIES or kept or not _large(clip):
        return None
    for _ in range(ATTEMPTS):
        try:
            with open_content(clip) as descriptor, recognizable(descriptor) as content:
                rate, channels, frames = header_of(content)
                if channels * frames <= LONG_SAMPLES * (TWICE if twice else 1):
                    return None
                before = content_state(descriptor)
                stamp = content_digest(descriptor) if with_stamp else b""
                how = reader.channels, clip.columns.get("channel")
                found = LongClip(content, (rate, sample_rate), resampler, duration, how)
                result = _result(found, work, skip_flat=reader.skip_flat)
                if content_state(descriptor) == before:
                    return Streamed(stamp, result, found.flat, found.flags)
        except AudioError as error:
            if error.reason is not BadAudioReason.CHANGING:
                return Streamed(stamp_of_error(error), error)
    changing = always_changing()
    return Streamed(stamp_of_error(changing), changing)


def _large(clip: ClipReference) -> bool:
    """Whether the clip's file is worth asking how long it is."""
    if clip.part is not None:
        return clip.part.size is None or clip.part.size > SMALL_BYTES
    try:
        large = os.stat(clip.location).st_size > SMALL_BYTES  # noqa: PTH116  (a path takes longer to make)
        return large and clip.path.suffix.lower() not in NEEDS_PATH
    except (OSError, ValueError):
        return False


def _result(found: LongClip, work: Callable[[LongClip], _Result], *, skip_flat: bool) -> _Result | AudioError:
    try:
        result = work(found)
    except AudioError as error:
        return error
    if skip_flat and found.flat is not None:
        return skipped(found.flat)
    return result
