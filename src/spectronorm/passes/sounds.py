"""Inversion of images and saved spectrograms to audio files."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from spectronorm.audio import ClipReference, stamp
from spectronorm.engines import AutoEngine, Engine
from spectronorm.errors import ArgumentError, BadAudioReason, FileFormatError, SourceError, SpectronormError
from spectronorm.front_end import FrontEnd, WaveformGain
from spectronorm.image_files import decode
from spectronorm.interop.tutorial_pictures import LegacyLogMel, decode_legacy_logmel
from spectronorm.inversion import invert
from spectronorm.passes.apply import INDEX_NAME, PIPELINE_NAME
from spectronorm.passes.images import SHEET_PREFIX
from spectronorm.passes.one_pass import MAX_BAD, Progress, check_bad
from spectronorm.pipeline import Pipeline
from spectronorm.profile import BadFile
from spectronorm.profile.storage import parse_files, plain_files
from spectronorm.runs.journal import keep_journal, key_of
from spectronorm.runs.resume import resumable_map
from spectronorm.runs.versions import libraries
from spectronorm.storage.atomic import atomic_write
from spectronorm.storage.canonical_json import canonical_json

FORMATS = ("wav", "flac")


@dataclass(frozen=True)
class InversionOptions:
    """Settings of the inversion (see `invert`), and facts that cannot be read from the files.

    `front_end` made the levels in `.npy` files of levels; `pipeline` normalized the levels in `.npy` files of
    normalized ones (by default the pipeline that `spectronorm apply` wrote in a folder above). `legacy` holds the
    settings of images that carry none. `format` is wav or flac, with 16 bits.

    Raises:
        ArgumentError: if the format is unknown.
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
        """Return everything except the files that determines the sounds, as plain JSON values."""
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
    """One inverted file, with notes about it."""

    source: str
    output: Path
    seconds: float
    notes: tuple[str, ...]


@dataclass(frozen=True)
class InvertedFiles:
    """Result of `export_audio`: the written files, and the bad files."""

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
class _Made:
    """Result of one file; the stamps identify its content and the written sound."""

    result: InvertedFile | BadFile
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
            return _Made(invert_file(path, output, self.options, name), before, _stamp(output))
        except ArgumentError:
            raise
        except SpectronormError as error:
            return _Made(BadFile(name, BadAudioReason.UNREADABLE, str(error), ()), before, "")

    def key(self, item: tuple[str, Path, Path]) -> bytes:
        """Return a key made from the names of file and sound; the stamps show if the contents are unchanged."""
        return key_of([item[0], item[2].name])

    def pack(self, made: _Made) -> bytes:
        """Serialize a result as one JSON object."""
        plain: dict[str, object] = {"source": made.source, "sound": made.sound}
        if isinstance(made.result, BadFile):
            plain["bad"] = plain_files([made.result])
        else:
            plain |= {"seconds": made.result.seconds, "notes": list(made.result.notes)}
        return canonical_json(plain).encode()

    def unpack(self, item: tuple[str, Path, Path], payload: bytes) -> _Made | None:
        """Restore a result, or None if the file's content or the sound has changed."""
        name, path, output = item
        plain = json.loads(payload)
        if plain["source"] != _stamp_of_source(path, self.options):
            return None
        if "bad" in plain:
            return _Made(parse_files(plain["bad"])[0], plain["source"], "")
        if _stamp(output) != plain["sound"]:
            return None
        return _Made(
            InvertedFile(name, output, plain["seconds"], tuple(plain["notes"])), plain["source"], plain["sound"]
        )


def _stamp(path: Path) -> str:
    return stamp(ClipReference(path.name, path)).hex()


def _stamp_of_source(path: Path, options: InversionOptions) -> str:
    """Return the stamp of the file, and of the pipeline and index that determine how the file is read."""
    stamps = [_stamp(path)]
    if path.suffix.lower() == ".npy" and options.front_end is None and options.pipeline is None:
        try:
            folder = _folder_of_pipeline(path)
        except ArgumentError:
            return stamps[0]  # The inversion will report the fault.
        stamps += [_stamp(folder / name) for name in (PIPELINE_NAME, INDEX_NAME)]
    return " ".join(stamps)


