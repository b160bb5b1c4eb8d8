"""Clips from Python values: paths, bytes, open files, waves with their rates, and dictionaries with columns."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio.places.archive import clean_name
from spectronorm.audio.places.columns import text_columns
from spectronorm.audio.places.held import IN_MEMORY, HeldBytes, HeldContent, HeldWave
from spectronorm.audio.places.names import listed_names
from spectronorm.audio.places.place import is_url
from spectronorm.audio.places.reference import ClipReference, Part
from spectronorm.audio.places.suffixes import AUDIO_SUFFIXES, is_audio
from spectronorm.errors import ArgumentError

_AUDIO_KEYS = ("audio", "path", "file", "file_name", "filename", "audio_filepath", "bytes")
_WAVE_KEYS = ("array", "wave", "waveform", "samples", "audio")
_RATE_KEYS = ("sampling_rate", "sample_rate", "rate", "sr")
_NAME_KEYS = ("name", "id", "__key__", "utterance_id")
_MOST_HELD = 1 << 31
Expand = Callable[[str], Sequence[ClipReference]]


@dataclass
class _Gathered:
    """One item: a file by its path, or content held in memory, with the name and columns that came with it."""

    path: str | None = None
    held: HeldContent | None = None
    name: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes that it holds."""
        if isinstance(self.held, HeldBytes):
            return len(self.held.data)
        return int(self.held.samples.nbytes) if isinstance(self.held, HeldWave) else 0


def size_of(item: object) -> int:
    """The number of bytes that a Python value holds, at least: of its arrays and bytes."""
    if isinstance(item, Mapping):
        return sum(map(size_of, item.values()))
    if isinstance(item, tuple | list):
        return sum(map(size_of, item[:8]))
    return len(item) if isinstance(item, bytes | bytearray) else int(getattr(item, "nbytes", 0))


def clips_of_values(items: Iterable[object], expand: Expand, first: int = 0) -> list[ClipReference]:
    """List the clips of Python values, in their order; a path of a folder, archive or manifest gives all of its clips.

    Args:
        items: Paths, URLs, bytes, open files, pairs `(wave, rate)`, dictionaries of these with columns, or references.
        expand: Function that lists the clips of a path or URL that is not an audio file.
        first: Number of the first item, by which clips without a name are named.

    Raises:
        ArgumentError: if a value is none of these, or an iterator gives more than fits into memory.
    """
    bounded = isinstance(items, Iterator)
    found: list[_Gathered | ClipReference] = []
    held = 0
    for number, item in enumerate(items, start=first):
        one = item if isinstance(item, ClipReference) else gathered(item, number)
        found.append(one)
        held += 0 if isinstance(one, ClipReference) else one.size
        if bounded and held > _MOST_HELD:
            raise ArgumentError(
                f"the iterator gives more than {_MOST_HELD} bytes of sound, which would all be held; give it to fit, "
                "which goes through it once and holds a little, or write the sounds into files"
            )
    return list(_referenced(found, expand, first))


def _referenced(found: Sequence[_Gathered | ClipReference], expand: Expand, first: int) -> Iterator[ClipReference]:
    paths = [one.path for one in found if isinstance(one, _Gathered) and one.path is not None and not is_url(one.path)]
    names = dict(zip(paths, listed_names(Path.cwd(), paths), strict=True))
    taken: set[str] = set()
    for number, one in enumerate(found, start=first):
        if isinstance(one, ClipReference):
            yield one
        elif one.path is not None:
            yield from _of_path(one, names.get(one.path, ""), expand)
        else:
            name = clean_name(one.name) if one.name else f"{number:06d}"
            name = f"{number:06d}/{name}" if name in taken else name
            taken.add(name)
            yield ClipReference(name, IN_MEMORY, one.columns, Part(IN_MEMORY, number, held=one.held))


def _of_path(one: _Gathered, name: str, expand: Expand) -> Iterator[ClipReference]:
    path = one.path or ""
    if is_audio(PurePosixPath(path).name) and not is_url(path) and not Path(path).is_dir():
        yield ClipReference(clean_name(one.name) if one.name else name, path, one.columns)
        return
    clips = expand(path)
    single = len(clips) == 1 and Path(path).is_file() and clips[0].location == path
    inside = clean_name(PurePosixPath(path.rstrip("/")).name)
    for clip in clips:
        full = (clean_name(one.name) if one.name else name) if single else f"{inside}/{clip.name}"
        yield replace(clip, name=full, columns={**clip.columns, **one.columns})


