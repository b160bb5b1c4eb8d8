"""Round trip of one clip, to an image and back to sound, with the loss of each stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.audio import ClipReference, Reader
from spectronorm.audio.channels import EACH, MEAN
from spectronorm.errors import ArgumentError
from spectronorm.features import as_high_as
from spectronorm.front_end import FrontEnd, WaveformGain, level_db
from spectronorm.image_files import ImageCodec, Layout, LevelRange, decode
from spectronorm.inversion import invert
from spectronorm.inversion.bands import bins_of_bands
from spectronorm.inversion.quality import level_residual_db, pesq_score, spectral_convergence, stoi_score
from spectronorm.passes.outputs import require_folder
from spectronorm.passes.sounds import write_audio
from spectronorm.short_repr import with_bounded_repr, with_short_repr
from spectronorm.storage.atomic import atomic_write
from spectronorm.storage.content import Content
from spectronorm.storage.replacement import overwriting, protecting, require_replaceable
from spectronorm.suggestion import known_keywords, known_settings


@known_settings
@with_bounded_repr
@dataclass(frozen=True)
class RoundTripOptions:
    """Bit depth of the image, settings of the inversion (see `invert`), and `speech` to add speech measures.

    >>> RoundTripOptions(bits=16, quality="best")
    RoundTripOptions(bits=16, method='auto', quality='best', seed=0, speech=False)
    """

    bits: int = 8
    method: str = "auto"
    quality: str = "good"
    seed: int = 0
    speech: bool = False


@known_settings
@with_short_repr
@dataclass(frozen=True)
class RoundTrip:
    """Files and measures of one round trip.

    Attributes:
        original: The clip at the front end's rate.
        image: The spectrogram image.
        recovered: The sound made from the image alone.
        losses: `quantization_rms_db` and `quantization_max_db` (image against level), `bands_db` (mean absolute
            difference of the bands computed from the recovered bins), `level_db` and `level_rms_db` (mean absolute and
            rms difference of the recovered sound's level), `convergence_db` (spectral convergence of its STFT), and for
            speech `pesq` and `stoi`; None if a measure is not installed or not defined. Of a stack of channels, the
            mean over the channels, and the largest `quantization_max_db`.

    >>> import pathlib, tempfile, numpy as np, soundfile, spectronorm as sn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "a.wav"
    ...     soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(8000), 16_000)
    ...     trip = sn.sounds.round_trip(path, sn.FrontEnd(bands=sn.Mel(40)), path.with_suffix(""))
    >>> trip.image.name, trip.recovered.name
    ('a.png', 'a.recovered.wav')
    """

    original: Path
    image: Path
    recovered: Path
    losses: Mapping[str, float | None]


@known_keywords
def round_trip(
    clip: str | Path,
    front_end: FrontEnd,
    folder: str | Path,
    *,
    options: RoundTripOptions | None = None,
    level_range: LevelRange | None = None,
    name: str | None = None,
    overwrite: bool = False,
) -> RoundTrip:
    """Write `NAME.original.wav`, `NAME.png` and `NAME.recovered.wav` into a folder, and measure the losses.

    The image spans `level_range`, by default the clip's extremes.

    Raises:
        AudioError: if the clip cannot be used.
        ArgumentError: if a setting is invalid.
        OutputRefused: if a foreign file would be replaced without `overwrite`, or the clip.

    >>> import pathlib, tempfile, numpy as np, soundfile, spectronorm as sn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "a.wav"
    ...     soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(8000), 16_000)
    ...     trip = sn.sounds.round_trip(path, sn.FrontEnd(bands=sn.Mel(40)), path.with_suffix(""))
    >>> sorted(trip.losses)
    ['bands_db', 'convergence_db', 'level_db', 'level_rms_db', 'quantization_max_db', 'quantization_rms_db']
    """
    with overwriting(overwrite), protecting([clip]):
        return _round_trip(clip, front_end, Path(folder), options or RoundTripOptions(), level_range, name)


def _round_trip(
    clip: str | Path,
    front_end: FrontEnd,
    folder: Path,
    options: RoundTripOptions,
    level_range: LevelRange | None,
    name: str | None,
) -> RoundTrip:
    require_folder(folder, "the originals, images and sounds")
    name = name or Path(clip).stem
    original, image, recovered = (folder / f"{name}{end}" for end in (".original.wav", ".png", ".recovered.wav"))
    for path, content in ((original, Content.SOUND), (image, Content.PICTURE), (recovered, Content.SOUND)):
        require_replaceable(path, content)
    if front_end.channels == EACH:
        raise ArgumentError(
            "channels='each': a round trip writes one image of each file; choose stack, mean, first or a number"
        )
    front_end = as_high_as(front_end, ClipReference(Path(clip).name, Path(clip)))
    reader = Reader(channels=front_end.channels)
    wave = reader.read(clip, front_end.sample_rate, resampler=front_end.resampler).valid
    level = front_end.clip_level(wave).reshape(*front_end.level_shape, -1)
    codec = ImageCodec(front_end, level_range or LevelRange.of_level(level), Layout(bits=options.bits))
    write_audio(original, _within_full_scale(wave), front_end.sample_rate)
    with atomic_write(image, Content.PICTURE) as file:
        file.write(codec.encode(level, length=wave.shape[-1], gain=WaveformGain.of(wave, front_end), source=name))
    decoded = decode(image)
    back = invert(
        decoded.level,
        decoded.header.front_end,
        length=decoded.header.length,
        method=options.method,
        quality=options.quality,
        seed=options.seed,
        level_error=decoded.max_error,
    )
    back = decoded.header.gain.undo(back)
    write_audio(recovered, _within_full_scale(back), front_end.sample_rate)
    stages = decoded.level, level, back, wave
    if wave.ndim == 1:
        losses = _losses(*stages, front_end, speech=options.speech)
    else:
        one = replace(front_end, channels=MEAN)
        losses = _over_channels(
            [_losses(*channel, one, speech=options.speech) for channel in zip(*stages, strict=True)]
        )
    return RoundTrip(original, image, recovered, losses)


def _losses(
    decoded: NDArray[Any],
    level: NDArray[Any],
    back: NDArray[Any],
    wave: NDArray[Any],
    front_end: FrontEnd,
    *,
    speech: bool,
) -> dict[str, float | None]:
    """The measures of one channel."""
    return {
        **_quantization(decoded, level, front_end),
        "bands_db": _bands_residual(level, front_end),
        **_sound(back, wave, level, front_end),
        **(_speech(back, wave, front_end.sample_rate) if speech else {}),
    }


def _over_channels(losses: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    """The largest of maxima, and the mean of other measures, over the channels that have them."""
    found: dict[str, float | None] = {}
    for name in losses[0]:
        values = [value for one in losses if (value := one[name]) is not None]
        pooled = max if name.endswith("_max_db") else fmean
        found[name] = pooled(values) if values else None
    return found


def _quantization(decoded: NDArray[Any], level: NDArray[Any], front_end: FrontEnd) -> dict[str, float | None]:
    difference = level_db(decoded, front_end) - level_db(level, front_end)
    rms = float(np.sqrt((difference**2).mean()))
    return {"quantization_rms_db": rms, "quantization_max_db": float(np.abs(difference).max())}


def _bands_residual(level: NDArray[Any], front_end: FrontEnd) -> float:
    """Difference between the bands and the bands of the recovered bins, before any phase, in dB."""
    values = np.ascontiguousarray(front_end.inverse_compress(level).T)
    runs = front_end.band_runs()
    bands = bins_of_bands(values, runs).astype(np.float64) @ runs.matrix.T
    again = front_end.compress(np.ascontiguousarray(bands.T), front_end.stft.power)
    return level_residual_db(again, level, front_end)[0]


def _sound(back: NDArray[Any], wave: NDArray[Any], level: NDArray[Any], front_end: FrontEnd) -> dict[str, float | None]:
    mean, rms = level_residual_db(front_end.clip_level(back), level, front_end)
    magnitudes = [front_end.stft(x.astype(np.float64)) ** (1.0 / front_end.stft.power) for x in (back, wave)]
    return {"level_db": mean, "level_rms_db": rms, "convergence_db": spectral_convergence(*magnitudes)}


def _speech(back: NDArray[Any], wave: NDArray[Any], sample_rate: int) -> dict[str, float | None]:
    return {"pesq": pesq_score(back, wave, sample_rate), "stoi": stoi_score(back, wave, sample_rate)}


def _within_full_scale(wave: NDArray[Any]) -> NDArray[Any]:
    return wave / max(1.0, float(np.abs(wave).max()))
