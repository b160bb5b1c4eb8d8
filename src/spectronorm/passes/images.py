"""Export of a source as a folder of spectrogram images that image-training tools can read."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import xxhash

from spectronorm.audio import ClipReference, Reader, Source, open_source, release, stamp
from spectronorm.engines import AutoEngine, Engine
from spectronorm.errors import ArgumentError, AudioError, FileFormatError
from spectronorm.front_end import WaveformGain
from spectronorm.image_files import ImageCodec, contact_sheet, decode, encode_image, encode_picture
from spectronorm.image_files.picture import palette
from spectronorm.image_files.png import NOT_INVERTIBLE, read_texts
from spectronorm.passes.one_pass import MAX_BAD, Progress, check_bad
from spectronorm.profile import BadFile
from spectronorm.runs.lock import output_lock
from spectronorm.runs.worker_check import Origin
from spectronorm.storage.atomic import atomic_write, remove_unfinished, write_text
from spectronorm.storage.canonical_json import canonical_json
from spectronorm.version import __version__

INDEX_NAME = "index.csv"
SHEET_PREFIX = "sheet-"


@dataclass(frozen=True)
class ExportOptions:
    """Options for writing images, in addition to the codec's.

    `width` crops or pads every image to this number of frames; `duration` crops or pads clips (seconds); `colormap`
    writes coloured pictures, which cannot be inverted; `sheets` adds a contact sheet of up to this number of images for
    each class.

    Raises:
        ArgumentError: if a number is not positive.
    """

    width: int | None = None
    duration: float | None = None
    colormap: str | None = None
    sheets: int = 0

    def __post_init__(self) -> None:
        if self.width is not None and self.width < 1:
            raise ArgumentError(f"size={self.width} must be at least 1 frame")
        if self.duration is not None and not self.duration > 0:
            raise ArgumentError(f"duration={self.duration} must be a positive number of seconds")
        if self.sheets < 0:
            raise ArgumentError(f"sheets={self.sheets} must not be negative")


@dataclass(frozen=True)
class ExportedImages:
    """Content of the folder: images `written` by this run or `kept` from earlier ones, and `clipped` new cells."""

    folder: Path
    written: int
    kept: int
    clipped: int
    cells: int
    sheets: tuple[str, ...]
    bad: tuple[BadFile, ...]


@dataclass(frozen=True)
class _Done:
    clip: ClipReference
    output: str
    kept: bool = False
    frames: int = 0
    clipped: int = 0
    cells: int = 0
    bad: BadFile | None = None


@dataclass(frozen=True)
class _Task:
    """Writes one clip's image unless it exists; picklable, so that any engine can run it."""

    codec: ImageCodec
    folder: Path
    options: ExportOptions
    identity: str
    reader: Reader

    def __call__(self, item: tuple[ClipReference, str]) -> _Done:
        clip, output = item
        try:
            standing = self._standing(self.folder / output, self._source(clip, stamp(clip)))
            if standing is not None:
                return _Done(clip, output, kept=True, frames=standing)
            return self._write(clip, output)
        except AudioError as error:
            return _Done(clip, output, bad=BadFile(clip.name, error.reason, error.detail, ()))

    def _source(self, clip: ClipReference, content: bytes) -> str:
        """Return a clip's name, with the digest of its content and of everything else that the image depends on."""
        return f"{clip.name} xxh3:{xxhash.xxh3_128_hexdigest(self.identity.encode() + content)}"

    def _standing(self, path: Path, source: str) -> int | None:
        """Return the number of frames of an existing, complete image of equal content; None if there is none."""
        if not path.exists():
            return None
        try:
            if self.options.colormap is not None:
                told = read_texts(path).get(NOT_INVERTIBLE, "").rpartition("; ")[2]
                wanted, _, frames = told.rpartition(" frames:")
                return int(frames) if wanted == source and frames.isdigit() else None
            header = decode(path).header
        except FileFormatError:
            return None
        return header.frames if header.source == source else None

    def _write(self, clip: ClipReference, output: str) -> _Done:
        front_end = self.codec.front_end
        stamped = self.reader.read_stamped(
            clip, front_end.sample_rate, duration=self.options.duration, resampler=front_end.resampler
        )
        read, source = stamped.clip_or_raise(), self._source(clip, stamped.stamp)
        level = front_end.clip_level(read.valid)
        width = self.options.width
        if width is None and read.length < len(read.samples):
            width = front_end.frames(len(read.samples))
        gain = WaveformGain.of(read.valid, front_end)
        pixels, header = self.codec.pixels(level, length=read.length, gain=gain, source=source, width=width)
        if self.options.colormap is None:
            data = encode_image(pixels, header)
        else:
            tail = f"{source} frames:{header.frames}"
            data = encode_picture(self.codec, pixels, self.options.colormap, tail)
        with atomic_write(self.folder / output) as file:
            file.write(data)
        shown = level[:, : header.frames]
        return _Done(clip, output, False, header.frames, self.codec.clipped(shown), shown.size)


