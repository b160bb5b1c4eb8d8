"""Verification of unpacked files by their content, because the archives themselves may be repacked."""

from __future__ import annotations

import hashlib
import wave
from pathlib import Path

from spectronorm.audio.places.manifests.table import read_table
from spectronorm.errors import SourceError

_CHUNK = 2**20


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def verify_blobs(folder: Path, within: str, expected: str, *, count: int) -> str:
    """Check that every file below `within` is the one in the data set's git repository.

    Args:
        folder: Folder of the unpacked data set.
        within: A folder in it.
        expected: SHA-256 of the lines `{git blob id} {name}`, in the order of names.
        count: Number of files.

    Returns:
        A description of the check.

    Raises:
        SourceError: if a file is missing, superfluous, or different.
    """
    paths = sorted((folder / within).iterdir()) if (folder / within).is_dir() else []
    if len(paths) != count:
        raise SourceError(f"{folder / within} holds {len(paths)} files in place of {count}; {_ADVICE}")
    found = hashlib.sha256("".join(f"{_blob_id(path)} {path.name}\n" for path in paths).encode()).hexdigest()
    if found != expected:
        raise SourceError(f"files in {folder / within} differ from the published ones ({found[:16]}…); {_ADVICE}")
    return f"all {count} files are those of the official repository, byte by byte"


def verify_labelled_waves(folder: Path, table: str, expected_md5: str, *, count: int, rate: int, samples: int) -> str:
    """Check that the table of labels is the published one, and that each of its files is a complete WAV file.

    Args:
        folder: Folder of the unpacked data set.
        table: The table, with a column `filename`; the files are in `audio`.
        expected_md5: MD5 of the table.
        count: Number of files.
        rate: Sample rate of the files in Hz.
        samples: Number of mono 16-bit samples in each file.

    Returns:
        A description of the check.

    Raises:
        SourceError: if the table differs, or if a file is missing, superfluous or of another format.
    """
    if not (folder / table).is_file():
        raise SourceError(f"{folder / table} is missing; {_ADVICE}")
    found = hashlib.md5((folder / table).read_bytes(), usedforsecurity=False).hexdigest()
    if found != expected_md5:
        raise SourceError(f"{folder / table} differs from the published table (md5 {found}); {_ADVICE}")
    named = {row["filename"] for row in read_table(folder / table)}
    there = {path.name for path in (folder / "audio").glob("*")}
    if named != there or len(named) != count:
        odd = f"{len(there)} files in place of {count} (such as {sorted(named ^ there)[:3]})"
        raise SourceError(f"{folder / 'audio'} holds {odd}; {_ADVICE}")
    for path in sorted(folder / "audio" / name for name in named):
        if (form := _form(path)) != (1, 2, rate, samples):
            raise SourceError(f"{path} is not {samples} mono samples at {rate} Hz ({form}); {_ADVICE}")
    return f"the table of labels is the published one, and its {count} files are there, whole and of the right form"


def _form(path: Path) -> tuple[int, int, int, int] | str:
    """Return channels, bytes in a sample, rate (Hz) and number of samples; or the reason why it cannot be read."""
    try:
        with wave.open(str(path)) as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            return channels, width, rate, len(file.readframes(file.getnframes())) // (channels * width)
    except (OSError, EOFError, wave.Error) as error:
        return str(error)


def _blob_id(path: Path) -> str:
    """Return the id that git assigns to a file's content."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


_ADVICE = "remove the folder and fetch it again"
