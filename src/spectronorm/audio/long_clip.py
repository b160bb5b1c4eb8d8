"""Long clips that do not fit into memory: samples are decoded in blocks, repeatedly if needed.

Decoding and resampling in blocks gives bit-identical samples: soxr keeps its state between blocks.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import numpy as np
import soxr
from numpy.typing import NDArray

from spectronorm.audio.channels import ChannelPowers, cancel, chosen
from spectronorm.audio.clip import Remark, flags, oddities, skipped
from spectronorm.audio.decoding.content import (
    ATTEMPTS,
    always_changing,
    stamp_of_error,
)
from spectronorm.audio.decoding.decode import NEEDS_PATH, DecodedBlocks, check_samples, check_whole
from spectronorm.audio.decoding.recording import Section
from spectronorm.audio.decoding.recordings import RECORDINGS, OpenRecording
from spectronorm.audio.native_format import NativeFormat
from spectronorm.audio.places.reference import ClipReference, Span
from spectronorm.audio.read import Reader
from spectronorm.errors import AudioError, BadAudioReason

_Result = TypeVar("_Result")
LONG_SAMPLES = 1 << 22
"""Number of samples of all channels beyond which a clip is not held: 16 MB, 95 seconds at 44.1 kHz in mono."""
TWICE = 4
"""Factor for the length if blocks are needed twice: decoding again costs more time than memory."""
SMALL_BYTES = 1 << 20
"""Files up to this size are not asked for their length, which would cost each short clip a tenth of its time."""
SHORT_SECONDS = 10.0
"""Sections up to this length are not asked for their number of samples."""
_QUALITIES: Mapping[str, str] = {"soxr_hq": "HQ", "soxr_vhq": "VHQ"}
"""Resamplers that work in blocks, by name, with soxr's name for each."""


class _Extremes:
    """First, last, lowest and highest of the values seen, and how many rows they came in."""

    def __init__(self) -> None:
        self.count = 0
        self._ends: tuple[float, float] | None = None
        self._low, self._high = np.inf, -np.inf

    def add(self, values: NDArray[np.float32]) -> None:
        """More values."""
        self.count += len(values)
        if values.size:
            first = float(values.flat[0]) if self._ends is None else self._ends[0]
            self._ends = first, float(values.flat[-1])
            # np.minimum keeps a NaN, which Python's min may lose.
            self._low = float(np.minimum(self._low, values.min()))
            self._high = float(np.maximum(self._high, values.max()))

    @property
    def bounds(self) -> NDArray[np.float32]:
        """The lowest and the highest value."""
        return np.array([self._low, self._high], dtype=np.float32)

    @property
    def peak(self) -> float:
        """The highest magnitude."""
        return max(-self._low, self._high)

    @property
    def flat(self) -> BadAudioReason | None:
        """`silent` for zeros, `constant` for any other single value, else None."""
        if self._ends is None or self._low != self._high:
            return None
        return BadAudioReason.CONSTANT if self._low else BadAudioReason.SILENT


class LongClip:
    """The samples of an open file in blocks: float32 at `sample_rate` (Hz), cropped to `duration` (seconds).

    A block is `(sample,)`, or `(channel, sample)` of a stack.

    Attributes:
        flat: `silent` or `constant` when all samples are alike, else None; known after a whole iteration.
        remarks: What else is odd about the file; known after a whole iteration.
    """

    def __init__(
        self,
        blocks: DecodedBlocks | Section,
        rates: tuple[int, int],
        resampler: str,
        duration: float | None,
        channels: tuple[str, int | None] = ("mean", None),
        tolerate_short: float = 0.0,
    ) -> None:
        self._blocks, self._channels = blocks, channels
        self._rates = rates
        self._quality = _QUALITIES[resampler]
        self._most = None if duration is None else max(1, round(duration * rates[1]))
        self._tolerated = tolerate_short
        self.flat: BadAudioReason | None = None
        self.remarks: tuple[Remark, ...] = ()
        self._stored_channels = 0

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """Yield blocks of samples from the beginning.

        Raises:
            AudioError: as reading the clip would, in some cases only after the last block.
        """
        decoded, sources, results = _Extremes(), _Extremes(), _Extremes()
        powers = ChannelPowers()
        given = 0
        blocks = self._blocks
        for block in self._resampled(blocks, decoded, sources, powers):
            count = block.shape[-1]
            rest = count if self._most is None else min(count, self._most - given)
            if rest:
                results.add(block[..., :rest])
                given += rest
                yield block[..., :rest]
        check_samples(decoded.bounds)
        check_whole(decoded.count, blocks.missing, self._tolerated)
        of_all = () if self._channels[1] is not None else powers.remarks(self._channels[0])
        self.remarks = (*oddities(blocks.missing, blocks.note), *of_all)
        if given == 0:
            raise AudioError(BadAudioReason.TOO_SHORT, f"nothing is left of it at {self._rates[1]} Hz")
        self.flat = None if cancel(self.remarks) else sources.flat or results.flat

    def native(self, clip: ClipReference) -> NativeFormat | None:
        """Format of the recording that a clip comes from; None before the first block."""
        if not self._stored_channels:
            return None
        return NativeFormat.of(clip, self._rates[0], self._stored_channels, self._blocks.bits)

    def _resampled(
        self, blocks: Iterable[NDArray[np.float32]], decoded: _Extremes, sources: _Extremes, powers: ChannelPowers
    ) -> Iterator[NDArray[np.float32]]:
        source_rate, sample_rate = self._rates
        resampled = _BlockResampler(source_rate, sample_rate, self._quality) if source_rate != sample_rate else None
        for block in blocks:
            decoded.add(block)
            self._stored_channels = block.shape[1]
            if not np.isfinite(decoded.bounds).all():
                check_samples(decoded.bounds)
            powers.add(block)
            kept = chosen(block, *self._channels)
            kept = kept.copy() if np.may_share_memory(kept, block) else kept
            sources.add(kept)
            yield kept if resampled is None else resampled(kept)
        if resampled is not None:
            yield resampled.rest()


