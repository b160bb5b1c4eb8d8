"""Application of a pipeline to a source: writes a folder of normalized spectrograms."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import xxhash

from spectronorm.audio import ClipReference, Openable, Reader, Source, Windows, stamp
from spectronorm.engines import Engine
from spectronorm.errors import AudioError
from spectronorm.features import open_for, stamp_of_level
from spectronorm.passes.clip_level import read_clip_level
from spectronorm.passes.long_spectrogram import LongSpectrogram
from spectronorm.passes.normalized import normalized_levels
from spectronorm.passes.one_pass import MAX_BAD, OneClip, Output, one_pass
from spectronorm.passes.outputs import (
    INDEX_NAME,
    LEVELS_NAME,
    PIPELINE_NAME,
    files_in,
    output_names,
    require_folder,
    write_clip_index,
)
from spectronorm.passes.shards import ShardTask, index_rows, shards_of
from spectronorm.passes.stores import HeldArray, Store, StoredArray
from spectronorm.passes.windowed import windowed
from spectronorm.pipeline import Pipeline
from spectronorm.profile import BadFile
from spectronorm.profile.storage import parse_files, plain_files
from spectronorm.runs.journal import key_of
from spectronorm.runs.progress import Progress
from spectronorm.runs.versions import libraries, reading
from spectronorm.short_repr import with_short_repr
from spectronorm.storage.atomic import atomic_write, write_text
from spectronorm.storage.canonical_json import canonical_json
from spectronorm.storage.content import Content
from spectronorm.storage.field_values import whole
from spectronorm.suggestion import known_keywords, known_settings


@known_settings
@with_short_repr
@dataclass(frozen=True)
class Applied:
    """Result of `apply`: the folder, the number of spectrograms written, and the bad files.

    >>> import tempfile, numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(2)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     applied = sn.apply(waves, sn.published("whisper"), folder)
    >>> applied.written, applied.bad
    (2, ())
    """

    folder: Path
    written: int
    bad: tuple[BadFile, ...]


@dataclass(frozen=True)
class _Written(OneClip):
    """Result of one clip; `stamp` and `digest` identify its content and the written file."""

    clip: ClipReference
    output: str
    frames: int
    bad: tuple[BadFile, ...]
    stamp: bytes
    digest: bytes


@dataclass(frozen=True)
class _Task:
    """Writes one clip's spectrogram; picklable, so that any engine can run it."""

    pipeline: Pipeline
    folder: Path
    duration: float | None
    reader: Reader
    store: Store

    def __call__(self, item: tuple[ClipReference, str]) -> _Written:
        clip, output = item
        front_end = self.pipeline.front_end
        with ExitStack() as waiting:
            long = self._long.spooled(clip, self.folder, waiting)
            if long is not None:
                if isinstance(long.result, AudioError):
                    return _Written(clip, output, 0, (BadFile.of(clip.name, long.result),), long.stamp, b"")
                return self._write(clip, output, *long.result, long.stamp)
        read_stamp, found = read_clip_level(clip, front_end, self.reader, duration=self.duration, with_stamp=True)
        if isinstance(found, AudioError):
            return _Written(clip, output, 0, (BadFile.of(clip.name, found),), read_stamp, b"")
        level = found.shaped(front_end)
        try:
            array = HeldArray(self.store.made(self.pipeline.normalizer.padded(level, found.frames)))
        except AudioError as error:
            return _Written(clip, output, 0, (BadFile.of(clip.name, error),), read_stamp, b"")
        return self._write(clip, output, array, level.shape[-1], read_stamp)

    @cached_property
    def _long(self) -> LongSpectrogram:
        return LongSpectrogram(self.pipeline, self.reader, self.store, self.duration)

    def _write(self, clip: ClipReference, output: str, array: StoredArray, frames: int, read_stamp: bytes) -> _Written:
        digest = xxhash.xxh3_128()
        with atomic_write(self.folder / output, None) as file:
            for part in array.npy_parts():
                digest.update(part)
                file.write(part)
        return _Written(clip, output, frames, (), read_stamp, digest.digest())

    def key(self, item: tuple[ClipReference, str]) -> bytes:
        """Return a key made from the output's name; stamp and digest show if the contents are unchanged."""
        return key_of(item[1])

    def pack(self, result: _Written) -> bytes:
        """Serialize a result as one JSON object."""
        return canonical_json(
            {
                "stamp": result.stamp.hex(),
                "digest": result.digest.hex(),
                "frames": result.frames,
                "bad": plain_files(result.bad),
            }
        ).encode()

    def unpack(self, item: tuple[ClipReference, str], payload: bytes) -> _Written | None:
        """Restore a result, or None if the clip's content or the output has changed."""
        clip, output = item
        plain = json.loads(payload)
        bad = parse_files(plain["bad"])
        found = _Written(
            clip, output, whole(plain["frames"]), bad, stamp_of_level(clip, self.reader), bytes.fromhex(plain["digest"])
        )
        if found.stamp.hex() != plain["stamp"]:
            return None
        if not bad and stamp(ClipReference(output, self.folder / output)) != found.digest:
            return None
        return found


