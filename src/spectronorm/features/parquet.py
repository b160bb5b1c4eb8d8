"""The rows of a Parquet shard of levels (extra `parquet`), as `spectronorm apply --to parquet` writes it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio import ClipReference
from spectronorm.audio.places.archive import clean_name
from spectronorm.audio.places.reference import Part
from spectronorm.errors import AudioError, BadAudioReason, MissingExtra, SourceError

PARQUET = "parquet"
CLIP, LEVEL = "clip", "level"
ROWS = 50
"""Rows of a row group in shards of ours."""


def is_table(path: Path) -> bool:
    """Tell if a Parquet file is a table with a column `path`, not a shard of levels."""
    if path.suffix.lower() != ".parquet":
        return False
    pyarrow, parquet = _pyarrow()
    try:
        return LEVEL not in parquet.read_schema(path).names
    except (OSError, pyarrow.ArrowException):
        return True  # which says what is wrong


def list_parquet(path: Path, name: str) -> list[ClipReference]:
    """Each row as a clip.

    Raises:
        SourceError: if the file is no Parquet file with columns `clip` and `level`.
        MissingExtra: if pyarrow is not installed.
    """
    pyarrow, parquet = _pyarrow()
    try:
        keys = parquet.read_table(path, columns=[CLIP])[CLIP].to_pylist()
    except (OSError, KeyError, pyarrow.ArrowException) as error:
        raise SourceError(f"{str(path)!r}: cannot be read as a Parquet shard ({error})") from None
    return [
        ClipReference(f"{name}/{clean_name(str(key))}", path, part=Part(str(path), row, method=PARQUET, array=str(key)))
        for row, key in enumerate(keys)
    ]


def read_parquet_row(place: str, row: int, most_bytes: int) -> NDArray[Any]:
    """The level of a row; raises `AudioError` if it cannot be read or is too large."""
    pyarrow, _ = _pyarrow()
    try:
        status = Path(place).stat()
        start, levels = _row_group(place, row // ROWS, (status.st_size, status.st_mtime_ns), most_bytes)
        if not start <= row < start + len(levels):
            start, levels = _row_group_with(place, row, most_bytes)
        return _array(levels[row - start])
    except (OSError, KeyError, IndexError, ValueError, TypeError, AttributeError, pyarrow.ArrowException) as error:
        raise AudioError(BadAudioReason.UNREADABLE, f"it cannot be read as a row of Parquet ({error})"[:300]) from None


@lru_cache(maxsize=4)
def _row_group(place: str, number: int, state: tuple[int, int], most_bytes: int) -> tuple[int, Any]:
    """The row group in which a shard of ours has these rows; the file's state is part of what it is kept under."""
    del state
    return _row_group_with(place, number * ROWS, most_bytes)


def _row_group_with(place: str, row: int, most_bytes: int) -> tuple[int, Any]:
    """The first row and the levels of the row group that a row lies in."""
    file = _pyarrow()[1].ParquetFile(place)
    start = 0
    for group in range(file.metadata.num_row_groups):
        about = file.metadata.row_group(group)
        if row < start + about.num_rows:
            if about.total_byte_size > most_bytes:
                raise AudioError(BadAudioReason.TOO_LARGE, f"its row group takes {about.total_byte_size} bytes")
            return start, file.read_row_group(group, columns=[LEVEL])[LEVEL].combine_chunks()
        start += about.num_rows
    raise IndexError(f"row {row} of {start}")


def _array(value: Any) -> NDArray[Any]:
    """Nested lists of equal lengths as an array."""
    counts, inner = [], value.values
    while hasattr(inner, "offsets"):
        if len(set(np.diff(inner.offsets.to_numpy()).tolist())) > 1:
            raise ValueError("its lists have different lengths")
        counts.append(len(inner))
        inner = inner.flatten()
    flat = np.asarray(inner.to_numpy(zero_copy_only=False))
    if flat.dtype.kind != "f" or not counts or not counts[-1]:
        raise ValueError(f"it holds {len(flat)} values of {flat.dtype}, but levels are lists of floats")
    lengths = [count // outer for outer, count in zip([1, *counts], counts, strict=False)]
    return flat.reshape(*lengths, -1)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except (ImportError, OSError):
        raise MissingExtra("Reading Parquet", "parquet") from None
    return pyarrow, parquet
