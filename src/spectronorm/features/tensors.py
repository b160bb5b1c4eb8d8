"""The tensors of a `.safetensors` file, each a range of bytes with a type and a shape."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio import ClipReference
from spectronorm.audio.places.archive import clean_name
from spectronorm.audio.places.reference import Part
from spectronorm.errors import AudioError, BadAudioReason, SourceError
from spectronorm.features.shape import require_shape
from spectronorm.storage import DAMAGE
from spectronorm.storage.container import HEADER_KEY

_SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
_MAX_HEADER_BYTES = 1 << 27


def list_tensors(path: Path, name: str) -> list[ClipReference]:
    """Each tensor as a clip; none for a profile or pipeline of spectronorm.

    Raises:
        SourceError: if the file is not an intact `.safetensors` file.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(_MAX_HEADER_BYTES, size):
                raise ValueError(f"a header of {length} bytes")
            header = json.loads(file.read(length))
        if HEADER_KEY in header.pop("__metadata__", {}):
            return []
        return [_clip(path, name, key, about, 8 + length, size) for key, about in sorted(header.items())]
    except _ODD as error:
        raise SourceError(f"{str(path)!r}: is not an intact .safetensors file ({error})") from None


def _clip(path: Path, name: str, key: str, about: Any, start: int, size: int) -> ClipReference:
    begin, end = about["data_offsets"]
    shape = [int(length) for length in about["shape"]]
    kind = str(about["dtype"])
    problem = None
    if kind not in _SIZES:
        problem = f"it is {kind[:20]!r}, but levels are F16, BF16, F32 or F64"
    elif not 0 <= begin <= end <= size - start or end - begin != math.prod(shape) * _SIZES[kind]:
        problem = "its bytes do not fit its shape, or lie beyond the end of the file"
    array = f"{kind}:{','.join(map(str, shape))}"
    part = Part(str(path), start + begin, end - begin, end - begin, problem=problem, array=array)
    return ClipReference(f"{name}/{clean_name(key)}", path, part=part)


_ODD: tuple[type[Exception], ...] = (OSError, *DAMAGE)


def tensor_of(data: bytes, array: str) -> NDArray[Any]:
    """The array of these bytes; raises `AudioError` if they are fewer than its shape needs."""
    kind, _, text = array.partition(":")
    shape = tuple(int(length) for length in text.split(",") if length)
    require_shape(shape)
    if len(data) != math.prod(shape) * _SIZES[kind]:
        raise AudioError(BadAudioReason.TRUNCATED, f"it has {len(data)} bytes for a shape of {shape}")
    if kind == "BF16":
        wide = np.frombuffer(data, "<u2").astype(np.uint32) << 16
        return wide.view(np.float32).reshape(shape)
    return np.frombuffer(data, {"F64": "<f8", "F32": "<f4", "F16": "<f2"}[kind]).reshape(shape)
