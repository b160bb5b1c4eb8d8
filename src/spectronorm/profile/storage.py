"""Storage of profiles: one safetensors file, validated against a strict schema when it is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import real_number
from spectronorm.audio.decoding.bit_depth import MAX_BITS
from spectronorm.audio.duration import MAX_SECONDS, MIN_SECONDS
from spectronorm.audio.native_format import NativeFormat
from spectronorm.errors import BadAudioReason, FileFormatError
from spectronorm.front_end import AnyFrontEnd, any_front_end
from spectronorm.profile.bad_files import BadFile
from spectronorm.profile.counting.format_counts import FormatCounts
from spectronorm.profile.counting.measurement import Measurement
from spectronorm.profile.groups import GroupKey
from spectronorm.profile.listed_file import ListedFile, files_as_arrays, files_of_arrays
from spectronorm.profile.stored_numbers import (
    BAND_FIELDS,
    CLIP_FIELDS,
    WIDE_FIELDS,
    check_measurement,
    check_shapes,
    demand,
)
from spectronorm.storage import container, refuse_damage

_KIND = "profile"
_FORMAT = 3
_MOST = 1 << 62
"""No count of clips or samples comes near."""
_MOST_LIBRARIES = 100
_MOST_COMMANDS = 1000
_FILE_NAMES, _FILE_DIGESTS = "file_names", "file_digests"
_SCALARS = ("clips", "population", "samples", "flat")


@dataclass(frozen=True)
class Notes:
    """Content of a profile besides its front end and integers."""

    bad: tuple[BadFile, ...]
    flagged: tuple[BadFile, ...]
    duration: float | None
    version: str
    exclude_floor: bool
    left_out: tuple[str, ...]
    from_levels: bool = False
    libraries: tuple[tuple[str, str], ...] = ()
    commands: tuple[str, ...] = ()
    files: tuple[ListedFile, ...] = ()


Contents = tuple[AnyFrontEnd, dict[GroupKey, Measurement], Notes]


def contents(
    front_end: AnyFrontEnd, groups: Mapping[GroupKey, Measurement], notes: Notes
) -> tuple[dict[str, Any], container.Tensors]:
    """Return a profile's header and tensors."""
    header = {
        "kind": _KIND,
        "format": _FORMAT,
        "version": notes.version,
        "front_end": front_end.to_dict(),
        "fingerprint": front_end.fingerprint,
        "duration": notes.duration,
        "exclude_floor": notes.exclude_floor,
        "left_out": list(notes.left_out),
        "groups": [
            {"key": [list(pair) for pair in key], **{name: getattr(m, name) for name in _SCALARS}, **_formats_of(m)}
            for key, m in groups.items()
        ],
        "bad": plain_files(notes.bad),
        "flagged": plain_files(notes.flagged),
    }
    if notes.from_levels:  # left out otherwise: the bytes of a profile of audio stay what they were
        header["from_levels"] = True
    if notes.libraries:
        header["libraries"] = dict(notes.libraries)
    if notes.commands:
        header["commands"] = list(notes.commands)
    tensors = _tensors(list(groups.values()))
    if notes.files:
        listed = sorted(one for one in notes.files if one.group in groups)
        numbers = Counter(one.group for one in listed)
        header["files"] = [numbers[key] for key in groups]
        tensors[_FILE_NAMES], tensors[_FILE_DIGESTS] = files_as_arrays(listed)
    return header, tensors


def _formats_of(m: Measurement) -> dict[str, Any]:
    """The formats of a group's recordings, left out if none is known, as in profiles of earlier versions."""
    return {"formats": m.formats.plain()} if m.formats.pairs else {}


def plain_files(listed: Iterable[BadFile]) -> list[dict[str, Any]]:
    """Return bad or flagged files as plain JSON values."""
    return [{**file.to_dict(), "group": [list(pair) for pair in file.group]} for file in listed]


def parse_libraries(plain: Any) -> tuple[tuple[str, str], ...]:
    """Names and versions of libraries, sorted; raises `ValueError` if they are no texts, or too many."""
    demand(isinstance(plain, dict) and len(plain) <= _MOST_LIBRARIES, "the libraries are no short list")
    demand(all(isinstance(version, str) for version in plain.values()), "a library's version is not text")
    return tuple(sorted(plain.items()))


