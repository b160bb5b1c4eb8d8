"""Inversion of a log-spectrogram (level) to a waveform."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from array_api_compat import is_torch_array

from spectronorm.arrays import Array, constant, namespace, require_floats, to_host, whole_number
from spectronorm.errors import ArgumentError, ScaleWarning, ShapeError
from spectronorm.front_end import FrontEnd, frames_of, is_logarithmic, shortest_length
from spectronorm.inversion.bands import bins_of_bands
from spectronorm.inversion.overlap import OverlapAdd
from spectronorm.inversion.phase_gradient import phase_of
from spectronorm.inversion.plan import InversionPlan
from spectronorm.inversion.refine import admm, band_consistent, griffin_lim
from spectronorm.suggestion import known_keywords

_NORMALIZED = 2.5
"""Mean and standard deviation in dB below which a level is taken for normalized; those of noise spread by 5.6 dB."""

Vocoder = Callable[[Array, FrontEnd], Array]
"""A user's own inversion: maps a level `(..., band, frame)` and its front end to a waveform `(..., sample)`."""


@known_keywords
def invert(
    level: Array,
    front_end: FrontEnd,
    *,
    length: int | None = None,
    method: str = "auto",
    quality: str = "good",
    seed: int = 0,
    level_error: float = 0.0,
    vocoder: Vocoder | None = None,
) -> Array:
    """Find a waveform `(..., sample)` whose level matches `level` `(..., band, frame)`, from magnitudes alone.

    Compression is undone, bands are spread over bins, an initial phase is computed, and iterations make the spectra
    consistent (see `InversionPlan`). NumPy input gives float32 NumPy output, clip by clip; torch input gives torch
    output, as one batch on the tensor's device in at least float32, without gradients (only the initial phase is
    computed on the host). Equal seeds give equal waveforms. A level does not contain what the front end's waveform
    level removed (mean, gain): see `WaveformGain`.

    Args:
        level: Levels of `front_end`, in its unit.
        front_end: The front end that made the levels.
        length: Number of samples; by default the number that the frames span.
        method: `auto`, `pghi`, `griffin_lim`, `admm`, `band_consistent` or `band_sharpened`.
        quality: `fast`, `good` or `best`, which sets the number of iterations.
        seed: Seed of the phase of cells that are too quiet to have one.
        level_error: Largest error of a level, such as half an image's step: cells within this distance of the front
            end's floor are treated as silent.
        vocoder: Replaces the method, for example by a neural vocoder; its waveform is cut or padded to `length`.

    Returns:
        The waveform, `(..., sample)`.

    Raises:
        ShapeError: if `level` is not floating point, has another number of bands, or is not finite.
        ArgumentError: if a name is unknown, `length` does not fit the frames, or frames do not overlap.

    >>> import numpy as np, spectronorm as sn
    >>> front_end = sn.FrontEnd(16_000, stft=sn.STFT(n_fft=512, hop_length=128))
    >>> level = front_end(0.1 * np.sin(np.arange(16_000) / 10))
    >>> sn.invert(level, front_end, length=16_000).shape
    (16000,)
    """
    level = level.detach() if is_torch_array(level) else level
    _check(level, front_end)
    length = _length(front_end, level.shape[-1], length)
    if vocoder is not None:
        return _fitted(vocoder(level, front_end), level, length)
    plan, seed = InversionPlan.of(front_end, method, quality), whole_number(seed, "seed", 0)
    values = _band_values(level, front_end, level_error)
    overlap = OverlapAdd.of(front_end.stft, level.shape[-1])
    if is_torch_array(values):
        return overlap.wave(_signal(values, front_end, overlap, plan, seed), length)
    clips = values.reshape(-1, *values.shape[-2:])
    waves = [overlap.wave(_signal(clip, front_end, overlap, plan, seed), length) for clip in clips]
    return np.stack(waves).reshape(*values.shape[:-2], length) if waves else np.zeros((*values.shape[:-2], length))


def _signal(values: Array, front_end: FrontEnd, overlap: OverlapAdd, plan: InversionPlan, seed: int) -> Array:
    """Compute the padded signal of band values `(..., frame, band)`."""
    power, runs = front_end.stft.power, front_end.band_runs()
    magnitude = bins_of_bands(values, runs) ** (1.0 / power)
    start = _start(magnitude, front_end, seed)
    if plan.for_bands:
        return band_consistent(start, values, front_end, overlap, plan.iterations, sharpened=plan.sharpened)
    if plan.method == "pghi":
        return overlap.signal(start)
    refine = griffin_lim if plan.method == "griffin_lim" else admm
    return refine(start, magnitude, overlap, plan.iterations)


