"""Short-time Fourier transform: waveform to magnitudes, as librosa and torch.stft compute it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.arrays import (
    Array,
    constant,
    frame,
    namespace,
    positive_power,
    require_choice,
    rfft,
    set_flags,
    set_real_numbers,
    set_whole_numbers,
    squared_magnitude,
)
from spectronorm.counted import counted
from spectronorm.errors import ArgumentError, GapWarning, ShapeError
from spectronorm.front_end.stft.window import window_values
from spectronorm.registry import Registry
from spectronorm.short_repr import with_bounded_repr
from spectronorm.storage.fields_only import FieldsOnly

MAX_WINDOW_SAMPLES = 1 << 17
"""Longest window: a file that claims a longer one would only exhaust the memory."""
PAD_MODES = ("constant", "edge", "reflect", "symmetric")
FRAME_BY = ("n_fft", "win_length")
FRAME_COUNTS = ("fit", "floor", "ceil", "hop", "round")

TRANSFORMS: Registry[STFT] = Registry("transforms", "transform", object, extensible=False)
"""Registry of transforms, which holds only the STFT: framing, kernels and exported models are written for it."""


@TRANSFORMS.register("stft")
@with_bounded_repr
@dataclass(frozen=True)
class STFT(FieldsOnly):
    """Magnitudes `|X|^power` of windowed frames, `(..., sample)` to `(..., bin, frame)`.

    `n_fft`, `win_length` (default `n_fft`) and `hop_length` (default half of `win_length`) are in samples. `window` is
    any name that `scipy.signal.get_window` knows, in its periodic form; a name followed by `_symmetric`, in its
    symmetric form; or `povey`. With `center`, the waveform is padded by half a frame on both sides, by `pad_mode`
    constant (zeros), edge, reflect, or symmetric (reflected with the outermost samples repeated). `power` 1 gives
    magnitudes, 2 power.

    The following settings are off in librosa and torch.stft; other systems need them:

    - `frame_by`: a frame takes `n_fft` samples with the window in its middle, or only `win_length` samples, followed by
      zeros (Kaldi, TensorFlow, VGGish).
    - `frame_count`: `fit`, the number of frames that fit; `floor`, samples // hop_length of a centred waveform (Whisper
      leaves out the last frame); `ceil`, the waveform followed by zeros until every hop has a frame (TensorFlow's
      `pad_end`); `hop`, a centred waveform padded by half of `n_fft - hop_length`, so that each whole hop has a
      frame around it (HiFi-GAN and most vocoders); or `round`, the same with samples / hop_length rounded, so that half
      a hop at the end has a frame too (Kaldi without `snip_edges`, Lhotse; both have symmetric padding).
    - `remove_dc_offset`: the mean of each frame is subtracted (Kaldi).
    - `preemphasis`: each frame becomes `x[t] - preemphasis · x[t-1]`, with its first sample in place of the one before
      (Kaldi). Both are applied in this order, before the window.

    Raises:
        ArgumentError: if a length is not positive, the window is longer than the frame, or a name is unknown.

    >>> STFT(n_fft=512).hop, STFT(n_fft=512).bins
    (256, 257)
    """

    n_fft: int = field(default=400, metadata={"help": "number of samples in an FFT"})
    win_length: int | None = field(default=None, metadata={"help": "number of samples in a window"})
    hop_length: int | None = field(default=None, metadata={"help": "number of samples between frames"})
    window: str = field(
        default="hann",
        metadata={"help": "window name of scipy.signal.get_window, optionally followed by _symmetric, or povey"},
    )
    center: bool = field(default=True, metadata={"help": "pad the clip, so that frames are centred on their time"})
    pad_mode: str = field(default="reflect", metadata={"help": "padding: constant, edge, reflect or symmetric"})
    power: float = field(default=2.0, metadata={"help": "1 for magnitudes, 2 for power"})
    frame_by: str = field(
        default="n_fft", kw_only=True, metadata={"help": "length of a frame: n_fft or win_length samples"}
    )
    frame_count: str = field(
        default="fit", kw_only=True, metadata={"help": "rule for the number of frames: fit, floor, ceil, hop or round"}
    )
    remove_dc_offset: bool = field(
        default=False,
        kw_only=True,
        metadata={"help": "subtract each frame's mean", "flag": "--remove-dc-offset/--keep-dc-offset"},
    )
    preemphasis: float = field(
        default=0.0, kw_only=True, metadata={"help": "pre-emphasis within each frame, such as 0.97"}
    )

    def __post_init__(self) -> None:
        # The defaults are filled in here, so that equal settings are equal values with equal fingerprints.
        set_whole_numbers(self, ("n_fft",), 1, MAX_WINDOW_SAMPLES, of="samples")
        object.__setattr__(self, "win_length", self.n_fft if self.win_length is None else self.win_length)
        set_whole_numbers(self, ("win_length",), 1, MAX_WINDOW_SAMPLES, of="samples")
        object.__setattr__(
            self, "hop_length", max(1, self.frame_length // 2) if self.hop_length is None else self.hop_length
        )
        set_whole_numbers(self, ("hop_length",), 1, MAX_WINDOW_SAMPLES, of="samples")
        if self.n_fft < 2 or self.frame_length > self.n_fft:
            raise ArgumentError(
                f"win_length={self.win_length} must be at most n_fft={self.n_fft}, and n_fft at least 2"
            )
        for name, known in (("pad_mode", PAD_MODES), ("frame_by", FRAME_BY), ("frame_count", FRAME_COUNTS)):
            require_choice(getattr(self, name), name, known)
        set_flags(self, ("center", "remove_dc_offset"))
        if self.frame_count != "fit" and self.center is (self.frame_count == "ceil"):
            raise ArgumentError("frame_count floor, hop and round need center=True, and ceil needs center=False")
        if self.frame_count in ("hop", "round") and self.hop > self.frame_samples:
            raise ArgumentError(
                f"frame_count {self.frame_count} needs a hop_length of at most {self.frame_samples}, not {self.hop}"
            )
        set_real_numbers(self, ("preemphasis",), 0, 1)
        if self.preemphasis == 1:
            raise ArgumentError(f"preemphasis={self.preemphasis} must be at least 0 and below 1, such as 0.97")
        set_real_numbers(self, ("power",), 0.01, 8, of="(1 magnitude, 2 power)")
        self.window_values()
        if self.gap:
            text = f"hop_length={self.hop} leaves {self.gap} samples out between frames of {self.frame_length} samples"
            warnings.warn(f"{text}; take a hop_length of at most that", GapWarning, stacklevel=4)

    @property
    def gap(self) -> int:
        """Number of samples between two windows that are in neither; 0 if windows touch or overlap."""
        return max(0, self.hop - self.frame_length)

    @cached_property
    def frame_length(self) -> int:
        """`win_length` in samples, never None."""
        return self.n_fft if self.win_length is None else self.win_length

    @cached_property
    def hop(self) -> int:
        """`hop_length` in samples, never None."""
        return max(1, self.frame_length // 2) if self.hop_length is None else self.hop_length

    @cached_property
    def bins(self) -> int:
        """Number of one-sided frequency bins."""
        return self.n_fft // 2 + 1

    @cached_property
    def frame_samples(self) -> int:
        """Number of samples that a frame takes from the waveform."""
        return self.n_fft if self.frame_by == "n_fft" else self.frame_length

    @cached_property
    def padding(self) -> int:
        """Number of samples added in front."""
        if self.frame_count in ("hop", "round"):
            return (self.frame_samples - self.hop) // 2
        return self.frame_samples // 2 if self.center else 0

    @cached_property
    def padding_behind(self) -> int:
        """Number of samples added at the end, as in front, or enough for the frame of the last half hop."""
        if self.frame_count == "round":
            return self.frame_samples - self.hop - self.padding + self.hop // 2
        return self.padding

    @cached_property
    def min_samples(self) -> int:
        """The shortest waveform that is transformed, one window, and one hop if there is a frame for each whole hop."""
        return max(self.frame_samples, self.hop) if self.frame_count == "floor" else self.frame_samples

    @cached_property
    def windowed_only(self) -> bool:
        """True if frames are only windowed, as the inversion of a transform assumes."""
        return not self.remove_dc_offset and self.preemphasis == 0.0

    def frames(self, samples: int) -> int:
        """Return the number of frames of a waveform of `samples` samples; 0 if it is too short."""
        if samples < self.min_samples:
            return 0
        count: int = self._counts(samples, min)
        return count

    def frame_counts(self, lengths: Array) -> Array:
        """Return `frames` for each entry of an array of lengths."""
        xp = namespace(lengths)
        return xp.where(lengths < self.min_samples, 0, self._counts(lengths, xp.minimum))

    def _counts(self, samples: Any, smaller: Callable[[Any, Any], Any]) -> Any:
        if self.frame_count == "ceil":
            return (samples + self.hop - 1) // self.hop
        fit = 1 + (samples + self.padding + self.padding_behind - self.frame_samples) // self.hop
        return smaller(fit, samples // self.hop) if self.frame_count == "floor" else fit

    def window_values(self) -> NDArray[np.float64]:
        """Return the window, zero-padded on both sides to `frame_samples`."""
        return window_values(self.window, self.frame_length, self.frame_samples)

    def bin_hz(self, sample_rate: int) -> NDArray[np.float64]:
        """Return the centre frequency of each bin, in Hz."""
        return np.arange(self.bins, dtype=np.float64) * (sample_rate / self.n_fft)

    def __call__(self, wave: Array) -> Array:
        """Return magnitudes to the power, `(..., bin, frame)`.

        Raises:
            ShapeError: if the waveform is too short.
        """
        if self.frames(wave.shape[-1]) == 0:
            raise ShapeError(
                f"a waveform of {counted(wave.shape[-1], 'sample')} is too short: it needs at least "
                f"{self.min_samples} samples, "
                f"one window ({self.frame_by}); pad it or choose a shorter one"
            )
        frames = self.framed(wave)
        return self.magnitudes(squared_magnitude(self.spectrum(frames, constant(self.window_values(), wave))))

    def spectrum(self, frames: Array, window: Array) -> Array:
        """Return the complex bins `(..., frame, bin)` of frames `(..., frame, sample)`: a linear map of each frame."""
        return rfft(self.prepared(frames) * window, self.n_fft)

    def magnitudes(self, squared: Array) -> Array:
        """Raise squared magnitudes `(..., frame, bin)` to this power, as `(..., bin, frame)`."""
        powered = squared if self.power == 2.0 else positive_power(squared, self.power / 2.0)
        return namespace(powered).matrix_transpose(powered)

    def framed(self, wave: Array) -> Array:
        """Return the frames of the padded waveform, `(..., frame, sample)`, as a view."""
        count = self.frames(wave.shape[-1])
        return frame(self.padded(wave), self.frame_samples, self.hop)[..., :count, :]

    def prepared(self, frames: Array) -> Array:
        """Return frames as the window receives them: without offset and pre-emphasized, if these settings are on."""
        xp = namespace(frames)
        if self.remove_dc_offset:
            frames = frames - xp.mean(frames, axis=-1, keepdims=True)
        if self.preemphasis:
            frames = frames - self.preemphasis * xp.concat([frames[..., :1], frames[..., :-1]], axis=-1)
        return frames

    def padded(self, wave: Array) -> Array:
        """Return the waveform with `padding` samples in front and `padding_behind` at its end.

        Zeros follow for a last frame that needs them.
        """
        xp, p, behind = namespace(wave), self.padding, self.padding_behind
        if self.frame_count == "ceil":
            missing = (self.frames(wave.shape[-1]) - 1) * self.hop + self.frame_samples - wave.shape[-1]
            if self.hop > self.frame_samples:  # otherwise it cannot be negative, which an export could not decide
                missing = max(0, missing)
            zeros = xp.zeros((*wave.shape[:-1], missing), dtype=wave.dtype, device=wave.device)
            return xp.concat([wave, zeros], axis=-1)
        if p == behind == 0:
            return wave
        if self.pad_mode == "reflect":
            left, right = xp.flip(wave[..., 1 : p + 1], axis=-1), xp.flip(wave[..., -behind - 1 : -1], axis=-1)
        elif self.pad_mode == "symmetric":
            last = wave[..., wave.shape[-1] - behind :]
            left, right = xp.flip(wave[..., :p], axis=-1), xp.flip(last, axis=-1)
        else:
            ones = xp.ones_like(wave[..., :1]) if self.pad_mode == "edge" else xp.zeros_like(wave[..., :1])
            left, right = (
                xp.zeros((*wave.shape[:-1], count), dtype=wave.dtype, device=wave.device) + ones * sample
                for count, sample in ((p, wave[..., :1]), (behind, wave[..., -1:]))
            )
        return xp.concat([left, wave, right], axis=-1)
