"""Application of a pipeline to a source: writes a folder of normalized spectrograms."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import xxhash

from spectronorm.audio import ClipReference, Reader, Source, open_source, reading_place, release, stamp
from spectronorm.engines import AutoEngine, Engine
from spectronorm.errors import ArgumentError, AudioError
from spectronorm.passes.one_pass import MAX_BAD, Progress, check_bad
from spectronorm.pipeline import Pipeline
from spectronorm.profile import BadFile
from spectronorm.profile.storage import parse_files, plain_files
from spectronorm.runs.journal import keep_journal, key_of
from spectronorm.runs.resume import resumable_map
from spectronorm.runs.versions import libraries, reading
from spectronorm.runs.worker_check import Origin
from spectronorm.storage.atomic import atomic_write, write_text
from spectronorm.storage.canonical_json import canonical_json

PIPELINE_NAME = "pipeline.safetensors"
INDEX_NAME = "index.csv"


@dataclass(frozen=True)
class Applied:
    """Result of `apply`: the folder, the number of spectrograms written, and the bad files."""

    folder: Path
    written: int
    bad: tuple[BadFile, ...]


@dataclass(frozen=True)
class _Written:
    """Result of one clip; `stamp` and `digest` identify its content and the written file."""

    clip: ClipReference
    output: str
    frames: int
    bad: BadFile | None
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
            bad = BadFile(clip.name, error.reason, error.detail, ())
            return _Written(clip, output, 0, bad, read.stamp, b"")
        frames = x.shape[1]
        padding = front_end.frames(len(sound.samples)) - frames
        data = io.BytesIO()
        np.save(data, np.pad(x, ((0, 0), (0, padding))))
        with atomic_write(self.folder / output) as file:
            file.write(data.getbuffer())
        digest = xxhash.xxh3_128_digest(data.getbuffer())
        return _Written(clip, output, frames, None, read.stamp, digest)

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
                "bad": plain_files([result.bad] if result.bad else []),
            }
        ).encode()

    def unpack(self, item: tuple[ClipReference, str], payload: bytes) -> _Written | None:
        """Restore a result, or None if the clip's content or the output has changed."""
        clip, output = item
        plain = json.loads(payload)
        bad = next(iter(parse_files(plain["bad"])), None)
        found = _Written(clip, output, plain["frames"], bad, stamp(clip), bytes.fromhex(plain["digest"]))
        if found.stamp.hex() != plain["stamp"]:
            return None
        if bad is None and stamp(ClipReference(output, self.folder / output)) != found.digest:
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
    if not 0 <= max_bad <= 1:
        raise ArgumentError(f"max_bad={max_bad} must lie in 0 … 1 (1% is 0.01)")
    opened, folder = open_source(source), Path(folder)
    if folder.exists() and not folder.is_dir():
        raise ArgumentError(f"{folder}: is a file, but the spectrograms need a folder; choose another name")
    items = _outputs(opened)
    task = _Task(pipeline, folder, duration, opened.reader)
    identity = {
        "command": "apply",
        "pipeline": pipeline.summary(),
        **reading(opened.reader, duration),
        "libraries": libraries(),
    }
    try:
        with keep_journal(folder, identity) as journal:
            results = []
            guarded = Origin.of(opened, folder).guard_resumable(task)
            for result in resumable_map(engine or AutoEngine(), guarded, items, journal):
                results.append(result)
                if progress is not None:
                    progress(len(results), len(opened))
            return _finish(opened, pipeline, folder, results, max_bad)
    finally:
        release()


def _finish(source: Source, pipeline: Pipeline, folder: Path, results: Sequence[_Written], max_bad: float) -> Applied:
    """Write index and pipeline; raises `TooManyBad` when too few clips could be used."""
    bad = tuple(sorted(result.bad for result in results if result.bad is not None))
    written = sorted((r for r in results if r.bad is None), key=lambda r: r.output)
    if written:
        write_text(folder / INDEX_NAME, _index(source, written))
        pipeline.save(folder / PIPELINE_NAME)
    check_bad(bad, len(source), max_bad)
    return Applied(folder, len(written), bad)


def _outputs(source: Source) -> Sequence[tuple[ClipReference, str]]:
    """Each clip with the name of its output; clips whose names differ only in the suffix keep it."""
    plain = [str(PurePosixPath(clip.name).with_suffix(".npy")) for clip in source]
    twice = {name for name, count in Tally(name.casefold() for name in plain).items() if count > 1}
    names = [f"{clip.name}.npy" if name.casefold() in twice else name for clip, name in zip(source, plain, strict=True)]
    repeated = [name for name, count in Tally(names).items() if count > 1]
    if repeated:
        raise ArgumentError(f"{repeated[0]}: two clips of the source have this name; list each file once")
    return sorted(zip(source, names, strict=True), key=lambda item: reading_place(item[0]))


def _index(source: Source, written: Sequence[_Written]) -> str:
    columns = [name for name in source.column_names() if name not in ("path", "frames")]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["path", *columns, "frames"])
    for result in written:
        table.writerow([result.output, *(result.clip.columns.get(name, "") for name in columns), result.frames])
    return text.getvalue()
