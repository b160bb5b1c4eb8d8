"""Bytes of clips that lie in the rows of Parquet and Arrow files (extra `parquet`), as Hugging Face stores audio.

Rows are read in the order of the file, a few at a time: a row group may be larger than memory. Arrow files are mapped
into memory, so every offset in them is checked before it is followed.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

from spectronorm.audio.kept_open import keep_open
from spectronorm.audio.places.place import state
from spectronorm.audio.places.reference import Part
from spectronorm.errors import AudioError, BadAudioReason, MissingExtra

PARQUET_ROW, ARROW_ROW = "parquet row", "arrow row"
"""Methods of a `Part` that is a row: its `start` is the number of the row, its `array` the name of the column."""
_AT_ONCE = 8
_MAX_IDLE = 4
_MAX_BYTES = 1 << 32


def pyarrow() -> Any:
    """Return the module `pyarrow`, with `parquet` and `ipc`.

    Raises:
        MissingExtra: if it is not installed.
    """
    try:
        import pyarrow
        import pyarrow.ipc
        import pyarrow.parquet
    except (ImportError, OSError):
        raise MissingExtra("Reading Parquet and Arrow files", "parquet") from None
    return pyarrow


def odd_table() -> tuple[type[Exception], ...]:
    """The exceptions that pyarrow raises for a damaged file."""
    return (pyarrow().ArrowException, OSError, LookupError, TypeError, ValueError, ArithmeticError, MemoryError)


def read_row(part: Part) -> bytes:
    """Return the bytes of the audio file that a row holds, or that its path names.

    Raises:
        AudioError: if the row or the file that it names cannot be read.
    """
    keep_open(close_rows)
    try:
        if part.method == ARROW_ROW:
            data, path = _arrow_row(part)
        else:
            data, path = _STREAMS.read(part)
    except odd_table() as error:
        raise AudioError(BadAudioReason.UNREADABLE, f"row {part.start} of {part.place}: {error}"[:300]) from None
    if data is not None:
        return data
    if not path:
        raise AudioError(BadAudioReason.EMPTY, f"row {part.start} of {part.place} holds neither bytes nor a path")
    file = Path(part.place).parent / path
    try:
        if file.is_file():
            return file.read_bytes()
    except (OSError, ValueError) as error:
        raise AudioError(BadAudioReason.UNREADABLE, f"{path} cannot be read ({error})") from None
    raise AudioError(BadAudioReason.MISSING, f"row {part.start} names {path}, and there is no such file")


def _value(column: Any, index: int) -> tuple[bytes | None, str | None]:
    """Bytes and path of one row of a column of structures or of bytes."""
    value = column[index].as_py()
    if isinstance(value, dict):
        data, path = value.get("bytes"), value.get("path")
    else:
        data, path = value, None
    if data is not None and not isinstance(data, bytes):
        raise TypeError(f"it holds {type(data).__name__}, not bytes")
    if data is not None and len(data) > _MAX_BYTES:
        raise ValueError(f"it holds {len(data)} bytes")
    return data, None if path is None else str(path)


class _Stream:
    """A Parquet file, read up to some row."""

    def __init__(self, part: Part) -> None:
        arrow = pyarrow()
        self.key = part.place, part.array
        self.state = state(Path(part.place).stat())
        self._file = arrow.parquet.ParquetFile(part.place, pre_buffer=False, buffer_size=1 << 20)
        self._column = part.array
        about = self._file.metadata
        sizes = (about.row_group(group).num_rows for group in range(about.num_row_groups))
        self._starts = [0, *accumulate(sizes)]
        self._group = -1
        self.position = 0
        self._batches: Iterator[Any] = iter(())
        self._batch: Any = None

    def read(self, row: int) -> tuple[bytes | None, str | None]:
        """Return bytes and path of a row that is not before `position`."""
        self._enter_group_of(row)
        while self._batch is None or row >= self.position + len(self._batch):
            self.position += 0 if self._batch is None else len(self._batch)
            self._batch = next(self._batches).column(0)
        return _value(self._batch, row - self.position)

    def _enter_group_of(self, row: int) -> None:
        group = bisect_right(self._starts, row) - 1
        if not 0 <= group < len(self._starts) - 1:
            raise IndexError(f"the file has {self._starts[-1]} rows")
        if group != self._group:
            self._group, self.position, self._batch = group, self._starts[group], None
            self._batches = self._file.iter_batches(_AT_ONCE, row_groups=[group], columns=[self._column])

    def close(self) -> None:
        self._file.close()


class RowStreams:
    """Open Parquet files: a read continues the furthest one that is not yet past its row."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Stream] = []

    def read(self, part: Part) -> tuple[bytes | None, str | None]:
        """Return bytes and path of a row."""
        now = state(Path(part.place).stat())
        stream = self._take(part, now)
        try:
            found = stream.read(part.start)
        except BaseException:
            stream.close()
            raise
        if state(Path(part.place).stat()) != now or stream.state != now:
            stream.close()
            raise AudioError(BadAudioReason.CHANGING, f"{part.place} changed while it was read")
        with self._lock:
            self._idle.append(stream)
            dropped = self._idle.pop(0) if len(self._idle) > _MAX_IDLE else None
        if dropped is not None:
            dropped.close()
        return found

    def _take(self, part: Part, now: tuple[int, ...]) -> _Stream:
        with self._lock:
            usable = [
                stream
                for stream in self._idle
                if stream.key == (part.place, part.array) and stream.state == now and stream.position <= part.start
            ]
            if usable:
                best = max(usable, key=lambda stream: stream.position)
                self._idle.remove(best)
                return best
        return _Stream(part)

    def close(self) -> None:
        """Close every file that is not being read."""
        with self._lock:
            idle, self._idle[:] = list(self._idle), []
        for stream in idle:
            stream.close()


_STREAMS = RowStreams()


def close_rows() -> None:
    """Close the Parquet and Arrow files that this process has open."""
    _STREAMS.close()
    _batches.cache_clear()
    _column.cache_clear()


def _arrow_row(part: Part) -> tuple[bytes | None, str | None]:
    status = state(Path(part.place).stat())
    row = part.start
    for number, batch in enumerate(_batches(part.place, status)):
        if row < batch.num_rows:
            return _value(_column(part.place, status, number, part.array or ""), row)
        row -= batch.num_rows
    raise IndexError(f"the file has {part.start - row} rows")


@lru_cache(maxsize=4)
def _batches(place: str, status: tuple[int, ...]) -> tuple[Any, ...]:
    """The batches of an Arrow file, mapped into memory; the file's state is part of what they are kept under."""
    del status
    return tuple(open_arrow(place))


@lru_cache(maxsize=16)
def _column(place: str, status: tuple[int, ...], number: int, name: str) -> Any:
    """A column of a batch, all of whose offsets lie within the file."""
    batch = _batches(place, status)[number]
    column = batch.column(batch.schema.get_field_index(name))
    column.validate(full=True)
    return column


def open_arrow(place: str) -> Iterator[Any]:
    """Yield the batches of an Arrow file, of the stream format, as `datasets` writes it, or of the file format."""
    arrow = pyarrow()
    mapped = arrow.memory_map(place)
    if mapped.read(6) == b"ARROW1":
        file = arrow.ipc.open_file(mapped)
        yield from (file.get_batch(number) for number in range(file.num_record_batches))
        return
    mapped.seek(0)
    yield from arrow.ipc.open_stream(mapped)
