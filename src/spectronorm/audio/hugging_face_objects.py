"""Data sets of Hugging Face's `datasets` that are open in Python, known by their methods: nothing is imported.

Audio is taken as it is stored (`Audio(decode=False)`), and decoded as files are: torchcodec is not needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from spectronorm.audio.places.archive import clean_name
from spectronorm.audio.places.held import IN_MEMORY, HeldBytes
from spectronorm.audio.places.manifests.hugging_face_features import LISTS, Features
from spectronorm.audio.places.reference import ClipReference, Part
from spectronorm.errors import ArgumentError, AudioError, BadAudioReason

_ROWS_AT_ONCE = 1 << 12


def is_dataset(value: object) -> bool:
    """True for a `datasets.Dataset` or `IterableDataset`."""
    return all(hasattr(value, name) for name in ("features", "cast_column", "select_columns"))


def is_dataset_dict(value: object) -> bool:
    """True for a `datasets.DatasetDict`."""
    return isinstance(value, Mapping) and bool(value) and all(map(is_dataset, value.values()))


@dataclass(frozen=True, eq=False)
class _Rows:
    """A data set of one column, the sound as it is stored, which all clips share."""

    dataset: Any
    column: str


@dataclass(frozen=True, eq=False)
class HeldRow:
    """The sound of one row of a data set; a data set on disk is opened again by other processes."""

    rows: _Rows
    index: int

    def read(self) -> bytes:
        """Return the bytes of the row's audio file, or of the file that it names.

        Raises:
            AudioError: if there are none.
        """
        value = self.rows.dataset[self.index][self.rows.column]
        data, path = (value.get("bytes"), value.get("path")) if isinstance(value, Mapping) else (value, None)
        if isinstance(data, bytes):
            return data
        if not isinstance(path, str):
            raise AudioError(BadAudioReason.EMPTY, f"row {self.index} holds neither bytes nor a path")
        try:
            return Path(path).read_bytes()
        except FileNotFoundError:
            raise AudioError(
                BadAudioReason.MISSING, f"row {self.index} names {path}, and there is no such file"
            ) from None
        except (OSError, ValueError) as error:
            raise AudioError(BadAudioReason.UNREADABLE, f"{path} cannot be read ({error})") from None

    def __reduce__(self) -> tuple[Any, ...]:
        if getattr(self.rows.dataset, "cache_files", None):
            return HeldRow, (self.rows, self.index)
        return HeldBytes, (self.read(),)  # the whole data set would travel with each clip


def undecoded(dataset: Any) -> tuple[Any, Features]:
    """The data set with its audio as stored, and its features.

    Raises:
        ArgumentError: if no column is audio.
    """
    found = dict(dataset.features or {})
    decoded = [name for name, feature in found.items() if type(feature).__name__ == "Audio"]
    audio = decoded or [name for name, feature in found.items() if isinstance(feature, dict) and "bytes" in feature]
    if not audio:
        raise ArgumentError(
            f"the data set has no column of audio (its columns are {', '.join(found) or 'unknown'}); cast one to "
            "datasets.Audio(), or give dictionaries with a sound under audio"
        )
    column = "audio" if "audio" in audio else audio[0]
    names = {name: item.names for name, item in ((n, _item(f)) for n, f in found.items()) if _is_class(item)}
    for name in decoded:
        dataset = dataset.cast_column(name, type(found[name])(decode=False))
    return dataset, Features(column, names)


def clips_of_dataset(dataset: Any) -> list[ClipReference]:
    """List the rows of a data set, in memory or on disk, named by the paths of their sounds if they all differ.

    Raises:
        ArgumentError: if no column is audio.
    """
    plain, features = undecoded(dataset.with_format(None))
    rows = _Rows(plain.select_columns([features.audio]), features.audio)
    scalar = [name for name, feature in plain.features.items() if name != features.audio and _is_scalar(feature)]
    columns = list(_columns(plain.select_columns(scalar), features)) if scalar else [{}] * len(plain)
    wanted = _names(plain, features.audio)
    distinct = "" not in wanted and len(set(wanted)) == len(wanted)
    return [
        ClipReference(
            want if distinct else f"{index:06d}{'-' if want else ''}{PurePosixPath(want).name}",
            IN_MEMORY,
            columns[index],
            Part(IN_MEMORY, index, held=HeldRow(rows, index)),
        )
        for index, want in enumerate(wanted)
    ]


def clips_of_dataset_dict(datasets: Mapping[str, Any]) -> list[ClipReference]:
    """List the rows of every split, with a column `split`."""
    return [
        replace(clip, name=f"{clean_name(str(split))}/{clip.name}", columns={"split": str(split), **clip.columns})
        for split, dataset in datasets.items()
        for clip in clips_of_dataset(dataset)
    ]


def items_of(dataset: Any) -> Iterator[Mapping[str, Any]]:
    """Go through an `IterableDataset` once: each item has the bytes or path of its sound under `audio`."""
    if dataset.features is None:
        yield from dataset
        return
    plain, features = undecoded(dataset)
    for row in plain:
        yield {"audio": row[features.audio], **features.columns(row)}


def _columns(dataset: Any, features: Features) -> Iterator[dict[str, str]]:
    for start in range(0, len(dataset), _ROWS_AT_ONCE):
        batch = dataset[start : start + _ROWS_AT_ONCE]
        for values in zip(*batch.values(), strict=True):
            yield features.columns(dict(zip(batch, values, strict=True)))


def _item(feature: Any) -> Any:
    """The feature of a list's items; a feature that is not a list as it is."""
    if isinstance(feature, list) and len(feature) == 1:
        return feature[0]
    return getattr(feature, "feature", feature) if type(feature).__name__ in LISTS else feature


def _is_class(feature: object) -> bool:
    return type(feature).__name__ == "ClassLabel"


def _is_scalar(feature: object) -> bool:
    """True for a feature of text, numbers or classes, and for a list of texts or classes."""
    item = _item(feature)
    if _is_class(item):
        return True
    if item is not feature:
        return str(getattr(item, "dtype", "")) in ("string", "large_string")
    dtype = str(getattr(feature, "dtype", ""))
    return type(feature).__name__ == "Value" and "binary" not in dtype


def _names(dataset: Any, column: str) -> list[str]:
    """The paths of the sounds without their bytes; empty where there are none."""
    table = dataset.data.select([column]) if hasattr(dataset.data, "select") else dataset.data
    paths: list[str | None] = []
    for chunk in table.column(column).chunks:
        kind = chunk.type
        index = kind.get_field_index("path") if hasattr(kind, "get_field_index") else -1
        paths += chunk.field(index).to_pylist() if index >= 0 else [None] * len(chunk)
    indices = getattr(dataset, "_indices", None)
    if indices is not None:
        paths = [paths[int(index)] for index in indices.column(0).to_pylist()]
    return [clean_name(path) if path else "" for path in paths]
