"""From a source and a pipeline to a folder of normalized spectrograms."""

from __future__ import annotations

import csv
import io
from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from specnorm.audio import ClipReference, Source, open_source, read_clip
from specnorm.engines import Engine, LocalEngine
from specnorm.errors import ArgumentError, AudioError
from specnorm.files import atomic_write, write_text
from specnorm.fit import MAX_BAD, Progress, check_bad
from specnorm.pipeline import Pipeline
from specnorm.profile import BadFile

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
    clip: ClipReference
    output: str
    frames: int
    bad: BadFile | None


@dataclass(frozen=True)
class _Task:
    """Writes one clip's spectrogram; picklable, so that any engine can run it."""

    pipeline: Pipeline
    folder: Path
    duration: float | None

    def __call__(self, item: tuple[ClipReference, str]) -> _Written:
        clip, output = item
        front_end = self.pipeline.front_end
        try:
            read = read_clip(clip.path, front_end.sample_rate, duration=self.duration, resampler=front_end.resampler)
            x = self.pipeline.normalizer(front_end.clip_level(read.valid)).astype(np.float32)
        except AudioError as error:
            return _Written(clip, output, 0, BadFile(clip.name, error.reason, error.detail, ()))
        frames = x.shape[1]
        padding = front_end.frames(len(read.samples)) - frames
        with atomic_write(self.folder / output) as file:
            np.save(file, np.pad(x, ((0, 0), (0, padding))))
        return _Written(clip, output, frames, None)


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
    `frames` that are not padding. With `duration` (seconds) every clip is cropped, or padded with zeros after
    normalization, to one length.

    Raises:
        SourceError: when the source cannot be opened or is empty.
        TooManyBad: when more files are bad than `max_bad`, or all are; good ones are written all the same.
        ArgumentError: when `max_bad` is not a share, or the folder is a file.
    """
    if not 0 <= max_bad <= 1:
        raise ArgumentError(f"max_bad={max_bad} must lie in 0 … 1 (1% is 0.01)")
    opened, folder = open_source(source), Path(folder)
    if folder.exists() and not folder.is_dir():
        raise ArgumentError(f"{folder}: is a file, but the spectrograms need a folder; choose another name")
    results = []
    for result in (engine or LocalEngine()).map(_Task(pipeline, folder, duration), _outputs(opened)):
        results.append(result)
        if progress is not None:
            progress(len(results), len(opened))
    bad = tuple(sorted(result.bad for result in results if result.bad is not None))
    written = sorted((r for r in results if r.bad is None), key=lambda r: r.output)
    if written:
        write_text(folder / INDEX_NAME, _index(opened, written))
        pipeline.save(folder / PIPELINE_NAME)
    check_bad(bad, len(opened), max_bad)
    return Applied(folder, len(written), bad)


def _outputs(source: Source) -> Sequence[tuple[ClipReference, str]]:
    """Each clip with the name of its output; clips whose names differ only in the suffix keep it."""
    plain = [str(PurePosixPath(clip.name).with_suffix(".npy")) for clip in source]
    twice = {name for name, count in Tally(name.casefold() for name in plain).items() if count > 1}
    names = [f"{clip.name}.npy" if name.casefold() in twice else name for clip, name in zip(source, plain, strict=True)]
    repeated = [name for name, count in Tally(names).items() if count > 1]
    if repeated:
        raise ArgumentError(f"{repeated[0]}: two clips of the source have this name; list each file once")
    return list(zip(source, names, strict=True))


def _index(source: Source, written: Sequence[_Written]) -> str:
    columns = [name for name in source.column_names() if name not in ("path", "frames")]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["path", *columns, "frames"])
    for result in written:
        table.writerow([result.output, *(result.clip.columns.get(name, "") for name in columns), result.frames])
    return text.getvalue()
