"""Metadata of a sherpa-onnx model: negative means and inverse deviations as texts in an ONNX file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from typing_extensions import override

from spectronorm.interop.statistics.from_moments import from_inverse_std
from spectronorm.interop.statistics.statistics_format import STATISTICS_FORMATS, ShiftAndScale, StatisticsFormat
from spectronorm.storage import atomic_write

_METADATA = 14
_LENGTH_DELIMITED = 2
_MOST_ENTRY = 1 << 21
_MOST_FIELDS = 100_000
_WIDTH = {1: 8, 5: 4}


@STATISTICS_FORMATS.register("sherpa")
class SherpaOnnx(StatisticsFormat):
    """sherpa-onnx's metadata in an ONNX model: neg_mean and inv_stddev; written as a model that holds only them."""

    suffix = ".onnx"
    convention = "(x + neg_mean) · inv_stddev"
    preset = "funasr"
    lacks = (
        "The file is an ONNX model without a graph: append its bytes to your model, which merges the metadata.",
        "sherpa-onnx applies the numbers after stacking frames: repeat them for each stacked frame.",
    )

    @override
    def recognizes(self, path: Path) -> bool:
        return path.suffix.lower() == ".onnx" and {"neg_mean", "inv_stddev"} <= dict(_metadata(path)).keys()

    @override
    def read(self, path: Path) -> ShiftAndScale:
        found = dict(_metadata(path))
        negative, inverse = ([float(word) for word in found[name].split(",")] for name in ("neg_mean", "inv_stddev"))
        return from_inverse_std([-value for value in negative], inverse)

    @override
    def write(self, path: Path, numbers: ShiftAndScale) -> None:
        texts = {
            "neg_mean": ",".join(map(repr, (-numbers.shift).tolist())),
            "inv_stddev": ",".join(map(repr, (1.0 / numbers.scale).tolist())),
        }
        with atomic_write(path) as file:
            for key, value in texts.items():
                entry = _field(1, key.encode()) + _field(2, value.encode())
                file.write(_field(_METADATA, entry))


def _metadata(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the key and text of each entry; everything else, such as the graph, is passed over unread."""
    size = path.stat().st_size
    with path.open("rb") as file:
        for _ in range(_MOST_FIELDS):
            if file.tell() >= size:
                return
            number, kind = divmod(_varint(file), 8)
            length = _varint(file) if kind == _LENGTH_DELIMITED else _WIDTH.get(kind, 0)
            if kind == 0:
                _varint(file)
            elif (kind != _LENGTH_DELIMITED and kind not in _WIDTH) or file.tell() + length > size:
                raise ValueError("it is not a whole ONNX file")
            elif number == _METADATA and kind == _LENGTH_DELIMITED:
                if length > _MOST_ENTRY:
                    raise ValueError("an entry of its metadata is longer than statistics need")
                yield _entry(file.read(length))
            else:
                file.seek(length, 1)
    raise ValueError("it has more fields than an ONNX file")


def _entry(data: bytes) -> tuple[str, str]:
    texts, at = {1: b"", 2: b""}, 0
    while at < len(data):
        key = data[at]
        length, at = _varint_in(data, at + 1)
        if key % 8 != _LENGTH_DELIMITED or key // 8 not in texts or at + length > len(data):
            raise ValueError("an entry of its metadata is damaged")
        texts[key // 8], at = data[at : at + length], at + length
    return texts[1].decode("utf-8"), texts[2].decode("utf-8")


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 64, 7):
        byte = file.read(1)
        if not byte:
            break
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise ValueError("it is not a whole ONNX file")


def _varint_in(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value, at
    raise ValueError("an entry of its metadata is damaged")


def _field(number: int, data: bytes) -> bytes:
    return _number(number * 8 + _LENGTH_DELIMITED) + _number(len(data)) + data


def _number(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))
