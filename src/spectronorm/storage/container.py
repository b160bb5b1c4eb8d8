"""Container of everything that is saved: a safetensors file with one canonical JSON string as metadata.

Several metadata entries would be stored in random order, but the saved bytes must be a pure function of their content.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from spectronorm.errors import FileFormatError
from spectronorm.storage.atomic import atomic_write
from spectronorm.storage.canonical_json import canonical_json
from spectronorm.storage.content import Content
from spectronorm.storage.replacement import overwriting

HEADER_KEY = "spectronorm"

_MAX_FILE_BYTES = 2**32

"""Largest file size: spectronorm's files stay far below 4 GiB, so a larger file is refused before it is read."""

Tensors = dict[str, NDArray[Any]]


def pack(header: Mapping[str, Any], tensors: Tensors) -> bytes:
    """Return the bytes of a container: a pure function of header and tensors."""
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    return bytes(safetensors.numpy.save(contiguous, metadata={HEADER_KEY: canonical_json(header)}))


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
        data = path.read_bytes()
    except OSError as error:
        raise FileFormatError(f"{path}: {error.strerror or error}; check the path") from None
    return unpack(data, str(path))


def unpack(data: bytes, name: str) -> tuple[dict[str, Any], Tensors]:
    """Return header and tensors of a container's bytes.

    Raises:
        FileFormatError: if the bytes are not a valid container.
    """
    try:
        tensors = safetensors.numpy.load(data)
        length = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + length])["__metadata__"]
    except (safetensors.SafetensorError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise FileFormatError(
            f"{name}: not a spectronorm file or damaged ({error}); make it again with spectronorm fit"
        ) from None
    return _header(name, metadata), tensors


def _header(path: str, metadata: Mapping[str, str]) -> dict[str, Any]:
    """Parse the JSON header of a container."""
    try:
        header = json.loads(metadata[HEADER_KEY], parse_constant=_refuse_constant, object_pairs_hook=_refuse_doubles)
    except (KeyError, TypeError, ValueError, RecursionError):
        raise FileFormatError(
            f"{path}: a safetensors file, but without a sound spectronorm header; was it made by another program?"
        ) from None
    if not isinstance(header, dict):
        raise FileFormatError(f"{path}: its header is not a JSON object; make it again with spectronorm fit")
    return header


def _refuse_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Reject JSON objects with duplicate keys."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name stands twice")
    return value


def _refuse_constant(name: str) -> float:
    raise ValueError(name)
