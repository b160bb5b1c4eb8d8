"""Pieces of recordings: sections that are cut at the file's own rate, before anything is resampled."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio.decoding.decode import DecodedBlocks, DecodedFile
from spectronorm.audio.places.reference import Span
from spectronorm.errors import AudioError, BadAudioReason

_SPARE_SAMPLES = 1
"""Number of samples by which a span may reach beyond the end of a file: tables hold rounded seconds."""


class PieceBlocks:
    """The samples of a section in blocks `(sample, channel)`, each valid until the next.

    Attributes:
        missing: Seconds of the section that the file does not have; known after a whole iteration.
        note: As in `DecodedFile`.
        sample_rate: In Hz; known with the first block.
    """

    def __init__(self, descriptor: int, span: Span) -> None:
        self._blocks, self._span = DecodedBlocks(descriptor), span
        self.missing, self.note, self.sample_rate = 0.0, "", 0

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """The blocks.

        Raises:
            AudioError: as reading the whole file up to the section's end would, or if the file has no such section.
        """
        there, start, stop = 0, 0, None
        for block in self._blocks:
            if not self.sample_rate:
                self.sample_rate, self.note = self._blocks.sample_rate, self._blocks.note
                start, stop = self._span.frames(self.sample_rate)
            part = block[max(0, start - there) : None if stop is None else max(0, stop - there)]
            there += len(block)
            if len(part):
                yield part
            if stop is not None and there >= stop:
                return
        if there <= start:
            raise AudioError(BadAudioReason.SPAN, ends_before(self._span, there, self.sample_rate))
        self.missing = self._blocks.missing if stop is None else missing_of(stop, there, self.sample_rate)


def missing_of(stop: int, there: int, sample_rate: int) -> float:
    """Seconds of a section up to the sample `stop` that a file of `there` samples does not have."""
    return (stop - there) / sample_rate if stop > there + _SPARE_SAMPLES else 0.0


def ends_before(span: Span, there: int, sample_rate: int) -> str:
    """The fault of a section that begins where the file has ended."""
    return f"its span {span} begins behind the end of the recording, which has {there / sample_rate:.4g} s"


def decode_piece(descriptor: int, span: Span) -> DecodedFile:
    """All samples of a section, with the errors of `PieceBlocks`."""
    blocks = PieceBlocks(descriptor, span)
    parts = [part.copy() for part in blocks]
    return DecodedFile(np.concatenate(parts), blocks.sample_rate, blocks.missing, blocks.note)


def cut(found: DecodedFile, span: Span) -> DecodedFile:
    """The section of a whole decoded file.

    Raises:
        AudioError: if the file has no such section.
    """
    start, stop = span.frames(found.sample_rate)
    there = len(found.samples)
    if there <= start:
        raise AudioError(BadAudioReason.SPAN, ends_before(span, there, found.sample_rate))
    missing = found.missing if stop is None else missing_of(stop, there, found.sample_rate)
    return DecodedFile(found.samples[start:stop], found.sample_rate, missing, found.note)
