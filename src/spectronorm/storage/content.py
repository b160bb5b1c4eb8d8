"""The kinds of content that are written, and how a file of each kind is recognized."""

from __future__ import annotations

import csv
import itertools
import json
import mmap
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path

_MARK = b"spectronorm"
_HEAD_BYTES = 1 << 12
_MOST_HEADER_BYTES = 1 << 26
_MOST_JSON_BYTES = 1 << 26
_MOST_LOOKED_AT = 1000
_MOST_STATISTICS = 1 << 22


class Content(Enum):
    """A kind of content; its value describes it for messages."""

    CONTAINER = "a file that spectronorm saved"
    PICTURE = "a picture that spectronorm drew"
    SOUND = "a sound that spectronorm wrote"
    PAGE = "a page that spectronorm wrote"
    MODEL = "an ONNX model that spectronorm exported"
    RECORD = "a record that spectronorm wrote"
    ARRAY = "an array that spectronorm wrote"
    INDEX = "an index that spectronorm wrote"
    LEVELS = "a description of levels that spectronorm wrote"
    STORE = "a shard that spectronorm wrote"
    STATISTICS = "statistics for another program that name spectronorm"
    TABLE = "a file of this kind that may be replaced (tables are for people to edit, so none is)"

    def stands_at(self, path: Path) -> bool:
        """Tell if the regular file `path` is of this kind and ours, or empty.

        Raises:
            OSError: if the file cannot be read.
        """
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        return not head or _RECOGNIZES[self](path, head)


def _is_container(path: Path, head: bytes) -> bool:
    length = int.from_bytes(head[:8], "little")
    if length > _MOST_HEADER_BYTES:
        return False
    with path.open("rb") as file:
        header = file.read(8 + length)[8:]
    try:
        return _MARK.decode() in json.loads(header)["__metadata__"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _is_picture(path: Path, head: bytes) -> bool:
    del path
    return head.startswith(b"\x89PNG\r\n\x1a\n") and _MARK in head


def _is_sound(path: Path, head: bytes) -> bool:
    """Tell if text beside the samples says that we wrote them: before or behind them."""
    if head[:4] not in (b"RIFF", b"fLaC"):
        return False
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _HEAD_BYTES))
        return _MARK in head or _MARK in file.read()


def _is_page(path: Path, head: bytes) -> bool:
    del path
    return head.lstrip()[:1] == b"<" and b'name="generator" content="spectronorm"' in head


def _is_model(path: Path, head: bytes) -> bool:
    del head
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(b"spectronorm.fingerprint") >= 0


def _is_record(path: Path, head: bytes) -> bool:
    """Tell if it is JSON of ours: settings with their front end, losses of round trips, a sensitivity or an answer."""
    try:
        plain = json.loads(path.read_bytes()) if head[:1] == b"{" and path.stat().st_size <= _MOST_JSON_BYTES else None
    except (ValueError, RecursionError):
        return False
    if not isinstance(plain, dict) or not plain:
        return False
    losses = all(isinstance(value, dict) and "quantization_rms_db" in value for value in plain.values())
    known = ({"format", "front_end", "origin"}, {"model", "effects", "own", "offset"}, {"answer", "looks", "stopped"})
    return losses or any(keys <= plain.keys() for keys in known)


def _is_array(path: Path, head: bytes) -> bool:
    """Tell if it stands where `apply` writes: below a pipeline of ours, or below a folder that it has not finished.

    Below a pipeline it must be an array of float32 with two axes as well.
    """
    if path.is_symlink():
        return False
    start = head[: head.find(b"\n")]
    alike = head.startswith(b"\x93NUMPY\x01\x00") and start.count(b",") >= 4
    alike = alike and (b"'<f4'" in start or b"'<f2'" in start)
    for folder in path.absolute().parents:
        maker = folder / "pipeline.safetensors"
        try:
            if alike and maker.is_file() and Content.CONTAINER.stands_at(maker):
                return True
            if _is_unfinished(folder):
                return True
        except OSError:
            continue
    return False


def _starts_with(path: Path, start: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(start)) == start


def _is_index(path: Path, head: bytes) -> bool:
    """Tell if it lists arrays or images, by `path` first and `frames` last, in a folder that holds some of ours.

    An index in a folder that `apply` has not finished is ours as well: a run may be stopped before the pipeline.
    """
    rows = csv.reader(head.decode("utf-8", errors="replace").splitlines(keepends=True))
    try:
        names, first = next(rows), next(rows, [])
    except (csv.Error, StopIteration):
        return False
    if len(names) < 2 or (names[0], names[-1]) != ("path", "frames") or not first:
        return False
    if not first[0].endswith(".png"):  # an array, or one in a shard
        maker = path.parent / "pipeline.safetensors"
        return _is_unfinished(path.parent) or (maker.is_file() and Content.CONTAINER.stands_at(maker))
    found = itertools.islice(path.parent.rglob("*.png"), _MOST_LOOKED_AT)
    return any(one.is_file() and Content.PICTURE.stands_at(one) for one in found)


def _is_unfinished(folder: Path) -> bool:
    """Tell if the journal of a run that was stopped stands beside the folder."""
    journal = folder.parent / f".{folder.name}.journal"
    return journal.is_file() and not journal.is_symlink() and _starts_with(journal, _MARK + b" journal")


def _is_levels(path: Path, head: bytes) -> bool:
    """Tell if it is the description of levels that `apply` normalized."""
    try:
        plain = json.loads(path.read_bytes()) if head[:1] == b"{" and path.stat().st_size <= _MOST_JSON_BYTES else None
        return bool(plain and plain["levels"]["made_by"] == "spectronorm apply")
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _is_store(path: Path, head: bytes) -> bool:
    """Tell if a `.safetensors`, `.tar` or `.parquet` file carries our mark where we put it."""
    if path.suffix == ".safetensors":
        return head[8 : 8 + 64].startswith(b'{"__metadata__":{"spectronorm.shard"')
    if path.suffix == ".tar":
        return head[257:262] == b"ustar" and head[265:276] == _MARK
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - (1 << 20)))
        return head[:4] == b"PAR1" and _MARK in file.read()


def _is_statistics(path: Path, head: bytes) -> bool:
    """Tell if a short file carries our mark: some formats have a key for it, and others are never replaced."""
    del head
    return path.stat().st_size <= _MOST_STATISTICS and _MARK in path.read_bytes()


def _is_never(path: Path, head: bytes) -> bool:
    """Tell that it is not ours: a table carries no mark, and its owner may have edited it."""
    del path, head
    return False


_RECOGNIZES: Mapping[Content, Callable[[Path, bytes], bool]] = {
    Content.CONTAINER: _is_container,
    Content.PICTURE: _is_picture,
    Content.SOUND: _is_sound,
    Content.PAGE: _is_page,
    Content.MODEL: _is_model,
    Content.RECORD: _is_record,
    Content.ARRAY: _is_array,
    Content.INDEX: _is_index,
    Content.LEVELS: _is_levels,
    Content.STORE: _is_store,
    Content.STATISTICS: _is_statistics,
    Content.TABLE: _is_never,
}
