"""Bytes of a clip that is not a file of its own, wherever they lie."""

from __future__ import annotations

from spectronorm.audio.places.archive import read_part
from spectronorm.audio.places.reference import Part
from spectronorm.audio.places.row_bytes import ARROW_ROW, PARQUET_ROW, read_row
from spectronorm.errors import AudioError, BadAudioReason


def bytes_of(part: Part) -> bytes:
    """Return the bytes of a member of an archive, a remote object, a row of a table, or a clip held in memory.

    Raises:
        AudioError: if they cannot be read, or differ from the description.
    """
    if part.problem is not None:
        raise AudioError(BadAudioReason.UNREADABLE, part.problem)
    if part.held is not None:
        return part.held.read()
    return read_row(part) if part.method in (PARQUET_ROW, ARROW_ROW) else read_part(part)
