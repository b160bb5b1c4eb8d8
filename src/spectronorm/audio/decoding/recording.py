"""Sections of a recording: they are cut at the file's own rate, before anything is resampled.

Sections of a file that can only be decoded from its beginning share one decoding, in the order of their beginnings.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio.decoding.decode import DecodedFile
from spectronorm.audio.decoding.sample_buffer import too_large
from spectronorm.audio.decoding.seeking import SamplesByPosition, samples_of
from spectronorm.audio.places.reference import Span
from spectronorm.errors import AudioError, BadAudioReason

_SPARE_SAMPLES = 1
"""Number of samples by which a span may reach beyond the end of a file: tables hold rounded seconds."""


class Recording:
    """An open file of which sections are read; its user closes the descriptor, and one thread uses it at a time."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._samples: SamplesByPosition | None = None
        self._fault: tuple[BadAudioReason, str] | None = None

    @property
    def position(self) -> int:
        """Number of samples that were decoded one after the other."""
        return 0 if self._samples is None else self._samples.position

    def section(self, span: Span) -> Section:
        """The samples of a section in blocks, which can be iterated again and again."""
        return Section(self, span)

    def read(self, span: Span) -> DecodedFile:
        """All samples of a section.

        Raises:
            AudioError: as for iterating the section.
        """
        section = self.section(span)
        parts = [part.copy() for part in section]
        samples = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return DecodedFile(samples, section.sample_rate, section.missing, section.note, section.bits)

    def read_into(self, room: NDArray[np.float32], span: Span) -> DecodedFile:
        """All samples of a section, written into `room` `(value,)`.

        Raises:
            AudioError: as for iterating the section, or if there is not enough room.
        """
        section, filled, channels = self.section(span), 0, 1
        for part in section:
            if filled + part.size > len(room):
                raise too_large(room.nbytes)
            room[filled : filled + part.size] = part.reshape(-1)
            filled, channels = filled + part.size, part.shape[1]
        samples = room[:filled].reshape(-1, channels)
        return DecodedFile(samples, section.sample_rate, section.missing, section.note, section.bits)

    def reaches(self, span: Span) -> bool:
        """Say if a section can be read without decoding from the beginning."""
        if self._samples is None or span.problem is not None:
            return True
        return self._samples.reaches(span.rounded(self._samples.sample_rate)[0])

    def samples_for(self, span: Span) -> SamplesByPosition:
        """The samples of the file, at a position from which the section can be read."""
        if self._fault is not None:
            raise AudioError(*self._fault)
        if self._samples is None or not self.reaches(span):
            self._samples = None
            try:
                self._samples = samples_of(self._descriptor)
            except AudioError as error:
                self._fault = error.reason, error.detail
                raise
        return self._samples


class Section:
    """The samples of a section in blocks `(sample, channel)`, each valid until the next.

    Attributes:
        missing: Seconds of the section that the file does not have; known after a whole iteration.
        note: As in `DecodedFile`.
        sample_rate: In Hz; known with the first block, as `bits` are.
        bits: As in `DecodedFile`.
    """

    def __init__(self, recording: Recording, span: Span) -> None:
        self._recording, self._span = recording, span
        self.missing, self.note, self.sample_rate, self.bits = 0.0, "", 0, 0

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """The blocks.

        Raises:
            AudioError: as decoding the file up to the section's end would, or if the file has no such section.
        """
        samples = self._recording.samples_for(self._span)
        self.sample_rate, self.note, self.bits = samples.sample_rate, samples.note, samples.bits
        start, stop = self._span.frames(self.sample_rate)
        there = start
        for block in samples.blocks(start, stop):
            there += len(block)
            yield block
        if there == start:
            raise _ends_before(self._span)
        self.missing = samples.missing(there) if stop is None else _missing_of(stop, there, self.sample_rate)


def cut(found: DecodedFile, span: Span) -> DecodedFile:
    """The section of a whole decoded file.

    Raises:
        AudioError: if the file has no such section.
    """
    start, stop = span.frames(found.sample_rate)
    there = len(found.samples)
    if there <= start:
        raise _ends_before(span)
    missing = found.missing if stop is None else _missing_of(stop, there, found.sample_rate)
    return DecodedFile(found.samples[start:stop], found.sample_rate, missing, found.note, found.bits)


def _missing_of(stop: int, there: int, sample_rate: int) -> float:
    """Seconds of a section up to the sample `stop` that a file of `there` samples does not have."""
    return (stop - there) / sample_rate if stop > there + _SPARE_SAMPLES else 0.0


def _ends_before(span: Span) -> AudioError:
    return AudioError(BadAudioReason.SPAN, f"its span {span} begins where the recording has ended, or behind")
