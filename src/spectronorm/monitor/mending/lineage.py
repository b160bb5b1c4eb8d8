"""Updated profiles on disk: ordinary profile files that contain their complete parent, so an update can be undone."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np

from spectronorm.errors import ArgumentError, FileFormatError
from spectronorm.monitor.mending.update import Update
from spectronorm.profile import Profile
from spectronorm.storage import atomic_write, container
from spectronorm.storage.content import Content
from spectronorm.storage.replacement import overwriting, protecting
from spectronorm.suggestion import known_keywords

_RECORD, _PARENT = "update", "parent"


@known_keywords
def save_update(update: Update, parent: str | Path, path: str | Path, *, overwrite: bool = False) -> dict[str, Any]:
    """Write the updated profile with its parent inside, and return the record that the file keeps.

    Raises:
        FileFormatError: if the parent's file is not a sound profile.
        OutputRefused: if a file would be replaced that is not ours, unless `overwrite` is set, or the parent.

    >>> import pathlib, tempfile, numpy as np, spectronorm as sn
    >>> from spectronorm.monitor import measure_new, update
    >>> rng = np.random.default_rng(0)
    >>> profile = sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)], sn.FrontEnd(bands=sn.Mel(24)))
    >>> new = sn.open_source([(0.05 * rng.standard_normal(8000), 16_000) for _ in range(20)])
    >>> moved = update(profile, measure_new(new, profile), force=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     parent, path = pathlib.Path(folder) / "a.safetensors", pathlib.Path(folder) / "b.safetensors"
    ...     _ = profile.save(parent)
    ...     save_update(moved, parent, path)["generation"]
    1
    """
    data = Path(parent).read_bytes()
    above = lineage(parent)
    record = {
        **update.record(),
        "generation": 1 + (above[-1]["generation"] if above else 0),
        "parent": Path(parent).name,
        "parent_sha256": hashlib.sha256(data).hexdigest(),
    }
    header, tensors = update.profile.to_container()
    Profile.from_container(header, tensors, Path(path))  # Check that the written profile can be read.
    header = {**header, _RECORD: [*above, record]}
    with protecting([parent]):
        whole = {**tensors, _PARENT: np.frombuffer(data, dtype=np.uint8)}
        container.save_tensors(Path(path), header, whole, overwrite=overwrite)
    return record


def lineage(path: str | Path) -> list[dict[str, Any]]:
    """Records of all updates that led to a profile, oldest first; an empty list for a measured profile.

    Raises:
        FileFormatError: if the file is not a valid profile.

    >>> import pathlib, tempfile, numpy as np, spectronorm as sn
    >>> profile = sn.fit([(0.1 * np.random.default_rng(0).standard_normal(8000), 16_000)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "measured.safetensors"
    ...     _ = profile.save(path)
    ...     lineage(path)
    []
    """
    header, tensors = container.load_tensors(Path(path))
    profile = Profile.from_container(header, tensors, Path(path))
    records: list[dict[str, Any]] = header.get(_RECORD, [])
    sound = isinstance(records, list) and all(_is_record(r, profile.front_end.n_bands) for r in records)
    if not sound or bool(records) != (_PARENT in tensors):
        raise FileFormatError(f"{path}: the record of its updates is damaged; go back to the profile that was measured")
    return records


@known_keywords
def rollback(path: str | Path, output: str | Path, *, overwrite: bool = False) -> dict[str, Any]:
    """Write the parent of an updated profile, byte by byte as it was, and return the record that is undone.

    Raises:
        ArgumentError: if the profile was measured, not updated.
        FileFormatError: if the file is damaged.
        OutputRefused: if a file would be replaced that is not ours, unless `overwrite` is set, or the updated profile.

    >>> import pathlib, tempfile, numpy as np, spectronorm as sn
    >>> from spectronorm.monitor import measure_new, update
    >>> rng = np.random.default_rng(0)
    >>> profile = sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)], sn.FrontEnd(bands=sn.Mel(24)))
    >>> new = sn.open_source([(0.05 * rng.standard_normal(8000), 16_000) for _ in range(20)])
    >>> moved = update(profile, measure_new(new, profile), force=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first, second, back = (pathlib.Path(folder) / f"{name}.safetensors" for name in ("first", "second", "back"))
    ...     _ = profile.save(first)
    ...     _ = save_update(moved, first, second)
    ...     _ = rollback(second, back)
    ...     back.read_bytes() == first.read_bytes()
    True
    """
    records = lineage(path)
    if not records:
        raise ArgumentError(f"{path}: was measured, not updated: there is nothing to roll back")
    data = container.load_tensors(Path(path))[1][_PARENT].tobytes()
    if hashlib.sha256(data).hexdigest() != records[-1]["parent_sha256"]:
        raise FileFormatError(f"{path}: the previous profile inside is damaged; use the file that it was saved in")
    with protecting([path]), overwriting(overwrite), atomic_write(Path(output), Content.CONTAINER) as file:
        file.write(data)
    return records[-1]


def _is_record(record: Any, bands: int) -> bool:
    try:
        numbers = [*record["shift"], *record["mean_shift"], record["rms_shift"], record["peak_shift"]]
        return (
            len(record["shift"]) == len(record["mean_shift"]) == bands
            and all(isinstance(n, float | int) and math.isfinite(n) for n in numbers)
            and type(record["generation"]) is int
            and isinstance(record["parent_sha256"], str)
        )
    except (KeyError, TypeError):
        return False
