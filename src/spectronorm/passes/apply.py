"""From a source and a pipeline to a folder of normalized spectrograms."""

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
    """What was written."""

    folder: Path
    written: int
    bad: tuple[BadFile, ...]


@dataclass(frozen=True)
class _Written:
    """What became of one clip; `stamp` and `digest` identify the content it was made of and the file that was made."""

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
            level = front_end.clip_level(sound.at_least(front_end.min_samples))
            x = self.pipeline.normalizer(level).astype(np.float32)
        except AudioError as error:
            bad = BadFile(clip.name, error.reason, error.detail, ())
            return _Written(clip, output, 0, bad, read.stamp, b"")
        frames = x.shape[1]
        padding = front_end.frames(len(sound.samples)) - frames
        if padding:
            behind = self.pipeline.normalizer.padding_of(level).astype(np.float32)
            x = np.concatenate([x, np.broadcast_to(behind, (len(x), padding))], axis=1)
        data = io.BytesIO()
        np.save(data, x)
        with atomic_write(self.folder / output) as file:
            file.write(data.getbuffer())
        digest = xxhash.xxh3_128_digest(data.getbuffer())
        return _Written(clip, output, frames, None, read.stamp, digest)

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
                "bad": plain_files([result.bad] if result.bad else []),
            }
        ).encode()

    def unpack(self, item: tuple[ClipReference, str], payload: bytes) -> _Written | None:
        """The result again, when the clip's content is what it was and the output is what was made of it."""
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
    """Write each clip as `.npy` float32 `(band, frame)`, in the source's own folder structure.

    Beside them stand the pipeline that made them and `index.csv`: the source's columns, with `path` and the number of
    `frames` that are not padding. With `duration` (seconds) every clip is cropped or padded to one
    length; the normalizer says what stands in the padding: zero after normalization, or what silence becomes.
    A run that was stopped, by whatever means, is taken up again by calling `apply` once
    more: a journal beside the folder says what is finished.

    Raises:
        SourceError: when the source cannot be opened or is empty.
        TooManyBad: when more files are bad than `max_bad`, or all are; good ones are written all the same.
        ArgumentError: when `max_bad` is not a share, or the folder is a file.
        OutputBusy: when another run is writing into the folder.
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