def gathered(item: object, number: int) -> _Gathered:
    """The sound of one Python value.

    Raises:
        ArgumentError: if it is not a sound.
    """
    if isinstance(item, Mapping):
        return _of_mapping(item, number)
    found = _sound(item)
    if found is None:
        raise ArgumentError(
            f"item {number} is {_shown(item)}, but must be a path, bytes, an open file, a pair (wave, rate), or a "
            "dictionary with one of them under audio and columns beside it"
        )
    return found


def _sound(value: object) -> _Gathered | None:
    """The sound of a value that stands alone, without columns."""
    if isinstance(value, str | os.PathLike):
        return _Gathered(path=os.fsdecode(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return _Gathered(held=HeldBytes(bytes(value)))
    if isinstance(value, tuple | list) and len(value) == 2 and hasattr(value[0], "shape"):
        return _Gathered(held=HeldWave.of(value[0], value[1]))
    if isinstance(value, Mapping):
        return _of_audio(value)
    return _of_object(value)


def _of_object(value: Any) -> _Gathered | None:
    if callable(getattr(value, "get_all_samples", None)):  # a decoder of torchcodec
        samples = value.get_all_samples()
        return _Gathered(held=HeldWave.of(samples.data, samples.sample_rate))
    return _of_file(value) if callable(getattr(value, "read", None)) else None


def _of_file(file: Any) -> _Gathered:
    data = file.read()
    if not isinstance(data, bytes | bytearray):
        raise ArgumentError(f"{_shown(file)} gives {type(data).__name__}, but a file of audio is opened for bytes (rb)")
    name = getattr(file, "name", "")
    return _Gathered(held=HeldBytes(bytes(data)), name=PurePosixPath(name).name if isinstance(name, str) else "")


def _of_audio(value: Mapping[str, Any]) -> _Gathered | None:
    """The sound of a dictionary such as Hugging Face has: `{array, sampling_rate}`, or `{bytes, path}`."""
    rate = next((value[key] for key in _RATE_KEYS if value.get(key) is not None), None)
    wave = next((value[key] for key in _WAVE_KEYS if value.get(key) is not None), None)
    path = value.get("path")
    name = PurePosixPath(path).name if isinstance(path, str) else ""
    if rate is not None and wave is not None and (hasattr(wave, "shape") or isinstance(wave, list)):
        return _Gathered(held=HeldWave.of(_array(wave) if isinstance(wave, list) else wave, rate), name=name)
    if isinstance(value.get("bytes"), bytes):
        return _Gathered(held=HeldBytes(value["bytes"]), name=name)
    return _Gathered(path=path) if isinstance(path, str) else None


def _array(numbers: list[Any]) -> NDArray[np.float64]:
    try:
        return np.asarray(numbers, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ArgumentError(f"a wave given as a list is not made of numbers ({error})"[:200]) from None


def _of_mapping(item: Mapping[Any, Any], number: int) -> _Gathered:
    used, found = "", None
    for key in (*_AUDIO_KEYS, *(key for key in item if _names_audio(key))):
        if item.get(key) is not None and not (key == "audio" and hasattr(item[key], "shape")):
            used, found = key, _sound(item[key])
        if found is not None:
            break
    if found is None or any(item.get(key) is not None for key in _RATE_KEYS):
        alone = _of_audio(item)
        used, found = (used, found) if alone is None else ("", alone)
    if found is None:
        raise ArgumentError(
            f"item {number} is a dictionary with {', '.join(map(repr, list(item)[:12])) or 'nothing'}, but needs a "
            "sound under audio (a path, bytes, or a pair of wave and rate), or a wave with its sampling_rate"
        )
    named = next((key for key in _NAME_KEYS if isinstance(item.get(key), str | int) and item[key] != ""), "")
    no_columns = (used, named, *_RATE_KEYS, "__url__", "__local_path__")
    rest = {key: value for key, value in item.items() if key not in no_columns}
    name = str(item[named]) if named else found.name
    return replace(found, name=name, columns=text_columns(_flat(rest)))


def _flat(columns: Mapping[Any, Any]) -> dict[str, Any]:
    """Columns, with those of WebDataset's `json` beside them and `cls` as label."""
    flat = {str(key): value for key, value in columns.items() if key not in ("json", "cls", "__key__")}
    flat.update({str(k): v for k, v in columns["json"].items()} if isinstance(columns.get("json"), Mapping) else {})
    if columns.get("cls") is not None:
        flat.setdefault("label", columns["cls"])
    return flat


def _names_audio(key: object) -> bool:
    return isinstance(key, str) and f".{key.rpartition('.')[2].lower()}" in AUDIO_SUFFIXES


def _shown(value: object) -> str:
    shape = getattr(value, "shape", None)
    if shape is not None:
        return f"an array of shape {tuple(shape)} without a rate"
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 80 else text[:77] + '…'}"
