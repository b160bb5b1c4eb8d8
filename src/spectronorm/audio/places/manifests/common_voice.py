"""Common Voice: a TSV without quoting beside the folder `clips`, one for each split."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from spectronorm.audio.places.columns import text_columns
from spectronorm.audio.places.manifests.manifest import MANIFESTS, Listing, Manifest, ManifestRow
from spectronorm.audio.places.manifests.text import head_of, header_of_table, rows_of

_SPLITS = ("train", "dev", "test")


@MANIFESTS.register("common-voice")
class CommonVoice(Manifest):
    """A folder gives its splits `train`, `dev` and `test`, or what is validated; `client_id` becomes `speaker`."""

    takes: ClassVar[str] = "Common Voice TSV or its folder"

    @override
    def matches(self, path: Path, head: str) -> bool:
        return bool(_tables(path)) if path.is_dir() else _is_table(head)

    @override
    def read(self, path: Path) -> Listing:
        tables = _tables(path) if path.is_dir() else [path]
        rows = (row for table in tables for row in _rows(table))
        return Listing(rows, ((path if path.is_dir() else path.parent) / "clips",), tables)


def _is_table(head: str) -> bool:
    return {"client_id", "path"} <= set(header_of_table(head, "\t"))


def _tables(folder: Path) -> list[Path]:
    if not (folder / "clips").is_dir():
        return []
    there = [path for path in (folder / f"{split}.tsv" for split in _SPLITS) if _is_table(head_of(path))]
    return there or [path for path in [folder / "validated.tsv"] if _is_table(head_of(path))]


def _rows(table: Path) -> Iterator[ManifestRow]:
    for number, row in enumerate(rows_of(table, "\t", quoted=False), start=2):
        columns = {key: value for key, value in row.items() if key not in ("client_id", "path")}
        told = text_columns({**columns, "speaker": row.get("client_id"), "split": table.name.partition(".")[0]})
        problem = "" if row.get("path") else f"row {number} of {table.name} has no path"
        yield ManifestRow(row.get("path") or f"row {number}", told, problem=problem)
