"""DFT of frames in three forms, equal except for rounding, since runtimes differ in which form is fast."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from spectronorm.arrays import frame, squared_magnitude
from spectronorm.errors import ArgumentError
from spectronorm.front_end import STFT
from spectronorm.nn.constants import Constants

FORMS = ("fft", "stft", "convolution")


class FastFourierTransform(Constants):
    """The front end's own code: frames, window, FFT; exported as ONNX's `DFT`."""

    window: Tensor

    def __init__(self, stft: STFT) -> None:
        super().__init__()
        self.stft = stft
        self.register_constant("window", stft.window_values(), persistent=False)

    def forward(self, padded: Tensor) -> Tensor:
        """Squared magnitudes `(..., frame, bin)` of a padded waveform `(..., sample)`."""
        frames = frame(padded, self.stft.frame_samples, self.stft.hop)
        squared: Tensor = squared_magnitude(self.stft.spectrum(frames, self.window.to(padded.dtype)))
        return squared


class ShortTimeFourierTransform(Constants):
    """`torch.stft`, exported as ONNX's `STFT`."""

    window: Tensor

    def __init__(self, stft: STFT) -> None:
        super().__init__()
        self.stft = stft
        self.register_constant("window", stft.window_values(), persistent=False)
        if not stft.windowed_only or stft.frame_samples != stft.n_fft:
            raise ArgumentError(
                f"{stft} does more to a frame of n_fft samples than to window it, which the STFT operator cannot; "
                "use dft='convolution' or dft='fft'"
            )

    def forward(self, padded: Tensor) -> Tensor:
        """Squared magnitudes `(..., frame, bin)` of a padded waveform `(..., sample)`."""
        z = torch.stft(
            padded.reshape(-1, padded.shape[-1]),
            self.stft.n_fft,
            self.stft.hop,
            window=self.window.to(padded.dtype),
            center=False,
            return_complex=True,
        )
        squared = torch.view_as_real(z).square().sum(-1).mT
        return squared.reshape(*padded.shape[:-1], *squared.shape[-2:])


class Convolution(Constants):
    """Convolution with windowed cosines and sines, several times faster than the operators in onnxruntime.

    In float64 the sum is written as frames times a matrix, because onnxruntime has no float64 convolution.
    """

    kernel: Tensor

    def __init__(self, stft: STFT) -> None:
        super().__init__()
        self.stft = stft
        # The map of a frame is linear, so its values on unit impulses determine it, (sample, bin).
        impulses = stft.spectrum(np.eye(stft.frame_samples), stft.window_values())
        kernel = np.concatenate([impulses.real, impulses.imag], axis=-1).T
        self.register_constant("kernel", kernel, persistent=False)

    def forward(self, padded: Tensor) -> Tensor:
        """Squared magnitudes `(..., frame, bin)` of a padded waveform `(..., sample)`."""
        kernel = self.kernel.to(padded.dtype)
        if padded.dtype == torch.float64:
            parts = frame(padded, self.stft.frame_samples, self.stft.hop) @ kernel.mT
        else:
            waves = padded.reshape(-1, 1, padded.shape[-1])
            parts = nn.functional.conv1d(waves, kernel.unsqueeze(1), stride=self.stft.hop).mT
            parts = parts.reshape(*padded.shape[:-1], *parts.shape[-2:])
        real, imaginary = parts[..., : self.stft.bins], parts[..., self.stft.bins :]
        squared: Tensor = real.square() + imaginary.square()
        return squared


def dft_module(form: str, stft: STFT) -> nn.Module:
    """Return the DFT in this form.

    Raises:
        ArgumentError: if there is no such form.
    """
    if form == "fft":
        return FastFourierTransform(stft)
    if form == "stft":
        return ShortTimeFourierTransform(stft)
    if form == "convolution":
        return Convolution(stft)
    raise ArgumentError(f"dft={form!r} must be one of {', '.join(FORMS)}")
