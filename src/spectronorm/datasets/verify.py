"""Whether unpacked files are the published ones: by their content, because archives may be packed anew."""

from __future__ import annotations

import hashlib
import wave
from pathlib import Path

from spectronorm.audio.places.manifests.table import read_table
from spectronorm.errors import SourceError

_CHUNK = 2**20


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def verify_blobs(folder: Path, within: str, expected: str, *, count: int) -> str:
    """Every file below `within` is the one that the data set's git repository holds.

    Args:
        folder: Where the data set was unpacked.
        within: A folder in it.
        expected: SHA-256 of the lines `{git blob id} {name}`, in the order of names.
        count: How many files there are.

    Raises:
        SourceError: when a file is missing, too many, or differs.
    """
    paths = sorted((folder / within).iterdir()) if (folder / within).is_dir() else []
    if len(paths) != count:
        raise SourceError(f"{folder / within} holds {len(paths)} files in place of {count}; {_ADVICE}")
    found = hashlib.sha256("".join(f"{_blob_id(path)} {path.name}\n" for path in paths).encode()).hexdigest()
    if found != expected:
        raise SourceError(f"files in {folder / within} differ from the published ones ({found[:16]}…); {_ADVICE}")
    return f"all {count} files are those of the official repository, byte by byte"


def verify_labelled_waves(folder: Path, table: str, expected_md5: str, *, count: int, rate: int, samples: int) -> str:
    """The table of labels is the published one, and each of its files is a whole wave of the right form.

    Args:
        folder: Where the data set was unpacked.
        table: The table, with a column `filename`; the files are in `audio`.
        expected_md5: Of the table.
        count: How many files there are.
        rate: Their sample rate in Hz.
        samples: How many mono 16-bit samples each has.

    Raises:
        SourceError: when the table differs, or a file is missing, too many or of another form.
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
    """Channels, bytes a sample, rate (Hz) and samples; or why it cannot be read."""
    try:
        with wave.open(str(path)) as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            return channels, width, rate, len(file.readframes(file.getnframes())) // (channels * width)
    except (OSError, EOFError, wave.Error) as error:
        return str(error)


def _blob_id(path: Path) -> str:
    """The id that git gives to a file's content."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


_ADVICE = "remove the folder and fetch it again"