def invert_file(path: Path, output: Path, options: InversionOptions, name: str | None = None) -> InvertedFile:
    """Write the sound of one `.png` or `.npy` file.

    A peak above full scale is scaled down, never clipped, and noted.

    Raises:
        FileFormatError: if the file cannot be read.
        ArgumentError: if a `.npy` file has no front end or pipeline, or if its normalizer has no inverse.
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
    write_audio(output, wave, found.front_end.sample_rate)
    return InvertedFile(name or path.name, output, len(wave) / found.front_end.sample_rate, notes)


def write_audio(output: Path, wave: NDArray[np.floating], sample_rate: int) -> None:
    """Write a mono WAV or FLAC of 16 bits, by the suffix of `output`, atomically."""
    buffer = io.BytesIO()
    kind = output.suffix.lstrip(".").upper()
    soundfile.write(buffer, np.asarray(wave, dtype=np.float32), sample_rate, format=kind, subtype="PCM_16")
    with atomic_write(output) as file:
        file.write(buffer.getvalue())


def export_audio(
    target: str | Path,
    output: str | Path,
    options: InversionOptions | None = None,
    *,
    max_bad: float = MAX_BAD,
    engine: Engine | None = None,
    progress: Progress | None = None,
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
    """
    target, output, options = Path(target), Path(output), options or InversionOptions()
    if not 0 <= max_bad <= 1:
        raise ArgumentError(f"max_bad={max_bad} must lie in 0 … 1 (1% is 0.01)")
    if target.is_file():
        chosen = output if output.suffix[1:].lower() in FORMATS else output / f"{target.stem}.{options.format}"
        return InvertedFiles((invert_file(target, chosen, options),), ())
    items = _items(target, output, options.format)
    results: list[InvertedFile | BadFile] = []
    with keep_journal(output, options.identity()) as journal:
        for made in resumable_map(engine or AutoEngine(), _Task(options), items, journal):
            results.append(made.result)
            if progress is not None:
                progress(len(results), len(items))
        bad = tuple(sorted(result for result in results if isinstance(result, BadFile)))
        check_bad(bad, len(items), max_bad)
    good = (result for result in results if isinstance(result, InvertedFile))
    return InvertedFiles(tuple(sorted(good, key=lambda result: result.source)), bad)


def _items(folder: Path, output: Path, suffix: str) -> list[tuple[str, Path, Path]]:
    if not folder.is_dir():
        raise SourceError(f"{folder}: there is no such file or folder; check the path")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".png", ".npy") and path.is_file())
    names = [(path.relative_to(folder), path) for path in paths]
    names = [(name, path) for name, path in names if len(name.parts) > 1 or not path.name.startswith(SHEET_PREFIX)]
    if not names:
        raise SourceError(f"{folder}: holds no .png or .npy file to invert; make some with spectronorm images")
    plain = [name.with_suffix(f".{suffix}") for name, _ in names]
    outputs = [
        n.with_name(f"{n.name}.{suffix}") if plain.count(p) > 1 else p for (n, _), p in zip(names, plain, strict=True)
    ]
    return [(name.as_posix(), path, output / to) for (name, path), to in zip(names, outputs, strict=True)]


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
        x = np.array(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError, EOFError, TypeError, SyntaxError) as error:
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
        x = x[:, : _frames(folder).get(path.resolve().relative_to(folder).as_posix(), x.shape[1])]
    return _Spectrogram(pipeline.inverse(x.astype(np.float64)), pipeline.front_end, None, None, 0.0, note)


def _folder_of_pipeline(path: Path) -> Path:
    for folder in path.resolve().parents:
        if (folder / PIPELINE_NAME).is_file():
            return folder
    raise ArgumentError(
        f"{path}: no {PIPELINE_NAME} is in a folder above it, so its origin is not known; "
        "give --profile for normalized spectrograms or --front-end for levels"
    )


@lru_cache(maxsize=8)
def _pipeline(path: Path) -> Pipeline:
    return Pipeline.load(path)


@lru_cache(maxsize=8)
def _frames(folder: Path) -> dict[str, int]:
    """Return the numbers of frames without padding, from the index of `spectronorm apply`; empty without an index."""
    index = folder / INDEX_NAME
    if not index.is_file():
        return {}
    try:
        with index.open(newline="", encoding="utf-8") as file:
            return {row["path"]: max(1, int(row["frames"])) for row in csv.DictReader(file)}
    except (OSError, UnicodeDecodeError, KeyError, ValueError, TypeError, csv.Error) as error:
        raise FileFormatError(
            f"{index}: is not the index that spectronorm apply writes ({error}); apply again"
        ) from None
