"""Container of everything that is saved: a safetensors file with one canonical JSON string as metadata.

Several metadata entries would be stored in random order, but the saved bytes must be a pure function of their content.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import safetensors
import safetensors.numpy
import xxhash
from numpy.typing import NDArray

from spectronorm.errors import FileFormatError
from spectronorm.storage.atomic import atomic_write
from spectronorm.storage.canonical_json import canonical_json
from spectronorm.storage.content import Content
from spectronorm.storage.damage import DAMAGE
from spectronorm.storage.replacement import overwriting
from spectronorm.storage.strict_json import strict_json

HEADER_KEY = "spectronorm"
_CHECKSUM = "checksum"

_MAX_FILE_BYTES = 2**32
"""Largest file size: spectronorm's files stay far below 4 GiB, so a larger file is refused before it is read."""

_MAX_HEADER_BYTES = 100_000_000
"""Largest header that safetensors itself allows."""

_ODD: tuple[type[Exception], ...] = (safetensors.SafetensorError, *DAMAGE)

Tensors = dict[str, NDArray[Any]]


def pack(header: Mapping[str, Any], tensors: Tensors) -> bytes:
    """The bytes of a container: a pure function of header and tensors, with their checksum in the header."""
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    whole = {**header, _CHECKSUM: _checksum(header, contiguous)}
    return bytes(safetensors.numpy.save(contiguous, metadata={HEADER_KEY: canonical_json(whole)}))


def _checksum(header: Mapping[str, Any], tensors: Tensors) -> str:
    """The XXH3-128 of the header and of every tensor with its name, type and shape."""
    digest = xxhash.xxh3_128(canonical_json(header).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(canonical_json([name, str(tensor.dtype), list(tensor.shape)]).encode())
        digest.update(np.ascontiguousarray(tensor).tobytes())
    return digest.hexdigest()


def save_tensors(path: Path, header: Mapping[str, Any], tensors: Tensors, *, overwrite: bool = False) -> None:
    """Write a container atomically; with `overwrite` it may replace a file that is not ours."""
    with overwriting(overwrite), atomic_write(path, Content.CONTAINER) as file:
        file.write(pack(header, tensors))


def load_tensors(path: Path) -> tuple[dict[str, Any], Tensors]:
    """Return header and tensors of a container.

    Raises:
        FileFormatError: if the file is not a valid container.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise FileFormatError(f"{path}: {error.strerror or error}; check the path") from None
    if not path.is_file() or size > _MAX_FILE_BYTES:
        raise FileFormatError(
            f"{path}: not a regular file of at most {_MAX_FILE_BYTES} bytes; no spectronorm file is so large"
        )
    try:
        with path.open("rb") as file:
            beginning = _beginning(file, size, path)
            data = beginning + file.read(size + 1 - len(beginning))
    except OSError as error:
        raise FileFormatError(f"{path}: {error.strerror or error}; check the path") from None
    return unpack(data, str(path))


def _beginning(file: BinaryIO, size: int, path: Path) -> bytes:
    """The length of the header and the header, which say how long the file is: nothing behind is read otherwise."""
    head = file.read(8)
    length = int.from_bytes(head, "little")
    if len(head) < 8 or length > min(size - 8, _MAX_HEADER_BYTES):
        raise FileFormatError(f"{path}: not a spectronorm file or damaged (it has no header); check the path")
    text = file.read(length)
    try:
        spans = (tensor["data_offsets"] for name, tensor in json.loads(text).items() if name != "__metadata__")
        end = 8 + length + max((span[1] for span in spans), default=0)
    except DAMAGE:
        raise FileFormatError(
            f"{path}: not a spectronorm file or damaged (its header is invalid); check the path"
        ) from None
    if end != size:
        raise FileFormatError(f"{path}: damaged: it has {size} bytes, but its header claims {end}; make it again")
    return head + text


def unpack(data: bytes, name: str) -> tuple[dict[str, Any], Tensors]:
    """Return header and tensors of a container's bytes.

    Raises:
        FileFormatError: if the bytes are not a valid container.
    """
    try:
        tensors = safetensors.numpy.load(data)
        length = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + length])["__metadata__"]
    except _ODD as error:
        raise FileFormatError(
            f"{name}: not a spectronorm file or damaged ({error}); make it again with spectronorm fit"
        ) from None
    header = _header(name, metadata)
    stored = header.pop(_CHECKSUM, None)
    try:
        sound = stored == _checksum(header, tensors)
    except (ValueError, OverflowError, RecursionError):
        sound = False
    if not sound:
        raise FileFormatError(
            f"{name}: damaged, its contents do not agree with their checksum; restore a copy, or make it again"
        )
    return header, tensors


def _header(path: str, metadata: Mapping[str, str]) -> dict[str, Any]:
    """Parse the JSON header of a container."""
    try:
        header = strict_json(metadata[HEADER_KEY])
    except (KeyError, TypeError, ValueError):
        raise FileFormatError(
            f"{path}: a safetensors file, but without a valid spectronorm header; was it made by another program?"
        ) from None
    if not isinstance(header, dict):
        raise FileFormatError(f"{path}: its header is not a JSON object; make it again with spectronorm fit")
    return header
