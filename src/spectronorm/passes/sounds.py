"""From images and saved spectrograms back to audio files."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from spectronorm.audio import ClipReference, Source, stamp
from spectronorm.engines import Engine
from spectronorm.errors import ArgumentError, BadAudioReason, FileFormatError, SourceError, SpectronormError
from spectronorm.front_end import FrontEnd, WaveformGain, require_front_end
from spectronorm.image_files import decode
from spectronorm.interop.tutorial_pictures import LegacyLogMel, decode_legacy_logmel
from spectronorm.inversion import invert
from spectronorm.passes.one_pass import MAX_BAD, OneClip, Output, one_pass
from spectronorm.passes.outputs import (
    INDEX_NAME,
    PIPELINE_NAME,
    SHEET_PREFIX,
    escaped_name,
    files_in,
    output_names,
    read_frames,
    require_folder,
)
from spectronorm.pipeline import Pipeline
from spectronorm.profile import BadFile
from spectronorm.profile.storage import parse_files, plain_files
from spectronorm.runs.journal import key_of
from spectronorm.runs.progress import Progress
from spectronorm.runs.versions import libraries
from spectronorm.storage import DAMAGE
from spectronorm.storage.atomic import atomic_write
from spectronorm.storage.canonical_json import canonical_json
from spectronorm.storage.content import Content
from spectronorm.storage.replacement import overwriting, protecting, require_replaceable

FORMATS = ("wav", "flac")


@dataclass(frozen=True)
class InversionOptions:
    """How levels become sound (see `invert`), and what cannot be read from the files.

    `front_end` made the levels of `.npy` files that hold levels; `pipeline` normalized those that hold normalized
    ones (by default the one that `spectronorm apply` left in a folder above). `legacy` are the settings of pictures
    that carry none. `format` is wav or flac, of 16 bits.

    Raises:
        ArgumentError: when the format is unknown.
    """

    method: str = "auto"
    quality: str = "good"
    seed: int = 0
    format: str = "wav"
    front_end: FrontEnd | None = None
    pipeline: Pipeline | None = None
    legacy: LegacyLogMel | None = None

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise ArgumentError(f"format={self.format!r} must be one of {', '.join(FORMATS)}")

    def identity(self) -> dict[str, Any]:
        """Everything besides the files that decides the sounds, as plain JSON values."""
        return {
            "command": "invert",
            "method": self.method,
            "quality": self.quality,
            "seed": self.seed,
            "format": self.format,
            "front_end": None if self.front_end is None else self.front_end.to_dict(),
            "pipeline": None if self.pipeline is None else self.pipeline.summary(),
            "legacy": None if self.legacy is None else asdict(self.legacy),
            "libraries": libraries(),
        }


@dataclass(frozen=True)
class InvertedFile:
    """One file that became sound, with what should be known about it."""

    source: str
    output: Path
    seconds: float
    notes: tuple[str, ...]


@dataclass(frozen=True)
class InvertedFiles:
    """What was written, and what was left out."""

    files: tuple[InvertedFile, ...]
    bad: tuple[BadFile, ...]


@dataclass(frozen=True)
class _Spectrogram:
    level: NDArray[np.floating]
    front_end: FrontEnd
    length: int | None
    gain: WaveformGain | None
    level_error: float
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Made(OneClip):
    """What became of one file; the stamps identify what it was made from and the sound that was written."""

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
        """By the names of the file and of its sound; whether the contents are still the same, the stamps say."""
        return key_of([item[0], item[2].name])

    def pack(self, made: _Made) -> bytes:
        """One JSON object."""
        plain: dict[str, object] = {"source": made.source, "sound": made.sound}
        if made.file is None:
            plain["bad"] = plain_files(made.bad)
        else:
            plain |= {"seconds": made.file.seconds, "notes": list(made.file.notes)}
        return canonical_json(plain).encode()

    def unpack(self, item: tuple[str, Path, Path], payload: bytes) -> _Made | None:
        """The result again, when the file's content is what it was and the sound is what was made of it."""
        name, path, output = item
        plain = json.loads(payload)
        if plain["source"] != _stamp_of_source(path, self.options):
            return None
        if "bad" in plain:
            return _Made(None, parse_files(plain["bad"]), plain["source"], "")
        if _stamp(output) != plain["sound"]:
            return None
        file = InvertedFile(name, output, plain["seconds"], tuple(plain["notes"]))
        return _Made(file, (), plain["source"], plain["sound"])


def _stamp(path: Path) -> str:
    return stamp(ClipReference(path.name, path)).hex()


def _stamp_of_source(path: Path, options: InversionOptions) -> str:
    """Of the file, and of the pipeline and index that say how to read it where they do."""
    stamps = [_stamp(path)]
    if path.suffix.lower() == ".npy" and options.front_end is None and options.pipeline is None:
        try:
            folder = _folder_of_pipeline(path)
        except ArgumentError:
            return stamps[0]  # which is what inverting it will say
        stamps += [_stamp(folder / name) for name in (PIPELINE_NAME, INDEX_NAME)]
    return " ".join(stamps)


def invert_file(
    path: Path, output: Path, options: InversionOptions, name: str | None = None, *, judged: bool = False
) -> InvertedFile:
    """Write the sound of one `.png` or `.npy` file.

    A peak above full scale is scaled down, never clipped, and noted.

    Raises:
        FileFormatError: when the file cannot be read as what it should be.
        ArgumentError: when a `.npy` file comes without a front end or pipeline, or its normalizer has no inverse.
    """
    found = _read(path, options)
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
    return InvertedFile(name or path.name, output, len(wave) / found.front_end.sample_rate, notes)


