"""Download of a data set by name, into a folder that every command can read."""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from spectronorm.datasets.download import download
from spectronorm.datasets.known import Dataset, find_dataset
from spectronorm.datasets.verify import file_sha256
from spectronorm.errors import SourceError
from spectronorm.runs.progress import Progress, silent
from spectronorm.short_repr import with_bounded_repr
from spectronorm.storage.atomic import write_text
from spectronorm.suggestion import known_keywords, known_settings

_MOST_BYTES = 1 << 32
"""Number of bytes beyond which an archive's members are not those of a data set."""


@known_settings
@with_bounded_repr
@dataclass(frozen=True)
class Got:
    """A data set on this machine.

    Attributes:
        dataset: The data set.
        source: Source for other commands: the folder, or its table.
        checked: Description of the verified content.
        fetched: True if the data set was downloaded by this call; False if it was already there.

    >>> from pathlib import Path
    >>> from spectronorm.datasets import DATASETS
    >>> got = Got(DATASETS["fsdd"], Path("fsdd/clips.csv"), "3000 recordings", fetched=True)
    >>> print(got.source, got.checked)
    fsdd/clips.csv 3000 recordings
    """

    dataset: Dataset
    source: Path
    checked: str
    fetched: bool


@known_keywords
def get(
    dataset: Dataset | str,
    folder: str | Path,
    *,
    url: str | None = None,
    archive: Path | None = None,
    progress: Progress = silent,
) -> Got:
    """Download a data set to `folder`, which appears only when complete and verified.

    A data set that is already there is verified again.

    Args:
        dataset: One of `DATASETS`, or its name, such as `esc50`.
        folder: Folder of the data set.
        url: Address of a mirror, in place of the official address; the content is verified all the same.
        archive: An archive that was already downloaded by other means.
        progress: Called with the number of bytes present and the total number of bytes.

    Raises:
        ArgumentError: if there is no data set of this name.
        SourceError: if the data set cannot be downloaded, or is not the published one.

    >>> import pathlib, tempfile
    >>> from spectronorm.datasets import DATASETS
    >>> from spectronorm.errors import SpectronormError
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     archive = pathlib.Path(folder) / "fsdd.zip"
    ...     _ = archive.write_bytes(b"cut short")
    ...     try:
    ...         get(DATASETS["fsdd"], pathlib.Path(folder) / "fsdd", archive=archive)
    ...     except SpectronormError as error:
    ...         print(sorted(path.name for path in pathlib.Path(folder).iterdir()))
    ['fsdd.zip']
    """
    dataset = find_dataset(dataset) if isinstance(dataset, str) else dataset
    folder = Path(folder)
    if folder.exists():
        return Got(dataset, folder / dataset.source, dataset.verify(folder), fetched=False)
    kept = folder.with_name(f".spectronorm-{folder.name}.zip")  # a name of ours, so that no archive of others is taken
    if archive is None and not kept.exists():
        advice = f"fetch {dataset.url} on another machine, and give the file with --archive, or use a mirror with --url"
        download(url or dataset.url, kept, advice=advice, progress=progress)
    packed = archive or kept
    unpacked = folder.with_name(f".spectronorm-{folder.name}.part")
    _remove(unpacked)  # left over from an interrupted call
    try:
        _unpack(packed, unpacked, dataset.members)
        checked = [dataset.verify(unpacked)]
        if dataset.archive_sha256 is not None:
            same = file_sha256(packed) == dataset.archive_sha256
            checked.insert(0, f"the archive's SHA-256 is {'the known one' if same else 'another: it was packed again'}")
        for name, rows in dataset.tables(unpacked).items():
            write_text(unpacked / name, _as_csv(rows), None)
        unpacked.rename(folder)
    except SourceError as error:
        if archive is None:
            kept.unlink()
        raise SourceError(f"{packed}: this is not {dataset.name} as it was published ({error})") from None
    finally:
        _remove(unpacked)
    if archive is None:
        kept.unlink()
    return Got(dataset, folder / dataset.source, "; ".join(checked), fetched=True)


def _remove(folder: Path) -> None:
    """Remove a folder, if it is one: opening a pipe of its name would wait for a writer."""
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)


def _unpack(archive: Path, folder: Path, members: tuple[str, ...]) -> None:
    """Unpack the wanted members of an archive, without its single top folder.

    Raises:
        SourceError: if the file is not a complete zip archive.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            wanted = [(item, parts) for item in packed.infolist() if (parts := _wanted(item, members))]
            if (size := sum(item.file_size for item, _ in wanted)) > _MOST_BYTES:
                raise SourceError(f"it would unpack to {size} bytes, more than {_MOST_BYTES}")
            folder.mkdir(parents=True)  # where a link has the name, this fails
            for item, parts in wanted:
                target = folder.joinpath(*parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                with packed.open(item) as source, target.open("wb") as file:
                    shutil.copyfileobj(source, file)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise SourceError(f"it is not a complete zip archive: {error}") from None


def _wanted(item: zipfile.ZipInfo, members: tuple[str, ...]) -> tuple[str, ...]:
    """Return the parts of a member's path below the top folder; none if the member is not to be unpacked."""
    parts = PurePosixPath(item.filename).parts[1:]
    odd = item.is_dir() or not parts or parts[0] not in members or ".." in parts or "\\" in item.filename
    return () if odd else parts


def _as_csv(rows: list[dict[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