def parse_commands(plain: Any) -> tuple[str, ...]:
    """Command lines in order; raises `ValueError` if they are no texts, or too many."""
    demand(isinstance(plain, list) and len(plain) <= _MOST_COMMANDS, "the commands are no short list")
    demand(all(isinstance(line, str) for line in plain), "a command is not text")
    return tuple(plain)


def parse_files(plain: Any) -> tuple[BadFile, ...]:
    """Parse the output of `plain_files`.

    Raises:
        KeyError: if an entry is missing.
        TypeError: if an entry has the wrong type.
        ValueError: if an entry is not valid.
    """
    demand(isinstance(plain, list), "a list of files is invalid")
    for b in plain:
        demand(isinstance(b["path"], str) and isinstance(b["detail"], str), "a file's name or detail is not text")
    return tuple(BadFile(b["path"], BadAudioReason(b["reason"]), b["detail"], _key(b["group"])) for b in plain)


def parse(header: Mapping[str, Any], tensors: container.Tensors, path: Path | str) -> Contents:
    """Parse a profile from a container's header and tensors, and validate every number; `path` is for the message.

    Raises:
        FileFormatError: if the container holds no profile, or numbers that no measurement can give.
    """
    if header.get("kind") != _KIND or header.get("format") != _FORMAT:
        raise FileFormatError(
            f"{path}: holds a {header.get('kind')!r} of format {header.get('format')!r}, but a profile of "
            f"format {_FORMAT} is needed; make one with spectronorm fit"
        )
    with refuse_damage(path, "the profile", "make it again with spectronorm fit"):
        return _parse(header, tensors)


def _tensors(measurements: Sequence[Measurement]) -> container.Tensors:
    tensors: container.Tensors = {
        name: np.stack([getattr(m, name) for m in measurements]) for name in (*BAND_FIELDS, *CLIP_FIELDS, *WIDE_FIELDS)
    }
    tensors["digests"] = np.concatenate([m.digests for m in measurements])
    firsts, lengths, counts = zip(*(_spans(m) for m in measurements), strict=True)
    tensors["histogram_first"] = np.stack(firsts)
    tensors["histogram_length"] = np.stack(lengths)
    tensors["histogram"] = _narrow(np.concatenate(counts))
    return tensors


def _spans(m: Measurement) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return each band's occupied part of the histogram: start, length, and the counts of all bands in a row."""
    used = m.histogram > 0
    first = np.argmax(used, axis=1)
    stop = m.histogram.shape[1] - np.argmax(used[:, ::-1], axis=1)
    counts = np.concatenate([row[a:b] for row, a, b in zip(m.histogram, first, stop, strict=True)])
    return first + m.first_cell, stop - first, counts


def _narrow(counts: NDArray[np.int64]) -> NDArray[Any]:
    """Return the counts in the smallest unsigned type that holds them."""
    return counts.astype(np.min_scalar_type(int(counts.max())))


