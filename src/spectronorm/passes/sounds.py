"""Inversion of images and saved spectrograms to audio files."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from spectronorm.audio import ClipReference, Source, stamp
from spectronorm.engines import Engine
from spectronorm.errors import ArgumentError, BadAudioReason, FileFormatError, SourceError, SpectronormError
from spectronorm.image_files.header import KEYWORD
from spectronorm.image_files.png import read_texts
from spectronorm.interop.wrapped_codes import WrappedCells
from spectronorm.inversion import invert
from spectronorm.passes.inversion_options import FORMATS, InversionOptions
from spectronorm.passes.one_pass import MAX_BAD, OneClip, Output, one_pass
from spectronorm.passes.outputs import (
    INDEX_NAME,
    PIPELINE_NAME,
    SHEET_PREFIX,
    files_in,
    output_names,
    require_folder,
)
from spectronorm.passes.spectrogram_files import folder_of_pipeline, read_spectrogram
from spectronorm.profile import BadFile
from spectronorm.profile.storage import parse_files, plain_files
from spectronorm.runs.journal import key_of
from spectronorm.runs.progress import Progress
from spectronorm.short_repr import with_short_repr
from spectronorm.storage.atomic import atomic_write
from spectronorm.storage.canonical_json import canonical_json
from spectronorm.storage.content import Content
from spectronorm.storage.field_values import finite, text
from spectronorm.storage.replacement import overwriting, protecting, require_replaceable
from spectronorm.suggestion import known_keywords, known_settings

_MOST_IN_FLAC = 8


@known_settings
@with_short_repr
@dataclass(frozen=True)
class InvertedFile:
    """One inverted file, with notes; `wrapped` counts the cells of a tutorial's image that had wrapped around.

    >>> import pathlib
    >>> InvertedFile("a.png", pathlib.Path("a.wav"), 1.0, ("half a step of 0.2 dB is lost",)).output.name
    'a.wav'
    """

    source: str
    output: Path
    seconds: float
    notes: tuple[str, ...]
    wrapped: WrappedCells | None = None


@known_settings
@with_short_repr
@dataclass(frozen=True)
class InvertedFiles:
    """Result of `export_audio`: the written files, and the bad files.

    >>> import pathlib, tempfile, numpy as np, spectronorm as sn
    >>> front_end = sn.FrontEnd(bands=sn.Mel(40))
    >>> codec = sn.images.ImageCodec(front_end, sn.images.LevelRange.fixed_db(front_end, -100.0, 60.0))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = sn.images.export([(0.1 * np.random.default_rng(0).standard_normal(8000), 16_000)], codec, folder)
    ...     options = sn.sounds.InversionOptions(quality="fast")
    ...     inverted = sn.sounds.export(folder, pathlib.Path(folder) / "sounds", options)
    >>> len(inverted.files), inverted.bad
    (1, ())
    """

    files: tuple[InvertedFile, ...]
    bad: tuple[BadFile, ...]


@dataclass(frozen=True)
class _Made(OneClip):
    """Result of one file; the stamps identify its content and the written sound."""

    file: InvertedFile | None
    bad: tuple[BadFile, ...]
    source: str
    sound: str


@dataclass(frozen=True)
class _Task:
    """Inverts one file; picklable, so that any engine can run it."""

    options: InversionOptions

    def __call__(self, item: tuple[str, Path, Path]) -> _Made:
        name, path, output = item
        before = _stamp_of_source(path, self.options)
        try:
            return _Made(invert_file(path, output, self.options, name, judged=True), (), before, _stamp(output))
        except ArgumentError:
            raise
        except SpectronormError as error:
            return _Made(None, (BadFile(name, BadAudioReason.UNREADABLE, str(error), ()),), before, "")

    def key(self, item: tuple[str, Path, Path]) -> bytes:
        """Return a key made from the names of file and sound; the stamps show if the contents are unchanged."""
        return key_of([item[0], item[2].name])

    def pack(self, made: _Made) -> bytes:
        """Serialize a result as one JSON object."""
        plain: dict[str, object] = {"source": made.source, "sound": made.sound}
        if made.file is None:
            plain["bad"] = plain_files(made.bad)
        else:
            wrapped = None if made.file.wrapped is None else asdict(made.file.wrapped)
            plain |= {"seconds": made.file.seconds, "notes": list(made.file.notes), "wrapped": wrapped}
        return canonical_json(plain).encode()

    def unpack(self, item: tuple[str, Path, Path], payload: bytes) -> _Made | None:
        """Restore a result, or None if the file's content or the sound has changed."""
        name, path, output = item
        plain = json.loads(payload)
        if plain["source"] != _stamp_of_source(path, self.options):
            return None
        if "bad" in plain:
            return _Made(None, parse_files(plain["bad"]), text(plain["source"]), "")
        if _stamp(output) != plain["sound"] or "wrapped" not in plain:
            return None
        notes = tuple(text(note) for note in plain["notes"])
        wrapped = None if plain["wrapped"] is None else WrappedCells(**plain["wrapped"])
        file = InvertedFile(name, output, finite(plain["seconds"]), notes, wrapped)
        return _Made(file, (), plain["source"], plain["sound"])


