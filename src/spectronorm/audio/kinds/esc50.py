"""Source kind of a folder in ESC-50's layout."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from spectronorm.audio.kinds.source_kind import SOURCES, SourceKind
from spectronorm.audio.places.archive import clean_name
from spectronorm.audio.places.manifests.table import read_table
from spectronorm.audio.places.reference import ClipReference
from spectronorm.errors import SourceError


@SOURCES.register("esc50")
class Esc50(SourceKind):
    """Clips listed in `meta/esc50.csv`, with its columns; `label` is the category."""

    takes: ClassVar[str] = "a folder in ESC-50's layout"

    @override
    def matches(self, place: str) -> bool:
        return (Path(place) / "meta" / "esc50.csv").is_file() and (Path(place) / "audio").is_dir()

    @override
    def clips(self, place: str) -> list[ClipReference]:
        root, meta = Path(place), Path(place) / "meta" / "esc50.csv"
        rows = read_table(meta)
        clips = []
        for row in rows:
            if not row.get("filename"):
                raise SourceError(f"{meta}: needs a column filename with a value in each row, as ESC-50 has it")
            columns = {key: value for key, value in row.items() if key and value and key != "filename"}
            if "category" in columns:
                columns["label"] = columns["category"]
            clips.append(ClipReference(clean_name(row["filename"]), root / "audio" / row["filename"], columns))
        return clips
