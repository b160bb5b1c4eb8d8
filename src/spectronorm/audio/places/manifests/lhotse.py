"""Lhotse's manifests: recordings and cuts in JSON Lines, and Shar folders, whose sound lies in tar files.

Only sound as it was recorded is read: entries with a speed, a volume or other transforms are listed as bad, and so are
mixtures, padding, commands and arrays in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from typing_extensions import override

from spectronorm.audio.places.archive import clean_name, list_archive
from spectronorm.audio.places.columns import text_columns
from spectronorm.audio.places.manifests.manifest import MANIFESTS, Listing, Manifest, ManifestRow
from spectronorm.audio.places.manifests.text import first_object, objects_of
from spectronorm.audio.places.manifests.values import seconds
from spectronorm.audio.places.reference import RECORDING, ClipReference, Span
from spectronorm.audio.places.suffixes import is_audio

_CUTS = ("MonoCut", "MultiCut", "MixedCut", "PaddingCut")
_SUPERVISION = ("speaker", "gender", "language", "text")
_ROUNDING = 1e-6


@MANIFESTS.register("lhotse")
class LhotseManifest(Manifest):
    """Recordings, or cuts with the speaker, language and custom fields of their first supervision as columns."""

    takes: ClassVar[str] = "Lhotse recordings or cuts"

    @override
    def matches(self, path: Path, head: str) -> bool:
        found = first_object(head)
        return found.get("type") in _CUTS or ("sources" in found and "sampling_rate" in found)

    @override
    def read(self, path: Path) -> Listing:
        rows = (row_of(path, number, found) for number, found in objects_of(path))
        return Listing(rows, (Path(), path.parent), (path,))


@MANIFESTS.register("lhotse-shar")
class Shar(Manifest):
    """A folder of `cuts.000000.jsonl.gz` and `recording.000000.tar`: the n-th cut has the member of its id."""

    takes: ClassVar[str] = "Lhotse Shar folder"

    @override
    def matches(self, path: Path, head: str) -> bool:
        return path.is_dir() and bool(_shards(path))

    @override
    def read(self, path: Path) -> Listing:
        shards = _shards(path)
        rows = (row for cuts, tar in shards for row in _shard_rows(cuts, tar))
        return Listing(rows, (path,), [cuts for cuts, _ in shards])


def _shards(folder: Path) -> list[tuple[Path, Path]]:
    cuts = sorted(path for path in folder.glob("cuts.*") if path.name.endswith((".jsonl", ".jsonl.gz")))
    pairs = [(one, folder / f"recording.{one.name.split('.')[1]}.tar") for one in cuts]
    return [(one, tar) for one, tar in pairs if tar.is_file()]


def _shard_rows(cuts: Path, tar: Path) -> Iterator[ManifestRow]:
    members = {_stem(clip.name): clip for clip in list_archive(str(tar), is_audio)}
    for number, found in objects_of(cuts):
        row = row_of(cuts, number, {**found, "recording": {**_object(found.get("recording")), "sources": []}})
        name = clean_name(str(found.get("id", "")))
        member: ClipReference | None = members.get(name)
        if member is None or member.part is None:
            yield replace(row, problem=f"{tar.name} has no sound for the cut {name}")
        elif row.problem in ("", _NO_SOURCE):
            yield replace(row, path=str(member.location), part=member.part, problem="")
        else:
            yield row


def _stem(name: str) -> str:
    suffix = PurePosixPath(name).suffix
    return name[: len(name) - len(suffix)] if suffix else name


_NO_SOURCE = "its recording has no source"


def row_of(path: Path, number: int, found: Mapping[str, Any]) -> ManifestRow:
    """The row of a recording or a cut, as `to_dict` gives it.

    Raises:
        SourceError: if a number is none.
    """
    name = str(found.get("id") or f"line {number}")
    kind = found.get("type")
    if kind in ("MixedCut", "PaddingCut"):
        return ManifestRow(name, name=name, problem=f"it is a {kind}, not a recorded sound")
    recording = found if kind not in _CUTS else _object(found.get("recording"))
    channels, problem = _channels(found, recording)
    place, one_channel, fault = _source(recording, channels)
    transformed = recording.get("transforms") or found.get("transforms")
    problem = problem or fault or ("it has transforms, so it is not the recorded sound" if transformed else "")
    span = _span(path, number, found, recording) if kind in _CUTS else None
    columns = _columns(found) if kind in _CUTS else text_columns(_object(found.get("custom")))
    columns[RECORDING] = str(recording.get("id") or name)
    return ManifestRow(place or name, columns, span, one_channel, name, problem)


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _columns(cut: Mapping[str, Any]) -> dict[str, str]:
    supervisions = cut.get("supervisions")
    first = _object(supervisions[0]) if isinstance(supervisions, list) and supervisions else {}
    told = {key: first.get(key) for key in _SUPERVISION}
    return text_columns({**told, **_object(first.get("custom")), **_object(cut.get("custom"))})


def _channels(found: Mapping[str, Any], recording: Mapping[str, Any]) -> tuple[Sequence[int] | None, str]:
    """The channels of a cut; None for all of the recording."""
    channel = found.get("channel")
    wanted = channel if isinstance(channel, list) else None if channel is None else [channel]
    if wanted is None:
        return None, ""
    if not all(isinstance(one, int) and not isinstance(one, bool) for one in wanted):
        return None, f"its channel is {str(channel)[:40]}, not a number"
    known = recording.get("channel_ids") or [
        one for source in _sources(recording) for one in source.get("channels") or []
    ]
    return (None if not known or sorted(wanted) == sorted(known) else wanted), ""


def _sources(recording: Mapping[str, Any]) -> list[dict[str, Any]]:
    sources = recording.get("sources")
    return [_object(one) for one in sources] if isinstance(sources, list) else []


def _source(recording: Mapping[str, Any], channels: Sequence[int] | None) -> tuple[str, int | None, str]:
    """The file that holds the channels, the channel in it (None for all), and what is wrong."""
    sources = _sources(recording)
    if not sources:
        return "", None, _NO_SOURCE
    if channels is None and len(sources) > 1:
        return "", None, f"its channels lie in {len(sources)} files; list one cut for each channel"
    if channels is not None and len(channels) > 1:
        return "", None, f"it is {len(channels)} of its recording's channels; list one cut for each channel"
    for source in sources:
        here = source.get("channels") or [0]
        if channels is None or (isinstance(here, list) and channels[0] in here):
            kind, place = source.get("type"), source.get("source")
            if kind not in ("file", "url") or not isinstance(place, str):
                return "", None, f"its source is of type {str(kind)[:40]}, not a file or a URL: nothing is run for it"
            return place, None if channels is None or len(here) == 1 else here.index(channels[0]), ""
    return "", None, "its recording has no such channel"


def _span(path: Path, number: int, cut: Mapping[str, Any], recording: Mapping[str, Any]) -> Span | None:
    start = seconds(path, number, cut, "start") or 0.0
    duration = seconds(path, number, cut, "duration")
    whole = seconds(path, number, recording, "duration")
    if start == 0 and (duration is None or (whole is not None and abs(duration - whole) < _ROUNDING)):
        return None
    return Span(start, None if duration is None else start + duration)
