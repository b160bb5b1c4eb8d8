"""Files that a pass writes into a folder: their names, their index, and the files that may be replaced."""

from __future__ import annotations

import csv
import io
import os
import re
from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import xxhash

from spectronorm.audio import ClipReference, Source, reading_place
from spectronorm.errors import ArgumentError, OutputRefused
from spectronorm.storage.atomic import write_text
from spectronorm.storage.content import Content
from spectronorm.storage.replacement import is_stream

INDEX_NAME = "index.csv"
PIPELINE_NAME = "pipeline.safetensors"
LEVELS_NAME = "levels.json"
SHEET_PREFIX = "sheet-"
MAX_PART_BYTES = 240
"""Of one part of a path: file systems take 255, and what stands beside a file while it is written takes a few more."""


def require_folder(folder: Path, what: str) -> None:
    """Raise `OutputRefused` if a folder of `what` cannot have this name."""
    if os.path.lexists(folder) and not folder.is_dir():
        raise OutputRefused(f"{folder}: is a file, but {what} need a folder; choose another name")


def require_file(path: Path, what: str) -> None:
    """Raise `OutputRefused` if a file that is `what` cannot have this name."""
    if path.is_dir():
        raise OutputRefused(f"{path}: is a folder, but {what} is one file; choose another name")


def files_in(folder: Path, files: Iterable[tuple[str, Content]]) -> Iterator[tuple[Path, Content]]:
    """Yield the files that a pass writes into a folder, each with its kind of content, as `one_pass` checks them.

    Raises:
        OutputRefused: if anything but a regular file has such a name.
    """
    for name, content in files:
        path = folder / name
        if is_stream(path):
            raise OutputRefused(f"{path}: is not a regular file, so it is not replaced; choose another folder")
        yield path, content


def output_names(
    source: Source, suffix: str, *, by_label: bool = False, taken: Iterable[str] = ()
) -> list[tuple[ClipReference, str]]:
    """Return each clip with the name of its output, in the order in which reading is fastest.

    Outputs have the source's folder structure; with `by_label` they are in a folder named after their label, unless
    their name begins with the label already. A clip keeps its own suffix in the name of its output if another clip's
    output or its folder has the name without it, or if the name is `taken` by another file of the pass.

    Raises:
        ArgumentError: if two clips have one name.
    """
    plain = [_placed(clip, str(PurePosixPath(clip.name).with_suffix(suffix)), by_label=by_label) for clip in source]
    kept = [_placed(clip, f"{clip.name}{suffix}", by_label=by_label) for clip in source]
    twice = {name for name, count in Tally(name.casefold() for name in plain).items() if count > 1}
    twice |= _folders(plain) | {name.casefold() for name in taken}
    names = [long if name.casefold() in twice else name for name, long in zip(plain, kept, strict=True)]
    twice = _folders(names)
    names = [fitting_name(_numbered(name) if name.casefold() in twice else name) for name in names]
    repeated = [name for name, count in Tally(names).items() if count > 1]
    if repeated:
        raise ArgumentError(f"{repeated[0]}: two clips of the source have this name; list each file once")
    return sorted(zip(source, names, strict=True), key=lambda item: reading_place(item[0]))


def _folders(names: Iterable[str]) -> set[str]:
    """Return the folders that the names lie in, for comparison without regard to case."""
    found: set[str] = set()
    for name in names:
        folder = name.rpartition("/")[0]
        while folder and (folded := folder.casefold()) not in found:
            found.add(folded)
            folder = folder.rpartition("/")[0]
    return found


def _numbered(name: str) -> str:
    """Return a name that no other file has: it ends in a digest."""
    path = PurePosixPath(name)
    digest = xxhash.xxh3_64_hexdigest(os.fsencode(name))
    return str(path.with_name(f"{path.stem}~{digest}{path.suffix}"))


def _placed(clip: ClipReference, name: str, *, by_label: bool) -> str:
    label = fitting_name(folder_name(clip.columns.get("label", ""))) if by_label else ""
    return name if not label or PurePosixPath(name).parts[0] == label else f"{label}/{name}"


def fitting_name(path: str) -> str:
    """A relative path whose every part fits into a file system: a longer one ends in a digest of the whole part."""
    return "/".join(_fitting(part) for part in path.split("/"))


def _fitting(part: str) -> str:
    data = os.fsencode(part)
    if len(data) <= MAX_PART_BYTES:
        return part
    stem, dot, suffix = part.rpartition(".")
    suffix = f"{dot}{suffix}" if stem and len(os.fsencode(suffix)) <= 16 else ""
    kept = os.fsencode(part)[: MAX_PART_BYTES - 18 - len(os.fsencode(suffix))]
    return f"{kept.decode('utf-8', 'ignore')}~{xxhash.xxh3_64_hexdigest(data)}{suffix}"


def folder_name(label: str) -> str:
    """Return a label as a folder name: no separators, no leading dots, no characters that a file system forbids."""
    return re.sub(r"[\x00-\x1f/\\:*?\"<>|]", "_", label).strip().lstrip(".")


def write_clip_index(folder: Path, source: Source, written: Iterable[tuple[str, ClipReference, int]]) -> None:
    """Write the index of outputs: their names, the source's columns, and the number of frames without padding."""
    columns = [name for name in source.column_names() if name not in ("path", "frames")]
    rows = ([name, *(clip.columns.get(column, "") for column in columns), frames] for name, clip, frames in written)
    write_index(folder, ["path", *columns, "frames"], rows)


def write_index(folder: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write `index.csv` with these columns."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    table.writerows(rows)
    write_text(folder / INDEX_NAME, text.getvalue(), Content.INDEX)


def escaped_name(name: str) -> str:
    """Return a name as written in text files: bytes that are not UTF-8 are escaped."""
    return name.encode("utf-8", errors="backslashreplace").decode("utf-8")


def read_frames(index: Path) -> Mapping[str, int]:
    """Return the number of frames of each output listed in an index.

    Raises:
        OSError: if the index cannot be read.
        ValueError: if the file is not such an index.
    """
    with index.open(newline="", encoding="utf-8") as file:
        try:
            return {row["path"]: max(1, int(row["frames"])) for row in csv.DictReader(file)}
        except (KeyError, TypeError, csv.Error) as error:
            raise ValueError(str(error)) from None