def _start(magnitude: Array, front_end: FrontEnd, seed: int) -> Array:
    """Spectra with the phase of the phase gradient; each clip of a batch is processed separately."""
    host = to_host(magnitude).astype(np.float32, copy=False)
    clips = host.reshape(-1, *host.shape[-2:])
    spectra = np.stack([phase_of(clip, front_end.stft, np.random.default_rng(seed)) for clip in clips])
    spectra = spectra.reshape(host.shape)
    if not is_torch_array(magnitude):
        return spectra
    real, imag = constant(spectra.real, magnitude), constant(spectra.imag, magnitude)
    return real + 1j * imag


def _band_values(level: Array, front_end: FrontEnd, level_error: float) -> Array:
    """Band values `(..., frame, band)`: float32 for NumPy, at least float32 for torch; the floor counts as silence."""
    if is_torch_array(level):
        level = level.float() if level.dtype.itemsize < 4 else level
    values = front_end.inverse_compress(level)
    xp = namespace(values)
    tolerance = 1e-3 if is_logarithmic(front_end) else 0.0
    silent = level <= front_end.floor + level_error + tolerance
    values = xp.matrix_transpose(xp.where(silent, xp.zeros_like(values), values))
    if is_torch_array(values):
        return values.contiguous()
    return np.ascontiguousarray(values, dtype=np.float32)


def _check(level: Array, front_end: FrontEnd) -> None:
    require_floats(level, "a level")
    if level.ndim < 2 or level.shape[-2] != front_end.level_shape[-1] or level.shape[-1] < 1:
        raise ShapeError(
            f"a level of shape {tuple(level.shape)} is not (..., band, frame) with the {front_end.level_shape[-1]} "
            "bands of this front end and at least one frame; pass what that front end gives"
        )
    if not bool(namespace(level).all(namespace(level).isfinite(level))):
        raise ShapeError("the level holds NaN or infinite values; only finite levels can be inverted")
    ceiling = front_end.grid.high
    if float(level.max()) > ceiling:
        raise ShapeError(
            f"the level reaches {float(level.max()):.6g}, above {ceiling:g}, the highest this front end counts; "
            "is it normalized still, or of another front end?"
        )
    _warn_of_normalized(level, front_end)


def _warn_of_normalized(level: Array, front_end: FrontEnd) -> None:
    """Warn if a level in dB has the mean and spread of a normalized one: its inverse was forgotten."""
    per_unit = front_end.compress.db_per_unit(front_end.stft.power)
    if per_unit is None or not 0.9 < per_unit < 2.1:
        return  # In other units real levels can have such a spread.
    xp = namespace(level)
    mean, std = float(xp.mean(level)), float(xp.std(level))
    if abs(mean) < _NORMALIZED and 0.02 < std < _NORMALIZED:
        warnings.warn(
            f"the level has mean {mean:.2g} and standard deviation {std:.2g} {front_end.unit}, as normalized values "
            "have: give invert the level itself, pipeline.inverse(x)",
            ScaleWarning,
            stacklevel=5,
        )


def _length(front_end: FrontEnd, frames: int, length: int | None) -> int:
    """Return the number of samples, checked against the number of frames."""
    shortest = shortest_length(front_end, frames)
    if length is None:
        return shortest
    length = whole_number(length, "length", 0, of="samples")
    if frames_of(front_end, length) != frames:
        raise ArgumentError(
            f"length={length} does not fit {frames} frames: with this front end they come from "
            f"{shortest} … {shortest + front_end.stft.hop - 1} samples"
        )
    return length


def _fitted(wave: Any, level: Array, length: int) -> Array:
    """Check a vocoder's waveform, and cut it or pad it with zeros to `length`."""
    require_floats(wave, "the vocoder's wave")
    xp = namespace(wave)
    if tuple(wave.shape[:-1]) != tuple(level.shape[:-2]) or not bool(xp.all(xp.isfinite(wave))):
        raise ShapeError(
            f"the vocoder gave shape {tuple(wave.shape)} for a level of shape {tuple(level.shape)}, or values that "
            "are not finite; it must give finite (..., sample)"
        )
    wave = wave[..., :length]
    missing = length - wave.shape[-1]
    zeros = xp.zeros((*wave.shape[:-1], missing), dtype=wave.dtype, device=wave.device)
    return xp.concat([wave, zeros], axis=-1) if missing else wave
