"""The short-time Fourier transform: wave to magnitudes, as librosa and torch.stft compute it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from specnorm.arrays import Array, constant, frame, namespace, rfft, squared_magnitude
from specnorm.errors import ArgumentError, ShapeError

PAD_MODES = ("constant", "edge", "reflect")


@dataclass(frozen=True)
class STFT:
    """`|X|^power` of windowed frames, `(..., sample)` to `(..., bin, frame)`.

    `n_fft`, `win_length` (default `n_fft`) and `hop_length` (default half of `win_length`) are in samples. `window` is
    any name that `scipy.signal.get_window` knows, in its periodic form, centred in `n_fft` when shorter. With `center`
    the wave is padded by `n_fft // 2` on both sides, by `pad_mode` constant (zeros), edge or reflect. `power` 1 gives
    magnitudes, 2 power.

    Raises:
        ArgumentError: when a length is not positive, the window is longer than the frame, or a name is unknown.
    """

    n_fft: int = 400
    win_length: int | None = None
    hop_length: int | None = None
    window: str = "hann"
    center: bool = True
    pad_mode: str = "reflect"
    power: float = 2.0

    def __post_init__(self) -> None:
        # The defaults are filled in here, so that equal settings are equal values with equal fingerprints.
        object.__setattr__(self, "win_length", self.n_fft if self.win_length is None else self.win_length)
        object.__setattr__(
            self, "hop_length", max(1, self.frame_length // 2) if self.hop_length is None else self.hop_length
        )
        for name in ("n_fft", "win_length", "hop_length"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ArgumentError(f"{name}={value!r} must be a positive whole number of samples")
        if self.n_fft < 2 or self.frame_length > self.n_fft:
            raise ArgumentError(
                f"win_length={self.win_length} must be at most n_fft={self.n_fft}, and n_fft at least 2"
            )
        if self.pad_mode not in PAD_MODES:
            raise ArgumentError(f"pad_mode={self.pad_mode!r} must be one of {', '.join(PAD_MODES)}")
        if not 0 < self.power <= 8:
            raise ArgumentError(f"power={self.power} must be above 0 and at most 8 (1 magnitude, 2 power)")
        _window(self.window, self.frame_length, self.n_fft)

    @property
    def frame_length(self) -> int:
        """`win_length` in samples, never None."""
        return self.n_fft if self.win_length is None else self.win_length

    @property
    def hop(self) -> int:
        """`hop_length` in samples, never None."""
        return max(1, self.frame_length // 2) if self.hop_length is None else self.hop_length

    @property
    def bins(self) -> int:
        """How many one-sided frequency bins there are."""
        return self.n_fft // 2 + 1

    @property
    def padding(self) -> int:
        """Samples added on either side."""
        return self.n_fft // 2 if self.center else 0

    @property
    def min_samples(self) -> int:
        """One window, the shortest wave that is transformed, because anything shorter would be mostly padding."""
        return self.n_fft

    def frames(self, samples: int) -> int:
        """How many frames a wave of `samples` has; 0 when it is too short."""
        if samples < self.min_samples:
            return 0
        return 1 + (samples + 2 * self.padding - self.n_fft) // self.hop

    def window_values(self) -> NDArray[np.float64]:
        """The window, zero-padded to `n_fft`."""
        return _window(self.window, self.frame_length, self.n_fft)

    def bin_hz(self, sample_rate: int) -> NDArray[np.float64]:
        """Centre frequency of each bin, in Hz."""
        return np.arange(self.bins, dtype=np.float64) * (sample_rate / self.n_fft)

    def __call__(self, wave: Array) -> Array:
        """Magnitudes to the power, `(..., bin, frame)`; raises `ShapeError` when the wave is too short."""
        if self.frames(wave.shape[-1]) == 0:
            raise ShapeError(
                f"a wave of {wave.shape[-1]} samples is too short: it needs at least n_fft={self.n_fft} samples, "
                "one window; pad it or choose a shorter n_fft"
            )
        frames = frame(self.padded(wave), self.n_fft, self.hop)
        squared = squared_magnitude(rfft(frames * constant(self.window_values(), wave)))
        return namespace(wave).matrix_transpose(squared if self.power == 2.0 else squared ** (self.power / 2.0))

    def padded(self, wave: Array) -> Array:
        """The wave with `padding` samples added on either side."""
        xp, p = namespace(wave), self.padding
        if p == 0:
            return wave
        if self.pad_mode == "reflect":
            left, right = xp.flip(wave[..., 1 : p + 1], axis=-1), xp.flip(wave[..., -p - 1 : -1], axis=-1)
        else:
            ones = xp.ones_like(wave[..., :1]) if self.pad_mode == "edge" else xp.zeros_like(wave[..., :1])
            zeros = xp.zeros((*wave.shape[:-1], p), dtype=wave.dtype, device=wave.device)
            left, right = zeros + ones * wave[..., :1], zeros + ones * wave[..., -1:]
        return xp.concat([left, wave, right], axis=-1)


@lru_cache(maxsize=64)
def _window(name: str, win_length: int, n_fft: int) -> NDArray[np.float64]:
    try:
        values = scipy.signal.get_window(name, win_length, fftbins=True)
    except (ValueError, TypeError):
        raise ArgumentError(
            f"window={name!r} is not a window that scipy.signal.get_window knows, such as hann"
        ) from None
    left = (n_fft - win_length) // 2
    padded = np.pad(np.asarray(values, dtype=np.float64), (left, n_fft - win_length - left))
    padded.setflags(write=False)
    return padded
