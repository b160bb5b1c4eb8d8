"""Bytes of a clip that is not a file of its own, wherever they lie."""

from __future__ import annotations

from collections.abc import Iterator

from spectronorm.audio.places.archive import part_pieces
from spectronorm.audio.places.reference import Part
from spectronorm.audio.places.row_bytes import ARROW_ROW, PARQUET_ROW, read_row
from spectronorm.errors import AudioError


def pieces_of(part: Part) -> Iterator[bytes]:
    """Yield the bytes of a member of an archive, a remote object, a row of a table, or a clip held in memory.

    Raises:
        AudioError: if they cannot be read, or differ from the description; in some cases only after the last piece.
    """
    if part.problem is not None:
        raise AudioError(part.reason, part.problem)
    if part.held is not None:
        yield part.held.read()
    elif part.method in (PARQUET_ROW, ARROW_ROW):
        yield read_row(part)
    else:
        yield from part_pieces(part)