def write_audio(output: Path, wave: NDArray[np.floating], sample_rate: int, *, judged: bool = False) -> None:
    """Write a mono WAV or FLAC of 16 bits, by the suffix of `output`, whole or not at all.

    Its text says which program wrote it. With `judged` the caller has looked at what it replaces.
    """
    buffer = io.BytesIO()
    kind = output.suffix.lstrip(".").upper()
    with soundfile.SoundFile(buffer, "w", sample_rate, 1, "PCM_16", format=kind) as file:
        file.software = "spectronorm"
        file.write(np.asarray(wave, dtype=np.float32))
    with atomic_write(output, None if judged else Content.SOUND) as written:
        written.write(buffer.getvalue())


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
    """Invert one file to `output`, or every `.png` and `.npy` below a folder into a folder of the same structure.

    A folder's run that was stopped, by whatever means, is taken up again by calling `export_audio` once more: a journal
    beside `output` says what is finished.

    Raises:
        SourceError: when there is no such file or folder, or nothing to invert in it.
        FileFormatError: when a single file cannot be read.
        TooManyBad: when more files of a folder are bad than `max_bad`, or all are; good ones are written all the same.
        ArgumentError: when a setting breaks its rule.
        OutputRefused: when a file would be replaced that is not a sound of ours, unless `overwrite` is set, or that is
            an input.
        OutputBusy: when another run is writing into the folder.
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
    """The images and saved spectrograms below a folder, without the sheets that show several."""
    if not folder.is_dir():
        raise SourceError(f"{folder}: there is no such file or folder; check the path")
    paths = [path for path in folder.rglob("*") if path.suffix.lower() in (".png", ".npy") and path.is_file()]
    kept = [path for path in paths if path.parent != folder or not path.name.startswith(SHEET_PREFIX)]
    if not kept:
        raise SourceError(f"{folder}: holds no .png or .npy file to invert; make some with spectronorm images")
    return Source.of(ClipReference(path.relative_to(folder).as_posix(), path) for path in kept)


_MAX_CELLS = 1 << 28
_ODD: tuple[type[Exception], ...] = (OSError, *DAMAGE)


def _read(path: Path, options: InversionOptions) -> _Spectrogram:
    if path.suffix.lower() == ".npy":
        return _read_npy(path, options)
    if options.legacy is not None:
        legacy = decode_legacy_logmel(path, options.legacy)
        notes: tuple[str, ...] = (f"half a step of {legacy.losses['max_error_db']:.2f} dB is lost everywhere",)
        if legacy.wrapped:
            notes = (*notes, f"{legacy.wrapped} cells look wrapped around ({legacy.losses['wrapped_share']:.2%}): lost")
        return _Spectrogram(legacy.level, options.legacy.front_end, None, None, options.legacy.max_error, notes)
    image = decode(path)
    header = image.header
    return _Spectrogram(image.level, header.front_end, header.length, header.gain, image.max_error, ())


def _read_npy(path: Path, options: InversionOptions) -> _Spectrogram:
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        if mapped.size > _MAX_CELLS:
            raise ValueError(f"it has {mapped.size} cells, more than {_MAX_CELLS}")
        x = np.array(mapped)
    except _ODD as error:
        raise FileFormatError(f"{path}: cannot be read as a .npy array ({error})") from None
    if x.ndim != 2 or not np.issubdtype(x.dtype, np.floating) or not x.size:
        raise FileFormatError(
            f"{path}: holds {x.dtype} of shape {x.shape}, but a spectrogram is (band, frame) of floats"
        )
    note = ("the level of the waveform is not known: the sound has that of the normalized wave",)
    if options.front_end is not None:
        return _Spectrogram(x, options.front_end, None, None, 0.0, note)
    pipeline = options.pipeline
    if pipeline is None:
        folder = _folder_of_pipeline(path)
        pipeline = _pipeline(folder / PIPELINE_NAME)
        name = escaped_name(path.resolve().relative_to(folder).as_posix())
        x = x[:, : _frames(folder).get(name, x.shape[1])]
    front_end = require_front_end(pipeline.front_end, "turning a spectrogram into sound")
    return _Spectrogram(pipeline.inverse(x.astype(np.float64)), front_end, None, None, 0.0, note)


def _folder_of_pipeline(path: Path) -> Path:
    for folder in path.resolve().parents:
        if (folder / PIPELINE_NAME).is_file():
            return folder
    raise ArgumentError(
        f"{path}: no {PIPELINE_NAME} stands in a folder above it, so what made it is not known; "
        "give --profile for normalized spectrograms or --front-end for levels"
    )


@lru_cache(maxsize=8)
def _pipeline(path: Path) -> Pipeline:
    return Pipeline.load(path)


@lru_cache(maxsize=8)
def _frames(folder: Path) -> Mapping[str, int]:
    """The frames that are not padding, from the index that `spectronorm apply` wrote; empty without one."""
    index = folder / INDEX_NAME
    if not index.is_file():
        return {}
    try:
        return read_frames(index)
    except (OSError, ValueError) as error:
        raise FileFormatError(
            f"{index}: is not the index that spectronorm apply writes ({error}); apply again"
        ) from None
