"""Kaldi's CMVN statistics: a matrix of sums, as text, binary, or an ark with one matrix for each speaker."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import override

from spectronorm.errors import ArgumentError
from spectronorm.interop.statistics.bounded import first_bytes, whole_file
from spectronorm.interop.statistics.from_moments import from_sums, sums_of
from spectronorm.interop.statistics.read_file import KeyNeeded
from spectronorm.interop.statistics.statistics_format import (
    MOST_NUMBERS,
    STATISTICS_FORMATS,
    ShiftAndScale,
    StatisticsFormat,
)
from spectronorm.storage import atomic_write

LEAST_STD = 1e-10
"""Square root of the floor of variances in Kaldi and its descendants."""

_TEXT = re.compile(rb"(?:\S+ )?\s*\[\s*(?:[-+0-9.]|(?i:nan|inf)\b)")
_BINARY = re.compile(rb"(?:[^\s\0]+ )?\0B[DFC]")
_TYPES = {b"DM ": "<f8", b"FM ": "<f4"}
_SPACES = re.compile(rb"\s*")
_ALL = "*"


@STATISTICS_FORMATS.register("kaldi")
class Kaldi(StatisticsFormat):
    """Kaldi's global_cmvn and cmvn.ark: sums, sums of squares and a count, as text or binary, by speaker."""

    suffix = ".txt"
    convention = "(x - mean) / std, from sums and sums of squares"
    least_std = LEAST_STD
    counts = additive = True
    preset = "kaldi"

    @override
    def recognizes(self, path: Path) -> bool:
        start = first_bytes(path, 400)
        return bool(_BINARY.match(start)) or (bool(_TEXT.match(start)) and b"," not in start)

    @override
    def read(self, path: Path) -> ShiftAndScale:
        found = _by_name(whole_file(path))
        if len(found) > 1:
            names = ", ".join(list(found)[:8]) + (" …" if len(found) > 8 else "")
            raise KeyNeeded(
                f"{path}: holds the statistics of {len(found)} speakers ({names}); choose one with --key (key=), or "
                f"all of them added up with --key '{_ALL}'"
            )
        return from_matrix(*found.values())

    @override
    def read_entry(self, path: Path, key: str) -> ShiftAndScale:
        found = _by_name(whole_file(path))
        if key == _ALL:
            shapes = {matrix.shape for matrix in found.values()}
            if len(shapes) != 1:
                raise ValueError("its speakers have different numbers of bands")
            return from_matrix(sum(found.values()))
        if key not in found:
            raise ArgumentError(f"{path}: has no speaker {key!r}; it has {', '.join(list(found)[:20])}")
        return from_matrix(found[key])

    @override
    def write(self, path: Path, numbers: ShiftAndScale) -> None:
        with atomic_write(path) as file:
            file.write(matrix_text(numbers).encode())


def from_matrix(matrix: Any) -> ShiftAndScale:
    """The map of a matrix of two rows: sums and count, then sums of squares.

    Raises:
        ValueError: if the matrix has another shape, or its numbers are no sums.
    """
    if matrix.ndim != 2 or matrix.shape[0] != 2 or matrix.shape[1] < 2:
        raise ValueError(f"its matrix has the shape {matrix.shape}, but must be (2, bands + 1)")
    return from_sums(matrix[0, :-1], matrix[1, :-1], matrix[0, -1], LEAST_STD)


def matrix_text(numbers: ShiftAndScale) -> str:
    """The matrix as Kaldi's text; its last number is a plain 0, which WeNet's reader demands."""
    count, sums, squares = sums_of(numbers)
    first = " ".join(map(repr, [*sums.tolist(), int(count) if count == int(count) else count]))
    return f" [\n  {first} \n  {' '.join(map(repr, squares.tolist()))} 0 ]\n"


def _by_name(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, matrix in entries(data):
        if name in found:
            raise ValueError(f"it holds {f'speaker {name!r:.40}' if name else 'a matrix without a name'} twice")
        found[name] = matrix
    return found


def entries(data: bytes) -> Iterator[tuple[str, Any]]:
    """Yield name and matrix of each speaker of an ark; the name is empty for a single matrix.

    Raises:
        ValueError: if the file is damaged.
    """
    at = _behind_spaces(data, 0)
    while at < len(data):
        key = b""
        if data[at : at + 2] != b"\0B" and data[at : at + 1] != b"[":
            end = data.find(b" ", at)
            if end < 0:
                raise ValueError(f"it ends with {data[at : at + 20]!r}, which is no matrix")
            key, at = data[at:end].strip(), end + 1
        matrix, at = _binary(data, at + 2) if data[at : at + 2] == b"\0B" else _text(data, at)
        yield key.decode("utf-8"), matrix
        at = _behind_spaces(data, at)


def _behind_spaces(data: bytes, at: int) -> int:
    found = _SPACES.match(data, at)
    return at if found is None else found.end()


def _binary(data: bytes, at: int) -> tuple[Any, int]:
    kind = _TYPES.get(data[at : at + 3])
    if kind is None or data[at + 3 : at + 4] != b"\4" or data[at + 8 : at + 9] != b"\4":
        raise ValueError("its matrix is compressed or damaged; copy it with copy-matrix --compress=false")
    rows, columns = struct.unpack("<i", data[at + 4 : at + 8])[0], struct.unpack("<i", data[at + 9 : at + 13])[0]
    if rows != 2 or not 2 <= columns <= MOST_NUMBERS + 1:
        raise ValueError(f"its matrix has the shape {(rows, columns)}, but must be (2, bands + 1)")
    end = at + 13 + rows * columns * np.dtype(kind).itemsize
    if end > len(data):
        raise ValueError("its matrix is cut off")
    return np.frombuffer(data[at + 13 : end], kind).reshape(rows, columns).astype(np.float64), end


def _text(data: bytes, at: int) -> tuple[Any, int]:
    begin, end = data.find(b"[", at), data.find(b"]", at)
    if begin < 0 or end < begin or data[at:begin].strip():
        raise ValueError("a name is not followed by a matrix")
    rows = [[float(word) for word in line.split()] for line in data[begin + 1 : end].splitlines() if line.strip()]
    matrix = np.array(rows)
    if matrix.ndim != 2:
        raise ValueError("its matrix is damaged")
    return matrix, end + 1
