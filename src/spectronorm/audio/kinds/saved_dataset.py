"""Source kind of data sets that Hugging Face's `datasets` saved: folders of Arrow files, and single Parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from spectronorm.audio.kinds.source_kind import SOURCES, SourceKind
from spectronorm.audio.places.manifests.hugging_face import has_audio, is_parquet, list_rows, list_saved
from spectronorm.audio.places.reference import ClipReference
from spectronorm.errors import MissingExtra


@SOURCES.register("hugging-face")
class SavedDataset(SourceKind):
    """Rows that hold the bytes of audio files (extra `parquet`); the other columns are the clips' columns."""

    takes: ClassVar[str] = "a Hugging Face data set on disk (Parquet with audio, or a folder of save_to_disk)"

    @override
    def matches(self, place: str) -> bool:
        path = Path(place)
        if is_parquet(path.name) and path.is_file():
            try:
                return has_audio(path)
            except MissingExtra:
                return False  # the kind of tables says so
        saved = (path / "state.json").is_file() and (path / "dataset_info.json").is_file()
        return saved or (path / "dataset_dict.json").is_file()

    @override
    def clips(self, place: str) -> list[ClipReference]:
        path = Path(place)
        return list_saved(path) if path.is_dir() else list_rows(path.parent, [path])
