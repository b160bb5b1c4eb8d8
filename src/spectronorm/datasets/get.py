"""From a name to a folder that every command understands."""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from spectronorm.datasets.download import download
from spectronorm.datasets.known import Dataset
from spectronorm.datasets.verify import file_sha256
from spectronorm.errors import SourceError
from spectronorm.runs.progress import Progress, silent
from spectronorm.storage.atomic import write_text


@dataclass(frozen=True)
class Got:
    """A data set on this machine.

    Attributes:
        dataset: Which.
        source: What to give to other commands: the folder, or its table.
        checked: What was found right.
        fetched: Whether it came now; False where it lay there already.
    """

    dataset: Dataset
    source: Path
    checked: str
    fetched: bool


def get(
    dataset: Dataset,
    folder: Path,
    *,
    url: str | None = None,
    archive: Path | None = None,
    progress: Progress = silent,
) -> Got:
    """The data set in `folder`, which appears only when it is whole and checked; one that is there is checked again.

    Args:
        dataset: One of `DATASETS`.
        folder: Where it goes.
        url: A mirror's address in place of the official one; the content is checked all the same.
        archive: An archive that was fetched already, by other means.
        progress: Called with bytes that are there and all bytes, while they come.

    Raises:
        SourceError: when it cannot be fetched, or is not the published data set.
    """
    if folder.exists():
        return Got(dataset, folder / dataset.source, dataset.verify(folder), fetched=False)
    kept = folder.with_name(f".spectronorm-{folder.name}.zip")  # a name of ours, so that no archive of others is taken
    if archive is None and not kept.exists():
        advice = f"fetch {dataset.url} on another machine, and give the file with --archive, or use a mirror with --url"
        download(url or dataset.url, kept, advice=advice, progress=progress)
    packed = archive or kept
    unpacked = folder.with_name(f".spectronorm-{folder.name}.part")
    shutil.rmtree(unpacked, ignore_errors=True)  # what a killed call left
    try:
        _unpack(packed, unpacked, dataset.members)
        checked = [dataset.verify(unpacked)]
        if dataset.archive_sha256 is not None:
            same = file_sha256(packed) == dataset.archive_sha256
            checked.insert(0, f"the archive's SHA-256 is {'the known one' if same else 'another: it was packed anew'}")
        for name, rows in dataset.tables(unpacked).items():
            write_text(unpacked / name, _as_csv(rows), None)
        unpacked.rename(folder)
    except SourceError as error:
        if archive is None:
            kept.unlink()
        raise SourceError(f"{packed}: this is not {dataset.name} as it was published ({error})") from None
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
    if archive is None:
        kept.unlink()
    return Got(dataset, folder / dataset.source, "; ".join(checked), fetched=True)


def _unpack(archive: Path, folder: Path, members: tuple[str, ...]) -> None:
    """The wanted members of an archive whose only top folder is left out.

    Raises:
        SourceError: when it is no whole zip archive.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            for item in packed.infolist():
                parts = PurePosixPath(item.filename).parts[1:]
                if item.is_dir() or not parts or parts[0] not in members or ".." in parts:
                    continue
                target = folder.joinpath(*parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                with packed.open(item) as source, target.open("wb") as file:
                    shutil.copyfileobj(source, file)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise SourceError(f"it is no whole zip archive: {error}") from None


def _as_csv(rows: list[dict[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
