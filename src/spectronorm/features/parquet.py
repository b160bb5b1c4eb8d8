"""The rows of a Parquet shard of levels (extra `parquet`), as `spectronorm apply --to parquet` writes it."""

from __future__ import annotations

import threading
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate
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
        SourceError: if the file is not a Parquet file with columns `clip` and `level`.
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
        state = (status.st_size, status.st_mtime_ns)
        starts = _starts(place, state)
        group = bisect_right(starts, row) - 1
        levels = _row_group(place, group, state, most_bytes)
        return _array(levels[row - starts[group]])
    except (OSError, KeyError, IndexError, ValueError, TypeError, AttributeError, pyarrow.ArrowException) as error:
        raise AudioError(BadAudioReason.UNREADABLE, f"it cannot be read as a row of Parquet ({error})"[:300]) from None


@lru_cache(maxsize=64)
def _starts(place: str, state: tuple[int, int]) -> list[int]:
    """The first row of each row group; the file's state is part of what it is kept under."""
    del state
    metadata = _pyarrow()[1].read_metadata(place)
    counts = (metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))
    return list(accumulate(counts, initial=0))[:-1]


@lru_cache(maxsize=4)
def _row_group(place: str, group: int, state: tuple[int, int], most_bytes: int) -> Any:
    """The levels of a row group."""
    file = _file(place, state, threading.get_ident())
    about = file.metadata.row_group(group)
    if about.total_byte_size > most_bytes:
        raise AudioError(BadAudioReason.TOO_LARGE, f"its row group takes {about.total_byte_size} bytes")
    return file.read_row_group(group, columns=[LEVEL], use_threads=False)[LEVEL].combine_chunks()


@lru_cache(maxsize=16)
def _file(place: str, state: tuple[int, int], thread: int) -> Any:
    """An open file of one thread's own."""
    del state, thread
    return _pyarrow()[1].ParquetFile(place)


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
