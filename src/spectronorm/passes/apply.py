"""From a source and a pipeline to a folder of normalized spectrograms."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xxhash

from spectronorm.audio import ClipReference, Reader, Source, stamp
from spectronorm.engines import Engine
from spectronorm.errors import AudioError
from spectronorm.features import open_for, stamp_of_level
from spectronorm.passes.clip_level import read_clip_level
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
from spectronorm.pipeline import Pipeline
from spectronorm.profile import BadFile
from spectronorm.profile.storage import parse_files, plain_files
from spectronorm.runs.journal import key_of
from spectronorm.runs.progress import Progress
from spectronorm.runs.versions import libraries, reading
from spectronorm.storage.atomic import atomic_write, write_text
from spectronorm.storage.canonical_json import canonical_json
from spectronorm.storage.content import Content


@dataclass(frozen=True)
class Applied:
    """What was written."""

    folder: Path
    written: int
    bad: tuple[BadFile, ...]


@dataclass(frozen=True)
class _Written(OneClip):
    """What became of one clip; `stamp` and `digest` identify the content it was made of and the file that was made."""

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

    def __call__(self, item: tuple[ClipReference, str]) -> _Written:
        clip, output = item
        front_end = self.pipeline.front_end
        read_stamp, found = read_clip_level(clip, front_end, self.reader, duration=self.duration, with_stamp=True)
        if isinstance(found, AudioError):
            return _Written(clip, output, 0, (BadFile.of(clip.name, found),), read_stamp, b"")
        x = self.pipeline.normalizer(found.shaped(front_end)).astype(np.float32)
        frames = x.shape[-1]
        data = io.BytesIO()
        np.save(data, np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, found.frames - frames)]))
        with atomic_write(self.folder / output, None) as file:
            file.write(data.getbuffer())
        digest = xxhash.xxh3_128_digest(data.getbuffer())
        return _Written(clip, output, frames, (), read_stamp, digest)

    def key(self, item: tuple[ClipReference, str]) -> bytes:
        """By the name of the output; whether contents are still the same, stamp and digest say."""
        return key_of(item[1])

    def pack(self, result: _Written) -> bytes:
        """One JSON object."""
        return canonical_json(
            {
                "stamp": result.stamp.hex(),
                "digest": result.digest.hex(),
                "frames": result.frames,
                "bad": plain_files(result.bad),
            }
        ).encode()

    def unpack(self, item: tuple[ClipReference, str], payload: bytes) -> _Written | None:
        """The result again, when the clip's content is what it was and the output is what was made of it."""
        clip, output = item
        plain = json.loads(payload)
        bad = parse_files(plain["bad"])
        found = _Written(clip, output, plain["frames"], bad, stamp_of_level(clip), bytes.fromhex(plain["digest"]))
        if found.stamp.hex() != plain["stamp"]:
            return None
        if not bad and stamp(ClipReference(output, self.folder / output)) != found.digest:
            return None
        return found


def apply(
    source: str | Path | Source,
    pipeline: Pipeline,
    folder: str | Path,
    *,
    duration: float | None = None,
    max_bad: float = MAX_BAD,
    engine: Engine | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> Applied:
    """Write each clip as `.npy` float32 `(band, frame)`, in the source's own folder structure.

    Beside them stand the pipeline that made them, `levels.json`, with which `fit` measures them, and `index.csv`: the
    source's columns, with `path` and the number of `frames` that are not padding. With `duration` (seconds) every clip
    is cropped, or padded with zeros after normalization, to one length. A run that was stopped, by whatever means, is
    taken up again by calling `apply` once more: a journal beside the folder says what is finished.

    Raises:
        SourceError: when the source cannot be opened or is empty.
        TooManyBad: when more files are bad than `max_bad`, or all are; good ones are written all the same.
        ArgumentError: when `max_bad` is not a share.
        OutputRefused: when the folder is a file, or a file in it would be replaced that is not ours, unless `overwrite`
            is set, or that is an input.
        OutputBusy: when another run is writing into the folder.
    """
    opened, folder = open_for(source, pipeline.front_end), Path(folder)
    require_folder(folder, "the spectrograms")
    identity = {
        "command": "apply",
        "pipeline": pipeline.summary(),
        **reading(opened.reader, duration),
        "libraries": libraries(),
    }
    items = output_names(opened, ".npy")
    files = [
        *((name, Content.ARRAY) for _, name in items),
        (INDEX_NAME, Content.INDEX),
        (PIPELINE_NAME, Content.CONTAINER),
        (LEVELS_NAME, Content.LEVELS),
    ]
    with one_pass(
        opened,
        _Task(pipeline, folder, duration, opened.reader),
        items,
        output=Output(folder, files_in(folder, files), identity, overwrite=overwrite),
        max_bad=max_bad,
        engine=engine,
        progress=progress,
    ) as results:
        written = sorted((result for result in results if not result.bad), key=lambda result: result.output)
        if written:
            write_clip_index(folder, opened, ((one.output, one.clip, one.frames) for one in written))
            pipeline.save(folder / PIPELINE_NAME)
            write_text(folder / LEVELS_NAME, normalized_levels(pipeline).to_json(), Content.LEVELS)
    return Applied(folder, len(written), results.bad)
