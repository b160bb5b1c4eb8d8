"""Shards of `.safetensors`: each clip a tensor, found by its name and mapped from disk."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from spectronorm.passes.stores.store import Entry
from spectronorm.version import __version__

_TYPES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}


def write_safetensors(file: BinaryIO, entries: Iterator[Entry]) -> None:
    """Write the entries as they come: their bytes wait in a file beside, since the header stands before them."""
    header: dict[str, Any] = {"__metadata__": {"spectronorm.shard": __version__}}
    with tempfile.TemporaryFile(dir=Path(file.name).parent) as data:
        for entry in entries:
            start = data.tell()
            for part in entry.array.parts():
                data.write(part)
            header[entry.name] = {
                "dtype": _TYPES[entry.dtype],
                "shape": list(entry.array.shape),
                "data_offsets": [start, data.tell()],
            }
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=True).encode()
        text += b" " * (-len(text) % 8)
        file.write(len(text).to_bytes(8, "little") + text)
        data.seek(0)
        shutil.copyfileobj(data, file)