def _stamp(path: Path) -> str:
    return stamp(ClipReference(path.name, path)).hex()


def _stamp_of_source(path: Path, options: InversionOptions) -> str:
    """Return the stamp of the file, and of the pipeline and index that determine how the file is read."""
    stamps = [_stamp(path)]
    if path.suffix.lower() == ".npy" and options.front_end is None and options.pipeline is None:
        try:
            folder = folder_of_pipeline(path)
        except ArgumentError:
            return stamps[0]  # The inversion will report the fault.
        stamps += [_stamp(folder / name) for name in (PIPELINE_NAME, INDEX_NAME)]
    return " ".join(stamps)


def invert_file(
    path: Path, output: Path, options: InversionOptions, name: str | None = None, *, judged: bool = False
) -> InvertedFile:
    """Write the sound of one `.png` or `.npy` file.

    A peak above full scale is scaled down, never clipped, and noted.

    Raises:
        FileFormatError: if the file cannot be read.
        ArgumentError: if a `.npy` file has no front end or pipeline, or if its normalizer has no inverse.
    """
    found = read_spectrogram(path, options.front_end, options.pipeline, options.legacy)
    wave = invert(
        found.level,
        found.front_end,
        length=found.length,
        method=options.method,
        quality=options.quality,
        seed=options.seed,
        level_error=found.level_error,
    )
    wave = wave if found.gain is None else found.gain.undo(wave)
    peak = float(np.abs(wave).max())
    notes = found.notes
    if peak > 1.0:
        wave = wave / peak
        notes = (*notes, f"scaled by {-20 * np.log10(peak):.1f} dB to stay within full scale")
    write_audio(output, wave, found.front_end.sample_rate, judged=judged)
    return InvertedFile(name or path.name, output, wave.shape[-1] / found.front_end.sample_rate, notes, found.wrapped)


def write_audio(output: Path, wave: NDArray[np.floating], sample_rate: int, *, judged: bool = False) -> None:
    """Write `(sample,)` or `(channel, sample)` as WAV or FLAC of 16 bits, by the suffix of `output`, atomically."""
    buffer = io.BytesIO()
    kind = output.suffix.lstrip(".").upper()
    channels = 1 if wave.ndim == 1 else wave.shape[0]
    if kind == "FLAC" and channels > _MOST_IN_FLAC:
        raise ArgumentError(f"{output}: FLAC holds at most {_MOST_IN_FLAC} channels, not {channels}; write WAV")
    with soundfile.SoundFile(buffer, "w", sample_rate, channels, "PCM_16", format=kind) as file:
        file.software = "spectronorm"
        file.write(np.asarray(wave, dtype=np.float32).T)
    with atomic_write(output, None if judged else Content.SOUND) as written:
        written.write(buffer.getvalue())