def export_images(
    source: str | Path | Source,
    codec: ImageCodec,
    folder: str | Path,
    *,
    options: ExportOptions | None = None,
    max_bad: float = MAX_BAD,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> ExportedImages:
    """Write each clip as a PNG in the source's folder structure, or in a subfolder named after its label.

    An existing image is kept if it is complete and was made from equal bytes with equal settings, so calling
    `export_images` again resumes an interrupted export. `index.csv` (the source's columns, `path` and `frames`) and the
    sheets are written next to the images; tools that read one folder for each class ignore them.

    Raises:
        SourceError: if the source cannot be opened or is empty.
        TooManyBad: if the share of bad files exceeds `max_bad`, or if all files are bad; good files are written anyway.
        ArgumentError: if a setting is invalid, or two clips would get one name.
        OutputRefused: if the folder is a file, or if a foreign file would be replaced without `overwrite`, or an input.
        OutputBusy: if another run is writing into the folder.
    """
    options = options or ExportOptions()
    if not 0 <= max_bad <= 1:
        raise ArgumentError(f"max_bad={max_bad} must lie in 0 … 1 (1% is 0.01)")
    if options.colormap is not None:
        palette(options.colormap)
        if codec.layout.bits != 8:
            raise ArgumentError(f"bits={codec.layout.bits} with colormap={options.colormap!r}: colours show 8 bits")
    opened, folder = open_source(source), Path(folder)
    if folder.exists() and not folder.is_dir():
        raise ArgumentError(f"{folder}: is a file, but the images need a folder; choose another name")
    task = _Task(codec, folder, options, identity_of(codec, options), opened.reader)
    try:
        with output_lock(folder):
            remove_unfinished(folder)
            results: list[_Done] = []
            guarded = Origin.of(opened, folder).guard(task)
            for result in (engine or AutoEngine()).map(guarded, output_names(opened, ".png")):
                results.append(result)
                if progress is not None:
                    progress(len(results), len(opened))
            remove_unfinished(folder)  # a worker may have died writing
            return _finish(opened, folder, results, options, max_bad)
    finally:
        release()


def _finish(
    opened: Source, folder: Path, results: Sequence[_Done], options: ExportOptions, max_bad: float
) -> ExportedImages:
    """Write the index and the sheets.

    Raises:
        TooManyBad: if the share of bad files exceeds the limit.
    """
    bad = tuple(sorted(result.bad for result in results if result.bad is not None))
    good = sorted((r for r in results if r.bad is None), key=lambda r: r.output)
    sheets = _write_sheets(folder, good, options) if good else ()
    if good:
        write_text(folder / INDEX_NAME, _index(opened, good))
    check_bad(bad, len(opened), max_bad)
    kept = sum(r.kept for r in good)
    clipped, cells = sum(r.clipped for r in good), sum(r.cells for r in good)
    return ExportedImages(folder, len(good) - kept, kept, clipped, cells, sheets, bad)


def identity_of(codec: ImageCodec, options: ExportOptions) -> str:
    """Return everything except a clip's content that its image depends on, as one text."""
    layout, levels = codec.layout, codec.level_range
    return canonical_json(
        {
            "version": __version__,
            "front_end": codec.front_end.to_dict(),
            "range": [levels.low.tolist(), levels.high.tolist(), levels.scheme],
            "layout": [layout.bits, layout.low_frequencies, layout.loud],
            "options": [options.width, options.duration, options.colormap],
        }
    )


def output_names(source: Source, suffix: str) -> Sequence[tuple[ClipReference, str]]:
    """Return each clip with the name of its output: in its label's folder, unless its name begins with that already."""
    plain = [_below_label(clip, str(PurePosixPath(clip.name).with_suffix(suffix))) for clip in source]
    twice = {name for name, count in Tally(name.casefold() for name in plain).items() if count > 1}
    names = [
        _below_label(clip, f"{clip.name}{suffix}") if name.casefold() in twice else name
        for clip, name in zip(source, plain, strict=True)
    ]
    repeated = [name for name, count in Tally(names).items() if count > 1]
    if repeated:
        raise ArgumentError(f"{repeated[0]}: two clips of the source have this name; list each file once")
    return list(zip(source, names, strict=True))


def _below_label(clip: ClipReference, name: str) -> str:
    label = _folder_name(clip.columns.get("label", ""))
    return name if not label or PurePosixPath(name).parts[0] == label else f"{label}/{name}"


def _folder_name(label: str) -> str:
    """Return a label as a folder name: no separators, no leading dots, no characters that a file system forbids."""
    return re.sub(r"[\x00-\x1f/\\:*?\"<>|]", "_", label).strip().lstrip(".")


def _index(source: Source, done: Sequence[_Done]) -> str:
    columns = [name for name in source.column_names() if name not in ("path", "frames")]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["path", *columns, "frames"])
    for result in done:
        table.writerow([result.output, *(result.clip.columns.get(name, "") for name in columns), result.frames])
    return text.getvalue()


def _write_sheets(folder: Path, done: Sequence[_Done], options: ExportOptions) -> tuple[str, ...]:
    if not options.sheets:
        return ()
    classes: dict[str, list[_Done]] = {}
    for result in done:
        classes.setdefault(result.clip.columns.get("label", ""), []).append(result)
    written = []
    for label, results in sorted(classes.items()):
        chosen = results[: options.sheets]
        title = f"{label or 'all clips'}: {len(chosen)} of {len(results)} clips"
        name = f"{SHEET_PREFIX}{_folder_name(label) or 'all'}.png"
        images = [(r.output, folder / r.output) for r in chosen]
        _write_sheet(folder / name, title, images, coloured=options.colormap is not None)
        written.append(name)
    return tuple(written)


def _write_sheet(path: Path, title: str, images: Sequence[tuple[str, Path]], *, coloured: bool) -> None:
    buffer = io.BytesIO()
    contact_sheet(title, images).convert("RGB" if coloured else "L").save(buffer, "PNG")
    with atomic_write(path) as file:
        file.write(buffer.getvalue())
