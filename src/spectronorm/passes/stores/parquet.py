"""Shards of Parquet (extra `parquet`): a clip is a row, its level nested lists, which compress to a third."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO

import numpy as np

from spectronorm.errors import MissingExtra
from spectronorm.features.parquet import CLIP, LEVEL, ROWS
from spectronorm.passes.stores.store import Entry

_FRAMES = "frames"


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
        while some := list(islice(entries, ROWS)):
            if writer is None:
                names = sorted({name for entry in some for name in entry.columns} - {CLIP, LEVEL, _FRAMES})
            table = _table(pyarrow, some, names)
            if writer is None:
                schema = table.schema.with_metadata({"spectronorm": "shard"})
                writer = parquet.ParquetWriter(file, schema, compression="zstd")
            writer.write_table(table.replace_schema_metadata({"spectronorm": "shard"}))
    finally:
        if writer is not None:
            writer.close()


def _table(pyarrow: Any, some: list[Entry], names: list[str]) -> Any:
    columns = {
        CLIP: pyarrow.array([entry.name for entry in some], pyarrow.string()),
        _FRAMES: pyarrow.array([entry.frames for entry in some], pyarrow.int32()),
        LEVEL: _nested(pyarrow, some),
        **{name: pyarrow.array([e.columns.get(name) for e in some], pyarrow.string()) for name in names},
    }
    return pyarrow.table(columns)


def _nested(pyarrow: Any, some: list[Entry]) -> Any:
    """Arrays of equal depth as nested lists."""
    values = pyarrow.array(np.concatenate([entry.array.ravel() for entry in some]))
    for axis in range(some[0].array.ndim - 1, -1, -1):
        lengths = np.concatenate(
            [np.full(int(np.prod(entry.array.shape[:axis])), entry.array.shape[axis]) for entry in some]
        )
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        values = pyarrow.ListArray.from_arrays(pyarrow.array(offsets), values)
    return values
