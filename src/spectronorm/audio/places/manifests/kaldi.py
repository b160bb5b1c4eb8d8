"""Kaldi's data directories and `wav.scp` files, with `segments` and `utt2spk` where they lie beside.

Commands are refused, since a manifest must not run programs: a list of files takes their place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from spectronorm.audio.places.manifests.manifest import MANIFESTS, Listing, Manifest, ManifestRow
from spectronorm.audio.places.manifests.text import lines_of
from spectronorm.audio.places.reference import RECORDING, Span
from spectronorm.errors import SourceError

_IN_ARCHIVE = re.compile(r".*:\d+(\[[\d:,]*\])?")
_SCP, _SEGMENTS, _SPEAKERS = "wav.scp", "segments", "utt2spk"


@MANIFESTS.register("kaldi")
class KaldiManifest(Manifest):
    """Ids and paths; an id of `segments` is a section of a recording, and `utt2spk` gives the column `speaker`."""

    takes: ClassVar[str] = "Kaldi directory or wav.scp"

    @override
    def matches(self, path: Path, head: str) -> bool:
        if path.is_dir():
            return (path / _SCP).is_file()
        if path.name == _SEGMENTS:
            return (path.parent / _SCP).is_file()
        return bool(head) and (
            path.name == _SCP or (path.suffix == ".scp" and not re.search(r"\.ark:\d+\s*$", head, re.M))
        )

    @override
    def read(self, path: Path) -> Listing:
        scp = path / _SCP if path.is_dir() else path.parent / _SCP if path.name == _SEGMENTS else path
        folder = scp.parent
        files = [scp, *(folder / name for name in (_SEGMENTS, _SPEAKERS) if (folder / name).is_file())]
        speakers = dict(_pairs(folder / _SPEAKERS)) if folder / _SPEAKERS in files else {}
        rows = _segments(scp, folder / _SEGMENTS, speakers) if folder / _SEGMENTS in files else _whole(scp, speakers)
        return Listing(rows, (Path(), folder), files)


def _pairs(path: Path) -> Iterator[tuple[str, str]]:
    """The id and the rest of each line."""
    for number, line in enumerate(lines_of(path), start=1):
        if line.strip():
            parts = line.strip().split(maxsplit=1)
            if len(parts) < 2:
                raise SourceError(f"{path}: line {number} is {line.strip()[:80]!r}, but needs an id and a value")
            yield parts[0], parts[1]


def _whole(scp: Path, speakers: Mapping[str, str]) -> Iterator[ManifestRow]:
    for name, place in _pairs(scp):
        yield ManifestRow(place, _columns(name, speakers), name=name, problem=_problem(place))


def _columns(name: str, speakers: Mapping[str, str]) -> dict[str, str]:
    return {"speaker": speakers[name]} if name in speakers else {}


def _problem(place: str) -> str:
    """The reason why an entry of `wav.scp` is not a file; empty for a file."""
    if place.endswith("|") or place.startswith("|"):
        return f"wav.scp gives a command, which is not run ({place[:80]}); run it, and list the files that it makes"
    if place == "-":
        return "wav.scp gives the standard input; list a file"
    if _IN_ARCHIVE.fullmatch(place):
        return f"wav.scp gives a position in an archive ({place[:80]}); copy the waves into files and list those"
    return ""


def _segments(scp: Path, segments: Path, speakers: Mapping[str, str]) -> Iterator[ManifestRow]:
    recordings = dict(_pairs(scp))
    for number, (name, rest) in enumerate(_pairs(segments), start=1):
        parts = rest.split()
        if len(parts) not in (3, 4):
            raise SourceError(
                f"{segments}: line {number} has {len(parts) + 1} fields, but is an id, a recording, two times"
            )
        place = recordings.get(parts[0], "")
        problem = _problem(place) if place else f"wav.scp has no recording {parts[0]}"
        span = Span(_number(segments, number, parts[1]), _end(_number(segments, number, parts[2])))
        channel = int(_number(segments, number, parts[3])) if len(parts) == 4 else None
        columns = {**_columns(name, speakers), RECORDING: parts[0]}
        yield ManifestRow(place or parts[0], columns, span, channel, name, problem)


def _end(seconds: float) -> float | None:
    """The end of a segment, where -1 is the end of the recording."""
    return None if seconds == -1 else seconds


def _number(path: Path, number: int, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SourceError(f"{path}: line {number} has {text[:80]!r} where a number is expected") from None
