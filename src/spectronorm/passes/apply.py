"""Application of a pipeline to a source: writes a folder of normalized spectrograms."""

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
    """Result of `apply`: the folder, the number of spectrograms written, and the bad files."""

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

    def __call__(self, item: tuple[ClipReference, str]) -> _Written:
        clip, output = item
        front_end = self.pipeline.front_end
        read = self.reader.read_stamped(
            clip, front_end.sample_rate, duration=self.duration, resampler=front_end.resampler
        )
        try:
            sound = read.clip_or_raise()
            x = self.pipeline.normalizer(front_end.clip_level(sound.valid)).astype(np.float32)
        except AudioError as error:
            return _Written(clip, output, 0, (BadFile.of(clip.name, error),), read.stamp, b"")
        frames = x.shape[1]
        padding = front_end.frames(len(sound.samples)) - frames
        data = io.BytesIO()
        np.save(data, np.pad(x, ((0, 0), (0, padding))))
        with atomic_write(self.folder / output, None) as file:
            file.write(data.getbuffer())
        digest = xxhash.xxh3_128_digest(data.getbuffer())
        return _Written(clip, output, frames, (), read.stamp, digest)

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
    """Write each clip as `.npy` float32 `(band, frame)`, in the source's folder structure.

    The pipeline and `index.csv` are written next to the spectrograms; the index holds the source's columns, with `path`
    and the number of `frames` without padding. With `duration` (seconds), every clip is cropped, or padded with zeros
    after normalization, to a fixed length. Calling `apply` again resumes an interrupted run: a journal next to the
    folder records finished clips.

    Raises:
        SourceError: if the source cannot be opened or is empty.
        TooManyBad: if the share of bad files exceeds `max_bad`, or if all files are bad; good files are written anyway.
        ArgumentError: if `max_bad` is not a share.
        OutputRefused: if the folder is a file, or if a foreign file would be replaced without `overwrite`, or an input.
        OutputBusy: if another run is writing into the folder.
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