@known_keywords
def apply(  # noqa: PLR0913  (every one of them is an independent choice of the user)
    source: Openable,
    pipeline: Pipeline,
    folder: str | Path,
    *,
    duration: float | None = None,
    max_bad: float = MAX_BAD,
    engine: Engine | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
    store: Store | None = None,
    window: float | Windows | None = None,
    overlap: float = 0.0,
) -> Applied:
    """Write each clip as `.npy` float32 `(band, frame)`, in the source's own folder structure; or as `store` says.

    Beside them stand the pipeline that made them, `levels.json`, with which `fit` measures them, and `index.csv`: the
    source's columns, with `path` and the number of `frames` that are not padding. With `duration` (seconds) every clip
    is cropped, or padded with zeros after normalization, to one length. With `window` (seconds, or `audio.Windows`)
    recordings are cut into windows that share `overlap` seconds, and the last one is padded like that. A run that was
    stopped, by whatever means, is taken up again by calling `apply` once more: a journal beside the folder says what
    is finished.

    Raises:
        SourceError: if the source cannot be opened or is empty.
        TooManyBad: if more files are bad than `max_bad`, or all are; good ones are written all the same.
        ArgumentError: if `max_bad` is not a share.
        OutputRefused: if the folder is a file, or a file in it would be replaced that is not ours, unless `overwrite`
            is set, or that is an input.
        OutputBusy: if another run is writing into the folder.

    >>> import pathlib, tempfile, numpy as np, spectronorm as sn
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(2)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = sn.apply(waves, sn.published("whisper"), folder)
    ...     print([np.load(path).shape for path in pathlib.Path(folder).rglob("*.npy")])
    [(80, 100), (80, 100)]
    """
    store = (store or Store()).check(pipeline.front_end)
    source, duration = windowed(source, pipeline.front_end, window, overlap, duration)
    opened, folder = open_for(source, pipeline.front_end), Path(folder)
    require_folder(folder, "the spectrograms")
    identity = {
        "command": "apply",
        "pipeline": pipeline.summary(),
        "store": asdict(store),
        **reading(opened.reader, duration),
        "libraries": libraries(),
    }
    how: dict[str, Any] = {"max_bad": max_bad, "engine": engine, "progress": progress}
    beside = [(INDEX_NAME, Content.INDEX), (PIPELINE_NAME, Content.CONTAINER), (LEVELS_NAME, Content.LEVELS)]
    if store.to == "npy":
        items = output_names(opened, ".npy")
        files = files_in(folder, [*((name, Content.ARRAY) for _, name in items), *beside])
        output = Output(folder, files, identity, overwrite=overwrite)
        task = _Task(pipeline, folder, duration, opened.reader, store)
        with one_pass(opened, task, items, output=output, **how) as results:
            good = sorted((one for one in results if not one.bad), key=lambda one: one.output)
            rows = [(one.output, one.clip, one.frames) for one in good]
            _finish(folder, opened, pipeline, store, rows)
        return Applied(folder, len(rows), results.bad)
    shards = shards_of(opened, store)
    files = files_in(folder, [*((shard.output, Content.STORE) for shard in shards), *beside])
    output = Output(folder, files, identity, overwrite=overwrite)
    with one_pass(
        opened, ShardTask(pipeline, folder, duration, opened.reader, store), shards, output=output, **how
    ) as written:
        rows = list(index_rows(list(written), store))
        _finish(folder, opened, pipeline, store, rows)
    return Applied(folder, len(rows), written.bad)


def _finish(
    folder: Path, source: Source, pipeline: Pipeline, store: Store, rows: Sequence[tuple[str, ClipReference, int]]
) -> None:
    """Write index, pipeline and description, if anything was written."""
    if rows:
        write_clip_index(folder, source, rows)
        pipeline.save(folder / PIPELINE_NAME)
        levels = normalized_levels(pipeline, store.layout)
        write_text(folder / LEVELS_NAME, levels.to_json(), Content.LEVELS)
