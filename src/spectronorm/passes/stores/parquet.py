"""Shards of Parquet (extra `parquet`): a clip is a row, its level nested lists, compressed to three quarters.

A row is written from memory: pyarrow takes the whole array of a clip at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from spectronorm.errors import MissingExtra
from spectronorm.features.parquet import CLIP, LEVEL
from spectronorm.passes.stores.store import Entry

_FRAMES = "frames"
_GROUP_BYTES = 1 << 16
"""A row group ends when its levels take this number of bytes: reading one clip unpacks the group that it lies in."""


@dataclass(frozen=True, eq=False)
class _Row:
    entry: Entry
    level: NDArray[np.generic]


def write_parquet(file: BinaryIO, entries: Iterator[Entry]) -> None:
    """Write the entries as they come, a row group at a time.

    Raises:
        MissingExtra: if pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except (ImportError, OSError):
        raise MissingExtra("Writing Parquet", "parquet") from None
    writer = None
    names: list[str] = []
    try:
        for rows in _groups(entries):
            if writer is None:
                names = sorted({name for row in rows for name in row.entry.columns} - {CLIP, LEVEL, _FRAMES})
            table = _table(pyarrow, rows, names).replace_schema_metadata({"spectronorm": "shard"})
            if writer is None:
                writer = parquet.ParquetWriter(file, table.schema, compression="zstd", **_encoding(rows[0].level))
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def _encoding(level: NDArray[np.generic]) -> dict[str, Any]:
    """The bytes of floats by their significance, which compresses better; levels hardly ever repeat a value."""
    column = LEVEL + ".list.element" * level.ndim
    return {"use_dictionary": False, "use_byte_stream_split": [column] if level.dtype == np.float32 else False}


def _groups(entries: Iterator[Entry]) -> Iterator[list[_Row]]:
    rows: list[_Row] = []
    waiting = 0
    for entry in entries:
        # At once: an array may wait in a file that is closed when the next entry is asked for.
        rows.append(_Row(entry, entry.array.array()))
        waiting += entry.array.nbytes
        if waiting >= _GROUP_BYTES:
            yield rows
            rows, waiting = [], 0
    if rows:
        yield rows


def _table(pyarrow: Any, rows: list[_Row], names: list[str]) -> Any:
    entries = [row.entry for row in rows]
    columns = {
        CLIP: pyarrow.array([entry.name for entry in entries], pyarrow.string()),
        _FRAMES: pyarrow.array([entry.frames for entry in entries], pyarrow.int32()),
        LEVEL: _nested(pyarrow, [row.level for row in rows]),
        **{name: pyarrow.array([e.columns.get(name) for e in entries], pyarrow.string()) for name in names},
    }
    return pyarrow.table(columns)


def _nested(pyarrow: Any, levels: list[NDArray[np.generic]]) -> Any:
    """Arrays of equal depth as nested lists."""
    flat = [level.ravel() for level in levels]
    values = pyarrow.array(flat[0] if len(flat) == 1 else np.concatenate(flat))
    for axis in range(levels[0].ndim - 1, -1, -1):
        lengths = np.concatenate([np.full(int(np.prod(level.shape[:axis])), level.shape[axis]) for level in levels])
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        values = pyarrow.ListArray.from_arrays(pyarrow.array(offsets), values)
    return values
