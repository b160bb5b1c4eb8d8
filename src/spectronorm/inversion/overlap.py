"""Least-squares inverse STFT, and the pass of every iteration: compute spectra, change them, transform back.

Spectra are stored frames first, `(..., frame, bin)`, so that each frame is one contiguous FFT.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import is_torch_array
from numpy.typing import NDArray

from spectronorm.arrays import Array, constant, frame, irfft, namespace, overlap_add, rfft
from spectronorm.errors import ArgumentError
from spectronorm.front_end import STFT
from spectronorm.kernels.jit import kernel

Change = Callable[[Array, slice], Array]
"""Maps the spectra of some frames, and their positions, to the spectra to continue with."""

_SMALLEST_WEIGHT = 1e-3
"""Share of the largest weight: where windows add up to less (at the outermost samples), samples are faded, not
amplified.
"""
_BLOCK = 64
"""Number of frames that go through a NumPy pass together, small enough to stay in the cache."""


@dataclass(frozen=True, eq=False)
class OverlapAdd:
    """Conversion between spectra `(..., frame, bin)` and the padded signal `(..., sample)` of their overlapping frames.

    The padded signal is the unknown: the frames saw the front end's padding, whatever its mode, so nothing is assumed
    beyond the ends. `wave` removes the padding at the end. NumPy takes one clip, `(frame, bin)`, in blocks of frames;
    torch takes batches.

    Formula: `x = Σ_t w·y_t / Σ_t w²` (Griffin and Lim 1984, Signal Estimation from Modified Short-Time Fourier
    Transform, equation 6).
    """

    stft: STFT
    frames: int
    window: NDArray[np.float32]
    inverse_weight: NDArray[np.float32]

    @classmethod
    def of(cls, stft: STFT, frames: int) -> OverlapAdd:
        """Build the conversion for `frames` frames of this STFT.

        Raises:
            ArgumentError: if the windows do not overlap enough, or frames are changed before the window.
        """
        if not stft.windowed_only:
            raise ArgumentError(
                f"remove_dc_offset={stft.remove_dc_offset}, preemphasis={stft.preemphasis}: frames that are changed "
                "before the window overlap into no wave; to invert, use a front end without them"
            )
        window = stft.window_values()
        squared = np.broadcast_to(window * window, (frames, stft.frame_samples))
        weight = overlap_add(squared, stft.hop)
        first = (stft.frame_samples - stft.frame_length) // 2 + stft.frame_length // 2
        inside = weight[first : first + (frames - 1) * stft.hop + 1]
        if inside.min() <= 1e-6 * weight.max():
            raise ArgumentError(
                f"hop_length={stft.hop} with win_length={stft.frame_length} ({stft.window}) leaves samples that no "
                "window sees: such a spectrogram cannot be inverted; use a hop_length of at most half a window"
            )
        inverse_weight = 1.0 / np.maximum(weight, _SMALLEST_WEIGHT * weight.max())
        return cls(stft, frames, window.astype(np.float32), inverse_weight.astype(np.float32))

    def signal(self, spectrum: Array) -> Array:
        """Return the padded signal whose STFT is nearest to `spectrum`."""
        if is_torch_array(spectrum):
            frames = irfft(spectrum, self.stft.n_fft)[..., : self.stft.frame_samples]
            padded = overlap_add(frames * constant(self.window, frames), self.stft.hop)
            return padded * constant(self.inverse_weight, padded)
        padded = np.zeros(len(self.inverse_weight), dtype=np.float32)
        for frames in self._blocks():
            self._add(spectrum[frames], frames, padded)
        padded *= self.inverse_weight
        return padded

    def spectrum(self, padded: Array) -> Array:
        """Return the spectra `(..., frame, bin)` of a padded signal."""
        if is_torch_array(padded):
            frames = frame(padded, self.stft.frame_samples, self.stft.hop) * constant(self.window, padded)
            return rfft(frames, self.stft.n_fft)
        return np.concatenate([self._cut(padded, frames) for frames in self._blocks()])

    def passed(self, padded: Array, change: Change) -> Array:
        """Return the signal of the changed spectra of `padded`: one iteration, without holding all spectra."""
        if is_torch_array(padded):
            return self.signal(change(self.spectrum(padded), slice(None)))
        out = np.zeros_like(padded)
        for frames in self._blocks():
            self._add(change(self._cut(padded, frames), frames), frames, out)
        out *= self.inverse_weight
        return out

    def wave(self, padded: Array, length: int) -> Array:
        """Return the waveform `(..., length)` without the padding; samples outside every frame are 0."""
        cut = padded[..., self.stft.padding : self.stft.padding + length]
        missing = length - cut.shape[-1]
        if missing <= 0:
            return cut
        xp = namespace(cut)
        return xp.concat([cut, xp.zeros((*cut.shape[:-1], missing), dtype=cut.dtype, device=cut.device)], axis=-1)

    def _blocks(self) -> list[slice]:
        return [slice(start, min(start + _BLOCK, self.frames)) for start in range(0, self.frames, _BLOCK)]

    def _cut(self, padded: NDArray[np.float32], frames: slice) -> NDArray[np.complex64]:
        windowed = np.empty((frames.stop - frames.start, self.stft.frame_samples), dtype=np.float32)
        _cut_windowed(padded[frames.start * self.stft.hop :], self.window, self.stft.hop, windowed)
        return np.asarray(rfft(windowed, self.stft.n_fft))

    def _add(self, spectrum: NDArray[np.complex64], frames: slice, padded: NDArray[np.float32]) -> None:
        signals: NDArray[Any] = irfft(spectrum, self.stft.n_fft)[:, : self.stft.frame_samples]
        _add_windowed(signals, self.window, self.stft.hop, padded[frames.start * self.stft.hop :])


def _add_windowed_by_numpy(
    frames: NDArray[np.float32], window: NDArray[np.float32], hop_length: int, out: NDArray[np.float32]
) -> None:
    for t, windowed in enumerate(frames * window):
        out[t * hop_length : t * hop_length + len(window)] += windowed


@kernel(_add_windowed_by_numpy, cache=True, nogil=True)
def _add_windowed(
    frames: NDArray[np.float32], window: NDArray[np.float32], hop_length: int, out: NDArray[np.float32]
) -> None:
    for t in range(frames.shape[0]):
        begin = t * hop_length
        for i in range(frames.shape[1]):
            out[begin + i] += frames[t, i] * window[i]


def _cut_windowed_by_numpy(
    signal: NDArray[np.float32], window: NDArray[np.float32], hop_length: int, out: NDArray[np.float32]
) -> None:
    frames = np.lib.stride_tricks.sliding_window_view(signal, out.shape[1])[::hop_length]
    np.multiply(frames[: len(out)], window, out=out)


@kernel(_cut_windowed_by_numpy, cache=True, nogil=True)
def _cut_windowed(
    signal: NDArray[np.float32], window: NDArray[np.float32], hop_length: int, out: NDArray[np.float32]
) -> None:
    for t in range(out.shape[0]):
        begin = t * hop_length
        for i in range(out.shape[1]):
            out[t, i] = signal[begin + i] * window[i]
