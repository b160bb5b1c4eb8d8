"""From a source and a pipeline to a folder of normalized spectrograms."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xxhash

from spectronorm.audio import ClipReference, Reader, Source, open_source, stamp
from spectronorm.engines import Engine
from spectronorm.errors import AudioError
from spectronorm.passes.one_pass import MAX_BAD, OneClip, Output, one_pass
from spectronorm.passes.outputs import (
    INDEX_NAME,
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
from spectronorm.storage.atomic import atomic_write
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
        read = self.reader.read_stamped(
            clip, front_end.sample_rate, duration=self.duration, resampler=front_end.resampler
        )
        try:
            sound = read.clip_or_raise()
            level = front_end.clip_level(sound.at_least(front_end.min_samples))
            x = self.pipeline.normalizer(level).astype(np.float32)
        except AudioError as error:
            return _Written(clip, output, 0, (BadFile.of(clip.name, error),), read.stamp, b"")
        frames = x.shape[1]
        padding = front_end.frames(len(sound.samples)) - frames
        if padding:
            behind = self.pipeline.normalizer.padding_of(level).astype(np.float32)
            x = np.concatenate([x, np.broadcast_to(behind, (len(x), padding))], axis=1)
        data = io.BytesIO()
        np.save(data, x)
        with atomic_write(self.folder / output, None) as file:
            file.write(data.getbuffer())
        digest = xxhash.xxh3_128_digest(data.getbuffer())
        return _Written(clip, output, frames, (), read.stamp, digest)

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
        found = _Written(clip, output, plain["frames"], bad, stamp(clip), bytes.fromhex(plain["digest"]))
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

    Beside them stand the pipeline that made them and `index.csv`: the source's columns, with `path` and the number of
    `frames` that are not padding. With `duration` (seconds) every clip is cropped or padded to one
    length; the normalizer says what stands in the padding: zero after normalization, or what silence becomes.
    A run that was stopped, by whatever means, is taken up again by calling `apply` once
    more: a journal beside the folder says what is finished.

    Raises:
        SourceError: when the source cannot be opened or is empty.
        TooManyBad: when more files are bad than `max_bad`, or all are; good ones are written all the same.
        ArgumentError: when `max_bad` is not a share.
        OutputRefused: when the folder is a file, or a file in it would be replaced that is not ours, unless `overwrite`
            is set, or that is an input.
        OutputBusy: when another run is writing into the folder.
    """
    opened, folder = open_source(source), Path(folder)
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
    return Applied(folder, len(written), results.bad)
