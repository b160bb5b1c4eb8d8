"""Export of a source as a folder of spectrogram images that image-training tools can read."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import xxhash

from spectronorm.arrays import set_real_numbers, set_whole_numbers, whole_number
from spectronorm.audio import ClipReference, Openable, Reader, Windows
from spectronorm.audio.duration import MAX_SECONDS, MIN_SECONDS
from spectronorm.engines import Engine
from spectronorm.errors import ArgumentError, AudioError, FileFormatError
from spectronorm.features import open_for
from spectronorm.front_end import WaveformGain
from spectronorm.image_files import ImageCodec, encode_image, encode_picture
from spectronorm.image_files.codec import read_header, require_readable
from spectronorm.image_files.picture import palette
from spectronorm.image_files.png import NOT_INVERTIBLE, read_texts
from spectronorm.passes.contact_sheets import sheet_names, write_sheets
from spectronorm.passes.long_image import LongImage, SpooledImage, image_parts, picture_parts
from spectronorm.passes.one_pass import MAX_BAD, OneClip, Output, one_pass
from spectronorm.passes.outputs import INDEX_NAME, files_in, output_names, require_folder, write_clip_index
from spectronorm.passes.windowed import windowed
from spectronorm.profile import BadFile
from spectronorm.runs.progress import Progress
from spectronorm.short_repr import with_bounded_repr, with_short_repr
from spectronorm.storage.atomic import atomic_write
from spectronorm.storage.canonical_json import canonical_json
from spectronorm.storage.content import Content
from spectronorm.suggestion import known_keywords, known_settings
from spectronorm.version import __version__

_MAX_WIDTH = 1 << 16


@known_settings
@with_bounded_repr
@dataclass(frozen=True)
class ExportOptions:
    """Options for writing images, in addition to the codec's.

    `width` crops or pads every image to this number of frames; `duration` crops or pads clips (seconds); `colormap`
    writes coloured pictures, which cannot be inverted; `sheets` adds a contact sheet of up to this number of images for
    each class; `command` is a command line that each image notes, for `spectronorm describe`.

    Raises:
        ArgumentError: if a number is not positive.

    >>> ExportOptions(width=128, sheets=16)
    ExportOptions(width=128, duration=None, colormap=None, sheets=16, command='')
    """

    width: int | None = None
    duration: float | None = None
    colormap: str | None = None
    sheets: int = 0
    command: str = ""

    def __post_init__(self) -> None:
        if self.width is not None:
            whole_number(self.width, "size", 1, _MAX_WIDTH, of="frames")
        if self.duration is not None:
            set_real_numbers(self, ("duration",), MIN_SECONDS, MAX_SECONDS, of="s")
        set_whole_numbers(self, ("sheets",), 0, 10_000)


@known_settings
@with_short_repr
@dataclass(frozen=True)
class ExportedImages:
    """Content of the folder: images `written` by this run or `kept` from earlier ones, and `clipped` new cells.

    >>> import pathlib, tempfile, numpy as np, spectronorm as sn
    >>> front_end = sn.FrontEnd(bands=sn.Mel(40))
    >>> codec = sn.images.ImageCodec(front_end, sn.images.LevelRange.fixed_db(front_end, -100.0, 60.0))
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(2)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     done = sn.images.export(waves, codec, folder)
    ...     again = sn.images.export(waves, codec, folder)
    >>> done.written, again.kept, done.clipped
    (2, 2, 0)
    """

    folder: Path
    written: int
    kept: int
    clipped: int
    cells: int
    sheets: tuple[str, ...]
    bad: tuple[BadFile, ...]


@dataclass(frozen=True)
class _Done(OneClip):
    clip: ClipReference
    output: str
    kept: bool = False
    frames: int = 0
    clipped: int = 0
    cells: int = 0
    bad: tuple[BadFile, ...] = ()


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
            standing = self._standing(self.folder / output, self._source(clip, self.reader.stamp(clip)))
            if standing is not None:
                return _Done(clip, output, kept=True, frames=standing)
            return self._write(clip, output)
        except AudioError as error:
            return _Done(clip, output, bad=(BadFile.of(clip.name, error),))

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
            header = read_header(path)
        except FileFormatError:
            return None
        return header.frames if header.source == source else None

    def _write(self, clip: ClipReference, output: str) -> _Done:
        with ExitStack() as waiting:
            long = self._long.spooled(clip, self.folder, waiting)
            if long is None:
                return self._write_held(clip, output)
            if isinstance(long.result, AudioError):
                raise long.result
            return self._write_long(clip, output, long.result, self._source(clip, long.stamp))

    @cached_property
    def _long(self) -> LongImage:
        return LongImage(self.codec, self.reader, self.options.duration, self.options.width)

    def _write_long(self, clip: ClipReference, output: str, image: SpooledImage, source: str) -> _Done:
        width, colormap = self.options.width, self.options.colormap
        header = self.codec.header(image.frames, image.length, gain=image.gain, source=source, width=width)
        header = replace(header, command=self.options.command)
        parts = image_parts(header, image) if colormap is None else picture_parts(self.codec, image, colormap, header)
        with atomic_write(self.folder / output, None) as file:
            for part in parts:
                file.write(part)
        cells = header.frames * self.codec.front_end.n_bands
        return _Done(clip, output, False, header.frames, image.clipped, cells)

    def _write_held(self, clip: ClipReference, output: str) -> _Done:
        front_end = self.codec.front_end
        stamped = self.reader.read_stamped(
            clip, front_end.sample_rate, duration=self.options.duration, resampler=front_end.resampler
        )
        read, source = stamped.clip_or_raise(), self._source(clip, stamped.stamp)
        level = front_end.clip_level(read.at_least(front_end.min_samples))
        width = self.options.width
        if width is None and read.length < read.samples.shape[-1]:
            width = front_end.frames(read.samples.shape[-1])
        require_readable(len(level), width or level.shape[1])
        gain = WaveformGain.of(read.at_least(front_end.min_samples), front_end)
        pixels, header = self.codec.pixels(level, length=read.length, gain=gain, source=source, width=width)
        header = replace(header, command=self.options.command)
        if self.options.colormap is None:
            data = encode_image(pixels, header)
        else:
            data = encode_picture(self.codec, pixels, self.options.colormap, header)
        with atomic_write(self.folder / output, None) as file:
            file.write(data)
        shown = level[:, : header.frames]
        return _Done(clip, output, False, header.frames, self.codec.clipped(shown), shown.size)


@known_keywords
def export_images(  # noqa: PLR0913  (every one of them is an independent choice of the user)
    source: Openable,
    codec: ImageCodec,
    folder: str | Path,
    *,
    options: ExportOptions | None = None,
    max_bad: float = MAX_BAD,
    engine: Engine | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
    window: float | Windows | None = None,
    overlap: float = 0.0,
) -> ExportedImages:
    """Write each clip as a PNG in the source's folder structure, or in a subfolder named after its label.

    Channels of a stack lie below each other in one image, the first at the top.

    An existing image is kept if it is complete and was made from equal bytes with equal settings, so calling
    `export_images` again resumes an interrupted export. `index.csv` (the source's columns, `path` and `frames`) and the
    sheets are written next to the images; tools that read one folder for each class ignore them.

    With `window` (seconds, or `audio.Windows`) recordings are cut into windows that share `overlap` seconds, and the
    last one is padded as `ExportOptions.duration` pads.

    Raises:
        SourceError: if the source cannot be opened or is empty.
        TooManyBad: if the share of bad files exceeds `max_bad`, or if all files are bad; good files are written anyway.
        ArgumentError: if a setting is invalid, or two clips would get one name.
        OutputRefused: if the folder is a file, or if a foreign file would be replaced without `overwrite`, or an input.
        OutputBusy: if another run is writing into the folder.

    >>> import pathlib, tempfile, numpy as np, spectronorm as sn
    >>> front_end = sn.FrontEnd(bands=sn.Mel(40))
    >>> codec = sn.images.ImageCodec(front_end, sn.images.LevelRange.fixed_db(front_end, -100.0, 60.0))
    >>> waves = [(0.1 * np.random.default_rng(n).standard_normal(16_000), 16_000) for n in range(2)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = sn.images.export(waves, codec, folder)
    ...     print(sorted(path.name for path in pathlib.Path(folder).rglob("*.png")))
    ['000000.png', '000001.png']
    """
    options = options or ExportOptions()
    if not isinstance(codec, ImageCodec):
        raise ArgumentError(
            f"codec must be an ImageCodec, not a {type(codec).__name__}; make one from a profile: "
            "images.ImageCodec(profile.front_end, images.LevelRange.extremes(profile))"
        )
    if options.colormap is not None:
        palette(options.colormap)
        if codec.layout.bits != 8:
            raise ArgumentError(f"bits={codec.layout.bits} with colormap={options.colormap!r}: colours show 8 bits")
    source, duration = windowed(source, codec.front_end, window, overlap, options.duration)
    options = replace(options, duration=duration)
    opened, folder = open_for(source, codec.front_end), Path(folder)
    require_folder(folder, "the images")
    named = sheet_names(opened) if options.sheets else {}
    sheets = tuple(named.values())
    items = output_names(opened, ".png", by_label=True, taken=sheets)
    files = [
        *((name, Content.PICTURE) for name in (*(name for _, name in items), *sheets)),
        (INDEX_NAME, Content.INDEX),
    ]
    with one_pass(
        opened,
        _Task(codec, folder, options, identity_of(codec, options), opened.reader),
        items,
        output=Output(folder, files_in(folder, files), overwrite=overwrite),
        max_bad=max_bad,
        engine=engine,
        progress=progress,
    ) as results:
        good = sorted((result for result in results if not result.bad), key=lambda result: result.output)
        if options.sheets:
            images = ((one.clip, one.output) for one in good)
            sheets = write_sheets(folder, images, named, options.sheets, coloured=options.colormap is not None)
        if good:
            write_clip_index(folder, opened, ((one.output, one.clip, one.frames) for one in good))
    kept = sum(one.kept for one in good)
    clipped, cells = sum(one.clipped for one in good), sum(one.cells for one in good)
    return ExportedImages(folder, len(good) - kept, kept, clipped, cells, sheets, results.bad)


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