class _BlockResampler:
    """Resamples blocks `(sample,)`, or `(channel, sample)`, each channel by a stream of its own."""

    def __init__(self, source_rate: int, sample_rate: int, quality: str) -> None:
        self._new = partial(soxr.ResampleStream, source_rate, sample_rate, 1, dtype="float32", quality=quality)
        self._streams: list[soxr.ResampleStream] = []
        self._axes = 1

    def __call__(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """The samples that a block completes."""
        rows = np.atleast_2d(block)
        if not self._streams:
            self._streams, self._axes = [self._new() for _ in rows], block.ndim
        return self._joined([stream.resample_chunk(row) for stream, row in zip(self._streams, rows, strict=True)])

    def rest(self) -> NDArray[np.float32]:
        """The samples that only the end completes."""
        none = np.empty(0, np.float32)
        return self._joined([stream.resample_chunk(none, last=True) for stream in self._streams or [self._new()]])

    def _joined(self, rows: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        return rows[0] if self._axes == 1 else np.stack(rows)


@dataclass(frozen=True, eq=False)
class Streamed(Generic[_Result]):
    """Result computed from a long clip, or the error that explains its absence, with the stamp of the bytes read.

    `flat` and `flags` are as in `LongClip`; `native` is the format of the recording.
    """

    stamp: bytes
    result: _Result | AudioError
    flat: BadAudioReason | None = None
    remarks: tuple[Remark, ...] = ()
    native: NativeFormat | None = None

    @property
    def flags(self) -> tuple[Remark, ...]:
        """All that a profile lists of the clip: its remarks, and that it is silent or constant."""
        return flags(self.flat, self.remarks)


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
    """Return the result of `work` on a clip that is too long to be held in memory; None for any other clip.

    Untrusted files are never streamed: the process that decodes them has a memory limit already.

    Args:
        reader: Reader of the clips.
        clip: The clip.
        sample_rate: Sample rate in Hz.
        work: Function of the blocks.
        duration: Crop to this number of seconds.
        resampler: Name of the resampler.
        with_stamp: Also compute the stamp of the bytes.
        twice: `work` goes through the blocks twice.
    """
    if reader.untrusted is not None or resampler not in _QUALITIES or not is_large(clip):
        return None

    def attempt(opened: OpenRecording) -> Streamed[_Result] | None:
        rate, channels, frames = opened.header()
        if channels * length_of_span(clip.span, rate, frames) <= LONG_SAMPLES * (TWICE if twice else 1):
            return None
        stamp = opened.stamp(clip) if with_stamp else b""
        how = reader.channels, clip.channel
        blocks = DecodedBlocks(opened.descriptor) if clip.span is None else opened.recording.section(clip.span)
        found = LongClip(blocks, (rate, sample_rate), resampler, duration, how, reader.tolerate_short)
        result = _result(found, work, skip_flat=reader.skip_flat)
        return Streamed(stamp, result, found.flat, found.remarks, found.native(clip))

    for _ in range(ATTEMPTS):
        try:
            with RECORDINGS.open(clip) as opened:
                result = attempt(opened)
                if result is None or opened.is_unchanged:
                    return result
        except AudioError as error:
            if error.reason is not BadAudioReason.CHANGING:
                return Streamed(stamp_of_error(error), error)
    changing = always_changing()
    return Streamed(stamp_of_error(changing), changing)


def length_of_span(span: Span | None, sample_rate: int, frames: int) -> int:
    """Number of samples of a file, or of the section that there is of it."""
    if span is None or span.problem is not None:
        return frames if span is None else 0
    start, stop = span.rounded(sample_rate)
    return min(frames, frames if stop is None else stop) - start


def is_large(clip: ClipReference) -> bool:
    """True if the clip is large enough to ask for its length."""
    if clip.span is not None and (clip.span.end or math.inf) - clip.span.start <= SHORT_SECONDS:
        return False
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
