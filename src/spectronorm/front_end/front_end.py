"""Front end: one frozen value of four slots that turns a waveform into a log-spectrogram (level)."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import (
    Array,
    in_kind_of,
    is_torch_array,
    namespace,
    readable_numbers,
    require_choice,
    require_clean,
    require_floats,
    require_wave,
    returned,
    set_whole_numbers,
    swapped_axes,
    torch_threads,
    whole_number,
    working,
)
from spectronorm.audio.channels import MEAN, check_channels, stacked
from spectronorm.audio.resample import RESAMPLERS
from spectronorm.audio.resample_stream import PieceResampler
from spectronorm.counted import counted
from spectronorm.errors import ArgumentError, AudioError, BadAudioReason, FrontEndMismatch, ShapeError
from spectronorm.front_end.bands.bands import BANDS, MAX_WEIGHTS, Bands
from spectronorm.front_end.bands.linear import Linear
from spectronorm.front_end.bands.runs import BandRuns
from spectronorm.front_end.compress.compression import COMPRESSIONS, Compression
from spectronorm.front_end.compress.decibel import Decibel
from spectronorm.front_end.compress.grid import Grid
from spectronorm.front_end.fast.blocks import LevelKernels
from spectronorm.front_end.fast.mapped import BandMap, mapped_levels
from spectronorm.front_end.fast.stream import LevelStream
from spectronorm.front_end.json_file import described_object, load_described
from spectronorm.front_end.stft.stft import STFT, TRANSFORMS
from spectronorm.front_end.waveform.as_recorded import AsRecorded
from spectronorm.front_end.waveform.waveform_level import WAVEFORM_LEVELS, WaveformLevel
from spectronorm.html_summary import html_table
from spectronorm.kernels.buffers import Workspace, workspace_of_thread
from spectronorm.registry import Registry
from spectronorm.short_repr import with_short_repr
from spectronorm.storage.canonical_json import canonical_json
from spectronorm.storage.fields_only import FieldsOnly
from spectronorm.suggestion import known_settings

SLOTS: Mapping[str, Registry[Any]] = {
    "level": WAVEFORM_LEVELS,
    "stft": TRANSFORMS,
    "bands": BANDS,
    "compress": COMPRESSIONS,
}
"""Registry of each slot, by the name that JSON and the command line use."""
_PRECISIONS = ("float64", "float32")


@known_settings
@with_short_repr
@dataclass(frozen=True)
class FrontEnd(FieldsOnly):
    """Waveform to log-spectrogram (level): waveform level → STFT → bands → compression.

    `front_end(wave)` maps `(..., sample)` to `(..., band, frame)`. NumPy input gives NumPy output; torch input gives
    torch output, on the input's device and differentiable. Each clip of a batch is computed as if it were alone. The
    resampler is part of the value because it changes the top bands, and `channels` because it selects the channels
    that are measured (see `spectronorm.audio.Reader`): with `stack:N`, waveforms are `(..., channel, sample)` and
    levels `(..., channel, band, frame)`.

    Raises:
        ArgumentError: if a setting is invalid.

    >>> import numpy as np
    >>> from spectronorm.front_end import Mel
    >>> front_end = FrontEnd(sample_rate=16_000, bands=Mel(64))
    >>> front_end(np.zeros((2, 16_000))).shape
    (2, 64, 81)
    """

    sample_rate: int = 16_000
    level: WaveformLevel = field(default_factory=AsRecorded)
    stft: STFT = field(default_factory=STFT)
    bands: Bands = field(default_factory=Linear)
    compress: Compression = field(default_factory=Decibel)
    resampler: str = "soxr_hq"
    channels: str = "mean"

    def _repr_html_(self) -> str:
        facts = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return html_table(
            f"FrontEnd {self.fingerprint}", [*facts, ("number of bands", self.n_bands), ("unit", self.unit)]
        )

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", check_channels(self.channels))
        set_whole_numbers(self, ("sample_rate",), 100, 1_000_000, of="Hz")
        require_choice(self.resampler, "resampler", RESAMPLERS)
        for slot, registry in SLOTS.items():
            try:
                registry.name_of(getattr(self, slot))
            except ArgumentError as error:
                raise ArgumentError(f"{slot}={error}") from None
        bands, _ = len(self._hz()), self.grid  # both refuse settings that do not fit together
        if bands * self.stft.bins > MAX_WEIGHTS:
            raise ArgumentError(
                f"{bands} bands of {self.stft.bins} bins are {bands * self.stft.bins} weights, more than "
                f"{MAX_WEIGHTS}; use fewer bands or a shorter n_fft"
            )

    def __call__(
        self, wave: Array, *, threads: int | None = None, precision: str = "float64", sample_rate: int | None = None
    ) -> Array:
        """Return levels `(..., band, frame)` of waveforms `(..., sample)`, in the dtype of the waveforms.

        NumPy arrays, and tensors on the CPU that need no gradient, are computed by compiled kernels.

        Args:
            wave: Waveforms in [-1, 1].
            threads: Number of threads that compute the clips of a batch: by default 1 for NumPy, and
                `torch.get_num_threads()` for torch.
            precision: Arithmetic of the kernels, `float64` or, for inference, `float32`: faster, and as near to float64
                as a transform in float32 is (about 1e-4 dB in the upper 40 dB of a frame and 0.01 dB in the upper 80,
                ten times as much if frames are pre-emphasized); cells far below are rounding noise. Measuring is
                always float64.
            sample_rate: Sample rate of the waveforms in Hz, to be checked against the front end's.

        Raises:
            ShapeError: if the waveform is not floating point, has no axis or is shorter than `min_samples`.
            ArgumentError: if a waveform whose numbers can be read holds NaN or infinity, an option is unknown, or the
                sample rate is another one.
        """
        self.require_sample_rate(sample_rate)
        fast = self.fast_levels(wave, partial(BandMap.unchanged, self.level_shape[-1]), threads, precision)
        return returned(self.working_level(working(wave)), like=wave) if fast is None else fast

    def fast_levels(
        self,
        wave: Array,
        map_of: Callable[[np.dtype[Any]], BandMap],
        threads: int | None = None,
        precision: str = "float64",
    ) -> Array | None:
        """Check waveforms, and return their levels by the compiled kernels, mapped while they are written.

        None if the kernels cannot read the waveforms (see `readable_numbers`); the axes are checked all the same.

        Args:
            wave: Waveforms `(..., sample)`.
            map_of: Function that returns the map for the dtype of the arithmetic that follows the level.
            threads: Number of threads (see the call).
            precision: Arithmetic of the kernels (see the call).

        Raises:
            ShapeError, ArgumentError: as the call does.
        """
        require_choice(precision, "precision", _PRECISIONS)
        if threads is not None:
            threads = whole_number(threads, "threads", 1, 1 << 16)
        self._check_axes(wave)
        numbers = readable_numbers(wave)
        if numbers is None:
            return None
        require_clean(numbers)
        if threads is None:
            threads = torch_threads() if is_torch_array(wave) else 1
        clips = numbers.reshape(math.prod(wave.shape[:-1]), wave.shape[-1])
        kernels = self.kernels if precision == "float64" else self._single_kernels
        levels = mapped_levels(kernels, clips, None, map_of(numbers.dtype), threads)
        return in_kind_of(levels.reshape(*wave.shape[:-1], *levels.shape[1:]), like=wave)

    def require_sample_rate(self, sample_rate: int | None) -> None:
        """Raise `ArgumentError` if a waveform's sample rate in Hz is known and is not the front end's."""
        if sample_rate is not None and sample_rate != self.sample_rate:
            raise ArgumentError(
                f"sample_rate={sample_rate}, but the front end works at {self.sample_rate} Hz; "
                f"resample the wave first (spectronorm.read does), or build the front end for {sample_rate} Hz"
            )

    def _check_axes(self, wave: Array) -> None:
        require_wave(wave)
        if wave.ndim < 1:
            raise ShapeError("a wave is (..., sample), but got an array without axes; pass an array of samples")
        if wave.shape[-1] < self.min_samples:
            axes = swapped_axes(wave.shape, self.min_samples)
            raise ShapeError(
                f"a waveform of {counted(wave.shape[-1], 'sample')} is too short: this front end needs "
                f"at least {self.min_samples}, "
                f"one window; {axes or 'pad it or choose a shorter one'}"
            )
        if len(self.level_shape) > 1 and (wave.ndim < 2 or wave.shape[-2] != self.level_shape[0]):
            raise ShapeError(
                f"a wave of shape {tuple(wave.shape)} is not (..., channel, sample) with the {self.level_shape[0]} "
                f"channels of channels={self.channels!r}"
            )

    @cached_property
    def _single_kernels(self) -> LevelKernels:
        """The slots as the kernels for float32 take them."""
        return replace(self.kernels, dtype=np.float32)

    @cached_property
    def kernels(self) -> LevelKernels:
        """The slots as the kernels take them."""
        return LevelKernels(self.sample_rate, self.level, self.stft, self.band_runs(), self.compress)

    def working_level(self, wave: Array) -> Array:
        """Return levels in the dtype of the arithmetic, as a pass counts them, before any rounding."""
        magnitudes = self.stft(self.level(wave, self.sample_rate))
        return self.compress(self.bands(magnitudes, self.sample_rate, self.stft.n_fft), self.stft.power)

    def inverse_compress(self, level: Array) -> Array:
        """Return the band values (magnitude to the power) that have this level."""
        require_floats(level, "a level")
        return self.compress.inverse(level, self.stft.power)

    def clip_level(self, samples: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the float64 level `(band, frame)` of one clip's samples, by the fast path if there is one.

        For stacked samples `(channel, sample)` it is `(channel · band, frame)`: one channel below the other.

        Raises:
            AudioError: if the clip is shorter than one window.
        """
        if samples.ndim > 1:
            return np.concatenate([self.clip_level(channel) for channel in samples])
        self._require_long_enough(samples)
        return self.kernels.level(np.ascontiguousarray(readable_numbers(samples)), workspace_of_thread())

    def clip_blocks(
        self, samples: NDArray[np.floating[Any]], workspace: Workspace
    ) -> Iterator[tuple[int, int, NDArray[np.float64]]]:
        """Return the level of `clip_level` in blocks: first frame, number of frames, and the level `(band, frame)`.

        The level is contiguous, and may have more columns than frames. It is valid until the next block.

        Raises:
            AudioError: if the clip is shorter than one window.
        """
        self._require_long_enough(samples)
        return self.kernels.blocks(np.ascontiguousarray(readable_numbers(samples)), workspace)

    def _require_long_enough(self, samples: NDArray[Any]) -> None:
        if len(samples) < self.min_samples:
            raise AudioError(
                BadAudioReason.TOO_SHORT,
                f"it has {counted(len(samples), 'sample')} at {self.sample_rate} Hz, but this front end "
                f"needs {self.min_samples}",
            )

    def stream(self, *, resample: int | None = None) -> LevelStream:
        """Return a stream, which takes one waveform in NumPy pieces of any length and gives each frame early.

        `stream.add(samples)` and at last `stream.flush()` give the frames of this front end's call, to the last bit.

        Args:
            resample: Sample rate of the pieces in Hz, if it is another than the front end's; frames then agree with
                the resampled waveform.

        Raises:
            ArgumentError: if a frame's level depends on later samples than its own, naming the nearest choice for which
                it does not; or if the resampler needs whole clips.

        >>> stream = FrontEnd().stream()
        >>> [stream.add(np.zeros(1000)).shape for _ in range(2)], stream.flush().shape
        ([(201, 5), (201, 5)], (201, 1))
        """
        return self.mapped_stream(partial(BandMap.unchanged, self.level_shape[-1]), resample)

    def mapped_stream(self, map_of: Callable[[np.dtype[Any]], BandMap], resample: int | None = None) -> LevelStream:
        """Return a stream whose levels are mapped (see `fast_levels`)."""
        resampler = None
        if resample is not None:
            source_rate = whole_number(resample, "resample", 100, 1_000_000, of="Hz")
            if source_rate != self.sample_rate:
                resampler = PieceResampler(source_rate, self.sample_rate, self.resampler)
        return LevelStream(self.kernels, stacked(self.channels), self.min_samples, resampler, map_of)

    @cached_property
    def n_bands(self) -> int:
        """Number of rows of a level – the bands of all channels."""
        return math.prod(self.level_shape)

    @cached_property
    def level_shape(self) -> tuple[int, ...]:
        """The axes of a level before its frames – `(band,)`, or `(channel, band)` of stacked channels."""
        bands, channels = len(self._hz()), stacked(self.channels)
        return (bands,) if channels is None else (channels, bands)

    @property
    def unit(self) -> str:
        """The unit of a level, for tables and axes."""
        return self.compress.unit

    def clip_floor(self, highest: float) -> float:
        """The floor of one clip whose highest level is `highest`: lower than that by `top_db` where there is one."""
        return self.compress.clip_floor(highest, self.stft.power)

    @property
    def floor_follows_highest(self) -> bool:
        """True if a clip's highest level moves its floor."""
        return self.compress.floor_follows_highest

    @cached_property
    def floor(self) -> float:
        """Level of digital silence, in the level's unit."""
        return self.compress.floor(self.stft.power)

    @cached_property
    def grid(self) -> Grid:
        """Grid of integers that levels are counted on."""
        return self.compress.grid(self.stft.power)

    @cached_property
    def min_samples(self) -> int:
        """Number of samples of the shortest waveform that has a frame."""
        return max(self.stft.min_samples + self.level.shortens, self.level.min_samples(self.sample_rate))

    def frames(self, samples: int) -> int:
        """Return the number of frames of a waveform of `samples` samples; 0 if it is too short."""
        return 0 if samples < self.min_samples else self.stft.frames(samples - self.level.shortens)

    def frame_counts(self, lengths: Array) -> Array:
        """Return `frames` for each entry of an array of lengths."""
        counts = self.stft.frame_counts(lengths - self.level.shortens)
        return namespace(lengths).where(lengths < self.min_samples, 0, counts)

    def band_hz(self) -> NDArray[np.float64]:
        """Centre frequency of each row, in Hz: of each band, of one channel after the other."""
        return np.tile(self._hz(), stacked(self.channels) or 1)

    def _hz(self) -> NDArray[np.float64]:
        return self.bands.hz(self.sample_rate, self.stft.n_fft)

    def empty_bands(self) -> list[int]:
        """Bands whose filter is so narrow that it contains no bin: they are always at the floor."""
        return [int(band) for band in np.flatnonzero(~(self.band_runs().matrix > 0).any(axis=1))]

    def band_runs(self) -> BandRuns:
        """Return the weights `(band, bin)` of this front end's bands."""
        return self.bands.runs(self.sample_rate, self.stft.n_fft)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; each slot carries its kind, and the package or module of a plug-in."""
        slots = {slot: registry.to_plain(getattr(self, slot)) for slot, registry in SLOTS.items()}
        plain = {"sample_rate": self.sample_rate, "resampler": self.resampler, **slots}
        if self.channels != MEAN:  # left out otherwise: fingerprints stay what they were
            plain["channels"] = self.channels
        return plain

    def _settings(self) -> dict[str, Any]:
        """Settings that determine equality: `to_dict` without the packages of plug-ins."""
        plain = self.to_dict()
        for slot in SLOTS:
            plain[slot].pop("plugin", None)
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> FrontEnd:
        """Build a front end from the values of `to_dict`; missing settings take their defaults.

        Raises:
            ArgumentError: if a field or kind is unknown, or a value is invalid.
            PluginError: if a required plug-in is missing or broken.
        """
        if not isinstance(plain, Mapping):
            raise ArgumentError(f"a front end must be an object, as FrontEnd.to_dict writes it, not {plain!r:.80}")
        _known_keys(plain, {f.name for f in fields(cls)}, "a front end")
        slots = {slot: registry.from_plain(plain[slot], slot) for slot, registry in SLOTS.items() if slot in plain}
        rest = {name: value for name, value in plain.items() if name not in SLOTS}
        return cls(**slots, **rest)

    def to_json(self) -> str:
        """Return readable JSON, for a file that `from_json` and `--front-end` read."""
        return json.dumps(self.to_dict(), indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> FrontEnd:
        """Build the front end that a JSON text describes.

        Raises:
            ArgumentError: if the text describes none.
        """
        return cls.from_dict(described_object(text, "a front end", "FrontEnd.to_json"))

    @classmethod
    def load(cls, path: str | Path) -> FrontEnd:
        """Read a front end from a JSON file.

        Raises:
            ArgumentError: if there is no such file, or if it describes none.
        """
        return load_described(path, cls.from_json, "a front end")

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits, equal exactly if all settings are equal, from the SHA-256 of the canonical JSON."""
        return hashlib.sha256(canonical_json(self._settings()).encode()).hexdigest()[:16]

    def differing(self, other: FrontEnd) -> list[tuple[str, Any, Any]]:
        """List each setting that differs, such as `stft.hop_length`, with its value here and there.

        The value is `absent` if a setting is missing.
        """
        ours, theirs = _flat(self._settings()), _flat(other._settings())
        pairs = ((name, ours.get(name, "absent"), theirs.get(name, "absent")) for name in sorted({**ours, **theirs}))
        return [(name, here, there) for name, here, there in pairs if here != there]

    def differences(self, other: FrontEnd) -> list[str]:
        """Format each setting that differs as `stft.hop_length: 200 here, 160 there`."""
        return [f"{name}: {here} here, {there} there" for name, here, there in self.differing(other)]

    def require_same(self, other: object, what: str) -> None:
        """Check that `other` is equal to this front end.

        Raises:
            FrontEndMismatch: if it is not, naming the differences.
        """
        if not isinstance(other, FrontEnd):
            raise FrontEndMismatch(f"{what} was made of levels that were made elsewhere, not by this front end")
        if self != other:
            raise FrontEndMismatch(
                f"{what} was made by another front end ({'; '.join(self.differences(other))}); "
                "use one front end for both, or measure again"
            )


def _known_keys(plain: Mapping[str, Any], known: set[str], what: str) -> None:
    unknown = sorted(set(plain) - known)
    if unknown:
        raise ArgumentError(f"{what} has no setting {', '.join(unknown)}; its settings are {', '.join(sorted(known))}")


def _flat(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten nested settings to `slot.setting`."""
    flat: dict[str, Any] = {}
    for name, value in plain.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{key}": inner for key, inner in value.items()}
        else:
            flat[name] = value
    return flat
