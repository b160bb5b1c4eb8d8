"""SpeechBrain's manifests: CSV with `ID`, `duration` and `wav`, or JSON by id; `start` and `stop` count samples.

`{data_root}` and `$data_root` stand for the folder of the manifest.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from typing_extensions import override

from spectronorm.audio.places.columns import text_columns
from spectronorm.audio.places.manifests.manifest import MANIFESTS, Listing, Manifest, ManifestRow
from spectronorm.audio.places.manifests.text import header_of_table, json_of, lines_of, rows_of
from spectronorm.audio.places.manifests.values import seconds
from spectronorm.audio.places.reference import SampleSpan
from spectronorm.errors import SourceError

_ROOTS = ("{data_root}/", "$data_root/", "${data_root}/", "{data_folder}/", "$data_folder/")
_NO_COLUMNS = ("ID", "wav", "start", "stop")


@MANIFESTS.register("speechbrain-csv")
class SpeechBrainCsv(Manifest):
    """Rows with an id and a path; columns of pickled data and of formats are left out."""

    takes: ClassVar[str] = "SpeechBrain CSV"

    @override
    def matches(self, path: Path, head: str) -> bool:
        return {"ID", "wav"} <= set(header_of_table(head, ","))

    @override
    def read(self, path: Path) -> Listing:
        rows = (_row(path, number, row["ID"], row) for number, row in enumerate(rows_of(path, ","), start=2))
        return Listing(rows, (path.parent, Path()), (path,))


@MANIFESTS.register("speechbrain-json")
class SpeechBrainJson(Manifest):
    """One object of ids; `wav` is a path, or an object with `file`, `start` and `stop`."""

    takes: ClassVar[str] = "SpeechBrain JSON"

    @override
    def matches(self, path: Path, head: str) -> bool:
        start = "".join(head[:4096].split())
        return path.suffix.lower() == ".json" and start.startswith("{") and '":{' in start and '"wav":' in start

    @override
    def read(self, path: Path) -> Listing:
        found = json_of("\n".join(lines_of(path)), path, 1)
        if not isinstance(found, dict):
            raise SourceError(f"{path}: holds no JSON object of ids; make the manifest again")
        return Listing(
            (_entry(path, number, *one) for number, one in enumerate(found.items(), 1)), (path.parent, Path()), (path,)
        )


def _entry(path: Path, number: int, name: str, entry: object) -> ManifestRow:
    row = entry if isinstance(entry, dict) else {}
    wav = row.get("wav")
    if isinstance(wav, dict):
        row = {**row, **{key: wav.get(key) for key in ("start", "stop")}, "wav": wav.get("file") or wav.get("files")}
    return _row(path, number, name, row)


def _row(path: Path, number: int, name: str, row: Mapping[str, Any]) -> ManifestRow:
    place = row.get("wav")
    columns = text_columns({key: value for key, value in row.items() if key not in _NO_COLUMNS and not _is_format(key)})
    if not isinstance(place, str) or not place:
        return ManifestRow(name, columns, name=name, problem=f"{name} has no single path under wav")
    for root in _ROOTS:
        place = place.removeprefix(root)
    start, stop = seconds(path, number, row, "start"), seconds(path, number, row, "stop")
    span = None if start is None and stop is None else SampleSpan(start or 0.0, stop)
    return ManifestRow(place, columns, span, name=name)


def _is_format(key: str) -> bool:
    return key.endswith(("_format", "_opts"))
