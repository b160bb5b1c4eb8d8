"""Spectrograms in files, with the front end that made them: images, and arrays of levels or normalized levels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spectronorm.errors import ArgumentError, FileFormatError
from spectronorm.front_end import FrontEnd, WaveformGain, require_front_end
from spectronorm.image_files import decode
from spectronorm.interop.tutorial_pictures import LegacyLogMel, decode_legacy_logmel
from spectronorm.interop.wrapped_codes import WrappedCells
from spectronorm.passes.outputs import INDEX_NAME, PIPELINE_NAME, escaped_name, read_frames
from spectronorm.pipeline import Pipeline
from spectronorm.storage.npy import mapped_npy

_MAX_CELLS = 1 << 28


@dataclass(frozen=True)
class SpectrogramFile:
    """Levels `(band, frame)` or `(channel, band, frame)` of a file, with what is known of their origin.

    Attributes:
        level: Levels in the unit of the front end.
        front_end: The front end that made them.
        length: Number of samples of the waveform; None if unknown.
        gain: What the front end did to the waveform; None if unknown.
        level_error: Largest rounding error of a level.
        notes: What was lost.
        wrapped: Cells of an image of the tutorial code that had wrapped around; None for other files.
    """

    level: NDArray[np.floating]
    front_end: FrontEnd
    length: int | None
    gain: WaveformGain | None
    level_error: float
    notes: tuple[str, ...]
    wrapped: WrappedCells | None = None


def read_spectrogram(
    path: Path, front_end: FrontEnd | None, pipeline: Pipeline | None, legacy: LegacyLogMel | None
) -> SpectrogramFile:
    """Return the spectrogram of a `.png` or `.npy` file.

    `front_end` made the levels of a `.npy` file of levels; `pipeline` normalized those of a file of normalized levels
    (by default the pipeline in a folder above the file). `legacy` holds the settings of images that carry none.

    Raises:
        FileFormatError: if the file cannot be read.
        ArgumentError: if a `.npy` file has no front end or pipeline, or if its normalizer has no inverse.
    """
    if path.suffix.lower() == ".npy":
        return _read_npy(path, front_end, pipeline)
    if legacy is not None:
        decoded = decode_legacy_logmel(path, legacy)
        return SpectrogramFile(
            decoded.level, legacy.front_end, None, None, legacy.max_error, decoded.notes, decoded.wrapped
        )
    image = decode(path)
    header = image.header
    return SpectrogramFile(image.level, header.front_end, header.length, header.gain, image.max_error, ())


def _read_npy(path: Path, front_end: FrontEnd | None, pipeline: Pipeline | None) -> SpectrogramFile:
    try:
        mapped = mapped_npy(path)
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{path}: cannot be read as a .npy array ({error})") from None
    if mapped.size > _MAX_CELLS:
        raise FileFormatError(f"{path}: it has {mapped.size} cells, more than {_MAX_CELLS}")
    x = np.array(mapped)
    if x.ndim not in (2, 3) or not np.issubdtype(x.dtype, np.floating) or not x.size:
        raise FileFormatError(
            f"{path}: holds {x.dtype} of shape {x.shape}, but a spectrogram is (band, frame) of floats, or (channel, "
            "band, frame)"
        )
    note = ("the level of the waveform is not known: the sound has that of the normalized wave",)
    if front_end is not None:
        return SpectrogramFile(x, front_end, None, None, 0.0, note)
    if pipeline is None:
        folder = folder_of_pipeline(path)
        pipeline = _pipeline(folder / PIPELINE_NAME)
        name = escaped_name(path.resolve().relative_to(folder).as_posix())
        x = x[..., : _frames(folder).get(name, x.shape[-1])]
    front_end = require_front_end(pipeline.front_end, "turning a spectrogram into sound")
    return SpectrogramFile(pipeline.inverse(x.astype(np.float64)), front_end, None, None, 0.0, note)


def folder_of_pipeline(path: Path) -> Path:
    """The folder above a file that holds the pipeline of `spectronorm apply`; raises `ArgumentError` if none does."""
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
def _frames(folder: Path) -> Mapping[str, int]:
    """Return the numbers of frames without padding, from the index of `spectronorm apply`; empty without an index."""
    index = folder / INDEX_NAME
    if not index.is_file():
        return {}
    try:
        return read_frames(index)
    except (OSError, ValueError) as error:
        raise FileFormatError(
            f"{index}: is not the index that spectronorm apply writes ({error}); apply again"
        ) from None
