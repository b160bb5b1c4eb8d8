"""NeMo's manifests: one JSON object a line, with `audio_filepath` and, for sections, `offset` and `duration`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from typing_extensions import override

from spectronorm.audio.places.columns import text_columns
from spectronorm.audio.places.manifests.manifest import MANIFESTS, Listing, Manifest, ManifestRow
from spectronorm.audio.places.manifests.text import first_object, objects_of
from spectronorm.audio.places.manifests.values import seconds
from spectronorm.audio.places.reference import Span

_PATH, _OFFSET, _DURATION = "audio_filepath", "offset", "duration"


@MANIFESTS.register("nemo")
class Nemo(Manifest):
    """Files, or sections of `duration` seconds from `offset` on; a row without an offset is a whole file."""

    takes: ClassVar[str] = "NeMo JSONL"

    @override
    def matches(self, path: Path, head: str) -> bool:
        return _PATH in first_object(head)

    @override
    def read(self, path: Path) -> Listing:
        rows = (_row(path, number, found) for number, found in objects_of(path))
        return Listing(rows, (path.parent, Path()), (path,))


def _row(path: Path, number: int, found: Mapping[str, Any]) -> ManifestRow:
    place = found.get(_PATH)
    columns = text_columns({key: value for key, value in found.items() if key not in (_PATH, _OFFSET, _DURATION)})
    if not isinstance(place, str) or not place:
        return ManifestRow(f"line {number}", columns, problem=f"line {number} of {path.name} has no path under {_PATH}")
    offset = seconds(path, number, found, _OFFSET)
    duration = seconds(path, number, found, _DURATION)
    problem = (
        ""
        if found.get("shard_id") is None or (path.parent / place).exists()
        else (
            f"line {number} of {path.name} is in a shard (shard_id={found['shard_id']}); give the tar files themselves"
        )
    )
    span = None if offset is None else Span(offset, None if duration is None else offset + duration)
    return ManifestRow(place, columns, span, problem=problem)
