"""Torch's archives of tensors, read and written without torch."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.interop.statistics.bounded import first_bytes, member, opened_zip, whole_file, zip_names, zipped
from spectronorm.interop.statistics.pickled import pickled

_MOST_ARCHIVE = 1 << 21
_Value = int | str | NDArray[np.float32] | dict[str, Any]


def torch_archive(path: Path) -> Any:
    """The value in an archive of `torch.save`.

    Raises:
        ValueError: if it is no such archive, holds code, or is damaged or longer than statistics need.
    """
    if path.stat().st_size > _MOST_ARCHIVE:
        raise ValueError(f"it is longer than {_MOST_ARCHIVE} bytes, so it holds more than statistics")
    with opened_zip(path) as archive:
        roots = [name for name in archive.namelist() if name == "data.pkl" or name.endswith("/data.pkl")]
        if len(roots) != 1:
            raise ValueError("it is not an archive of torch.save, which has one data.pkl")
        folder = roots[0].removesuffix("data.pkl")
        _require_little_endian(archive, folder)
        return pickled(member(archive, roots[0]), lambda key: member(archive, f"{folder}data/{key}"))


def torch_names(path: Path) -> frozenset[str]:
    """The names in a torch archive or a pickle of a dict; none if the file is something else."""
    start = first_bytes(path)
    if start.startswith(b"PK\x03\x04"):
        if not any(name.endswith("data.pkl") for name in zip_names(path)):
            return frozenset()
        value = torch_archive(path)
    elif start[:1] == b"\x80":
        value = pickled(whole_file(path))
    else:
        return frozenset()
    return frozenset(map(str, value)) if isinstance(value, dict) else frozenset()


def torch_bytes(values: Mapping[str, _Value], *, ordered: bool = False) -> bytes:
    """An archive as `torch.save` writes it, of numbers, texts and float32 tensors.

    Args:
        values: The values by name; an array becomes a tensor of float32.
        ordered: Write an OrderedDict, as for the state of a module.
    """
    tensors: list[NDArray[np.float32]] = []
    begin = _global("collections", "OrderedDict") + b")R" if ordered else b"}"
    body = b"".join(_text(name) + _pickle(value, tensors) for name, value in values.items())
    members = {"statistics/data.pkl": b"\x80\x02" + begin + b"(" + body + b"u.", "statistics/byteorder": b"little"}
    members |= {f"statistics/data/{index}": tensor.tobytes() for index, tensor in enumerate(tensors)}
    return zipped({**members, "statistics/version": b"3\n"})


def _pickle(value: _Value, tensors: list[NDArray[np.float32]]) -> bytes:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return b"}"
    if isinstance(value, int):
        return b"\x8a\x09" + value.to_bytes(9, "little", signed=True)
    tensors.append(np.ascontiguousarray(value, dtype="<f4").reshape(-1))
    length = b"J" + struct.pack("<i", tensors[-1].size)
    storage = b"(" + _text("storage") + _global("torch", "FloatStorage") + _text(str(len(tensors) - 1))
    storage += _text("cpu") + length + b"tQ"
    arguments = b"(" + storage + b"K\x00" + length + b"\x85" + b"K\x01\x85" + b"\x89"
    arguments += _global("collections", "OrderedDict") + b")R" + b"t"
    return _global("torch._utils", "_rebuild_tensor_v2") + arguments + b"R"


def _text(text: str) -> bytes:
    data = text.encode("utf-8")
    return b"X" + struct.pack("<I", len(data)) + data


def _global(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def _require_little_endian(archive: Any, folder: str) -> None:
    name = f"{folder}byteorder"
    if name in archive.namelist() and member(archive, name, 64) != b"little":
        raise ValueError("its numbers are not little-endian; save it again on a common machine")
