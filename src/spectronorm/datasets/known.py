"""Catalogue of the data sets that can be downloaded: addresses, and checks of their content."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from spectronorm.audio.places.manifests.table import read_table
from spectronorm.datasets.verify import verify_blobs, verify_labelled_waves
from spectronorm.errors import ArgumentError
from spectronorm.short_repr import with_short_repr
from spectronorm.suggestion import choice_of, known_settings

Rows = list[dict[str, str]]


@known_settings
@with_short_repr
@dataclass(frozen=True)
class Dataset:
    """A data set.

    Attributes:
        name: Name of the data set in spectronorm.
        summary: Description in words.
        licence: Licence of the data set.
        citation: Publication to cite.
        url: Official address of the zip archive, of one commit, which cannot change.
        archive_sha256: SHA-256 of the archive; None if it is not known.
        members: The folders and files of the archive to keep.
        verify: Checks the unpacked folder, returns a description of the check, and raises `SourceError` if it fails.
        tables: Returns the rows of tables that are written next to the files.
        source: Source for commands: "" for the folder, or one of its tables if labels are given only by file names.

    >>> from spectronorm.datasets import DATASETS
    >>> DATASETS["fsdd"].summary
    'Free Spoken Digit Dataset: 3000 recordings of ten digits by six speakers, 8 kHz'
    >>> DATASETS["esc50"].licence
    "CC BY-NC 3.0; each clip's own licence is in LICENSE"
    """

    name: str
    summary: str
    licence: str
    citation: str
    url: str
    archive_sha256: str | None
    members: tuple[str, ...]
    verify: Callable[[Path], str]
    tables: Callable[[Path], Mapping[str, Rows]]
    source: str = ""


def _esc10(folder: Path) -> Mapping[str, Rows]:
    """Return the rows of the ten classes of ESC-50 that form ESC-10."""
    marked = [row for row in read_table(folder / "meta" / "esc50.csv") if row["esc10"] == "True"]
    columns = {"label": "category", "fold": "fold", "src_file": "src_file"}
    return {
        "esc10.csv": [
            {"path": f"audio/{row['filename']}"} | {name: row[column] for name, column in columns.items()}
            for row in marked
        ]
    }


def _digits(folder: Path) -> Mapping[str, Rows]:
    """Return rows from FSDD's names `{digit}_{speaker}_{index}.wav`; recordings 0 to 4 are its official test set."""
    rows = []
    for path in sorted(folder.glob("recordings/*.wav")):
        digit, speaker, index = path.stem.split("_")
        official = "test" if int(index) < 5 else "train"
        rows.append({"path": f"recordings/{path.name}", "label": digit, "speaker": speaker, "official": official})
    return {"clips.csv": rows}


_ESC50 = Dataset(
    name="esc50",
    summary="ESC-50: 2000 environmental recordings of 5 s in 50 classes and 5 folds, 44.1 kHz (ESC-10 is part of it)",
    licence="CC BY-NC 3.0; each clip's own licence is in LICENSE",
    citation="K. J. Piczak, ESC: Dataset for Environmental Sound Classification, ACM Multimedia 2015",
    url="https://github.com/karolpiczak/ESC-50/archive/33c8ce9eb2cf0b1c2f8bcf322eb349b6be34dbb6.zip",
    archive_sha256="661183a6f53ef04f12c9bd618fed0ddc1713280d6c94a5a5431e844ba6f6a21f",
    members=("audio", "meta", "LICENSE", "README.md"),
    verify=lambda folder: verify_labelled_waves(
        folder, "meta/esc50.csv", "54a0d0055a10bb7df84ad340a148722e", count=2000, rate=44_100, samples=220_500
    ),
    tables=_esc10,
)
_FSDD = Dataset(
    name="fsdd",
    summary="Free Spoken Digit Dataset: 3000 recordings of ten digits by six speakers, 8 kHz",
    licence="CC BY-SA 4.0",
    citation="Z. Jackson et al., Free Spoken Digit Dataset, doi:10.5281/zenodo.1342401",
    url="https://github.com/Jakobovski/free-spoken-digit-dataset/archive/26eb9aaf76e81b692f806f9140c2d2777410d7a1.zip",
    archive_sha256=None,
    members=("recordings", "README.md"),
    verify=lambda folder: verify_blobs(
        folder, "recordings", "524c5f464b975c26f0cae6fb938ae3d3dbbdfb0f1540f958d9822f643cffcabb", count=3000
    ),
    tables=_digits,
    source="clips.csv",
)

DATASETS: Mapping[str, Dataset] = {"esc50": _ESC50, "fsdd": _FSDD}
"""Every data set that can be downloaded, by the name that `spectronorm datasets get` takes."""


def find_dataset(name: str) -> Dataset:
    """Return the data set with this name.

    Raises:
        ArgumentError: if there is no such data set.

    >>> find_dataset("esc50").name
    'esc50'
    """
    if name not in DATASETS:
        raise ArgumentError(f"data set {name!r} is unknown; use {choice_of(name, DATASETS)}")
    return DATASETS[name]