@known_keywords
def export_audio(
    target: str | Path,
    output: str | Path,
    options: InversionOptions | None = None,
    *,
    max_bad: float = MAX_BAD,
    engine: Engine | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> InvertedFiles:
    """Invert one file to `output`, or every `.png` and `.npy` below a folder into a folder of equal structure.

    Calling `export_audio` again resumes an interrupted run on a folder: a journal next to `output` records finished
    files.

    Raises:
        SourceError: if there is no such file or folder, or nothing to invert in it.
        FileFormatError: if a single file cannot be read.
        TooManyBad: if the share of bad files in a folder exceeds `max_bad`, or if all files are bad; good files are
            written anyway.
        ArgumentError: if a setting is invalid.
        OutputRefused: if a foreign file would be replaced without `overwrite`, or an input.
        OutputBusy: if another run is writing into the folder.

    >>> import pathlib, tempfile, numpy as np, spectronorm as sn
    >>> front_end = sn.FrontEnd(bands=sn.Mel(40))
    >>> codec = sn.images.ImageCodec(front_end, sn.images.LevelRange.fixed_db(front_end, -100.0, 60.0))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = sn.images.export([(0.1 * np.random.default_rng(0).standard_normal(8000), 16_000)], codec, folder)
    ...     (image,) = pathlib.Path(folder).rglob("*.png")
    ...     _ = sn.sounds.export(image, image.with_suffix(".wav"), sn.sounds.InversionOptions(quality="fast"))
    ...     print(sn.read(image.with_suffix(".wav"), 16_000).shape)
    (8000,)
    """
    target, output, options = Path(target), Path(output), options or InversionOptions()
    if target.is_file():
        chosen = output
        if output.suffix[1:].lower() not in FORMATS:
            require_folder(output, "sounds without a .wav or .flac name")
            chosen = output / f"{target.stem}.{options.format}"
        with overwriting(overwrite), protecting([target]):
            require_replaceable(chosen, Content.SOUND)
            return InvertedFiles((invert_file(target, chosen, options),), ())
    require_folder(output, "the sounds")
    source = _pictures(target)
    items = [(clip.name, clip.path, output / name) for clip, name in output_names(source, f".{options.format}")]
    files = files_in(Path(), ((str(path), Content.SOUND) for *_, path in items))
    with one_pass(
        source,
        _Task(options),
        items,
        output=Output(output, files, options.identity(), overwrite=overwrite),
        max_bad=max_bad,
        engine=engine,
        progress=progress,
    ) as results:
        made_files = [made.file for made in results if made.file is not None]
    return InvertedFiles(tuple(sorted(made_files, key=lambda file: file.source)), results.bad)


def _pictures(folder: Path) -> Source:
    """Return the images and saved spectrograms below a folder, without contact sheets."""
    if not folder.is_dir():
        raise SourceError(f"{folder}: there is no such file or folder; check the path")
    paths = [path for path in folder.rglob("*") if path.suffix.lower() in (".png", ".npy") and path.is_file()]
    kept = [path for path in paths if path.parent != folder or not _is_sheet(path)]
    if not kept:
        raise SourceError(f"{folder}: holds no .png or .npy file to invert; make some with spectronorm images")
    return Source.of(ClipReference(path.relative_to(folder).as_posix(), path) for path in kept)


def _is_sheet(path: Path) -> bool:
    """Tell if a file is a contact sheet, by its name and texts; the image of a clip may have such a name too."""
    if not path.name.startswith(SHEET_PREFIX) or path.suffix.lower() != ".png":
        return False
    try:
        texts = read_texts(path)
    except (OSError, FileFormatError):
        return False
    return texts.get("Software") == "spectronorm" and KEYWORD not in texts