def _parse(header: Mapping[str, Any], tensors: container.Tensors) -> Contents:
    front_end = any_front_end(header["front_end"])
    demand(header["fingerprint"] == front_end.fingerprint, "the fingerprint does not fit the front end")
    groups = header["groups"]
    demand(isinstance(groups, list) and len(groups) > 0, "there are no groups")
    check_shapes(tensors, len(groups), front_end.n_bands)
    measurements: dict[GroupKey, Measurement] = {}
    clip, cell = 0, 0
    for index, group in enumerate(groups):
        scalars = {name: group[name] for name in _SCALARS}
        demand(
            all(type(v) is int and 0 <= v < _MOST for v in scalars.values()), "a group's counts are not whole numbers"
        )
        key = _key(group["key"])
        demand(key not in measurements, "a group appears twice")
        digests = tensors["digests"][clip : clip + scalars["clips"]]
        clip += scalars["clips"]
        first, histogram, cell = _histogram(tensors, index, cell, front_end)
        measurement = Measurement(
            **scalars,
            **{name: tensors[name][index] for name in (*BAND_FIELDS, *CLIP_FIELDS, *WIDE_FIELDS)},
            first_cell=first,
            histogram=histogram,
            digests=digests,
            formats=_parse_formats(group.get("formats", []), scalars["clips"]),
        )
        check_measurement(measurement, front_end)
        measurements[key] = measurement
    demand(clip == len(tensors["digests"]) and cell == len(tensors["histogram"]), "there are numbers left over")
    duration, version = header["duration"], header["version"]
    if duration is not None:
        real_number(duration, "duration", MIN_SECONDS, MAX_SECONDS, of="s")
    demand(isinstance(version, str), "the version is not text")
    exclude_floor, left_out = header["exclude_floor"], header["left_out"]
    demand(isinstance(exclude_floor, bool), "exclude_floor is neither true nor false")
    texts = isinstance(left_out, list) and all(isinstance(text, str) for text in left_out)
    demand(texts, "left_out is not a list of texts")
    bad, flagged = parse_files(header["bad"]), parse_files(header["flagged"])
    from_levels = header.get("from_levels", False)
    demand(type(from_levels) is bool, "from_levels is neither true nor false")
    libraries = parse_libraries(header.get("libraries", {}))
    notes = Notes(
        bad,
        flagged,
        duration,
        version,
        exclude_floor,
        tuple(left_out),
        from_levels,
        libraries,
        parse_commands(header.get("commands", [])),
        _listed(header, tensors, tuple(measurements)),
    )
    return front_end, measurements, notes


def _listed(
    header: Mapping[str, Any], tensors: container.Tensors, keys: tuple[GroupKey, ...]
) -> tuple[ListedFile, ...]:
    """Return the measured files, if the profile lists them."""
    if "files" not in header:
        return ()
    numbers = header["files"]
    demand(isinstance(numbers, list) and len(numbers) == len(keys), "the numbers of files are not those of groups")
    demand(all(type(n) is int and 0 <= n < _MOST for n in numbers), "a group's number of files is not a whole number")
    return files_of_arrays(tensors[_FILE_NAMES], tensors[_FILE_DIGESTS], list(zip(keys, numbers, strict=True)))


def _parse_formats(plain: Any, clips: int) -> FormatCounts:
    demand(isinstance(plain, list) and len(plain) <= clips, "the formats are no list, or more than clips")
    rows = [tuple(row) for row in plain]
    demand(all(len(row) == 4 and all(type(v) is int for v in row) for row in rows), "a format is not whole numbers")
    known = all(0 < rate < _MOST and 0 < channels < _MOST and 0 <= bits <= MAX_BITS for rate, channels, bits, _ in rows)
    demand(known and all(0 < row[3] <= clips for row in rows), "a format or its count is out of range")
    demand(rows == sorted({row[:3]: row for row in rows}.values()), "formats are out of order, or twice there")
    demand(sum(row[3] for row in rows) <= clips, "formats count more clips than there are")
    return FormatCounts(tuple((NativeFormat(*row[:3]), row[3]) for row in rows))


def _key(plain: Any) -> GroupKey:
    key = tuple((column, value) for column, value in plain)
    demand(all(isinstance(text, str) for pair in key for text in pair), "a group's key is not text")
    return key


def _histogram(
    tensors: container.Tensors, index: int, cell: int, front_end: AnyFrontEnd
) -> tuple[int, NDArray[np.int64], int]:
    """Return a group's first cell, its histogram, and the position of the next group's counts."""
    firsts, lengths = tensors["histogram_first"][index], tensors["histogram_length"][index]
    grid = front_end.grid
    inside = (firsts >= grid.first_cell) & (lengths > 0) & (firsts + lengths <= grid.first_cell + grid.cells)
    demand(bool(inside.all()), "a histogram leaves the grid")
    first, stop = int(firsts.min()), int((firsts + lengths).max())
    histogram = np.zeros((len(firsts), stop - first), dtype=np.int64)
    for row, start, length in zip(histogram, (firsts - first).tolist(), lengths.tolist(), strict=True):
        row[start : start + length] = tensors["histogram"][cell : cell + length]
        cell += length
    return first, histogram, cell
