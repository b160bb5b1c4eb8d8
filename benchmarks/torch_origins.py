"""Front ends written by hand in torch, eager and compiled, for a clip `(sample,)` or a batch `(clip, sample)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import spectronorm as sn

Wave = NDArray[np.float32]
_Tensors = Callable[[torch.Tensor], torch.Tensor]


def _filters(name: str) -> torch.Tensor:
    return torch.from_numpy(sn.preset(name).band_runs().matrix.astype(np.float32))


def _decibels(power: torch.Tensor) -> torch.Tensor:
    return 10.0 * torch.log10(power.clamp(min=1e-10))


def _torchaudio() -> _Tensors:
    """MelSpectrogram and AmplitudeToDB as torchaudio writes them."""
    window, filters = torch.hann_window(400), _filters("torchaudio")
    return lambda x: _decibels(filters @ torch.stft(x, 400, 200, window=window, return_complex=True).abs().pow(2))


def _fastaudio() -> _Tensors:
    """A standardized waveform, Spectrogram and AmplitudeToDB."""
    window = torch.hann_window(400)

    def run(x: torch.Tensor) -> torch.Tensor:
        x = (x - x.mean(-1, keepdim=True)) / x.std(-1, keepdim=True, correction=0)
        return _decibels(torch.stft(x, 400, 200, window=window, return_complex=True).abs().pow(2))

    return run


def _passt() -> _Tensors:
    """AugmentMelSTFT in evaluation mode, without its last affine map."""
    window, filters = torch.hann_window(800, periodic=False), _filters("passt")

    def run(x: torch.Tensor) -> torch.Tensor:
        x = x[..., 1:] - 0.97 * x[..., :-1]
        z = torch.stft(x, 1024, 320, 800, window=window, return_complex=True)
        return (filters @ torch.view_as_real(z).pow(2).sum(-1) + 1e-5).log()

    return run


def _specgan() -> _Tensors:
    """The log magnitudes of SpecGAN."""
    window = torch.hann_window(256)

    def run(x: torch.Tensor) -> torch.Tensor:
        frames = -(-x.shape[-1] // 128)
        x = torch.nn.functional.pad(x, (0, (frames - 1) * 128 + 256 - x.shape[-1]))
        z = torch.stft(x, 256, 128, window=window, center=False, return_complex=True)
        return (z[..., :-1, :].abs() + 1e-6).log()

    return run


_BY_HAND = {"torchaudio": _torchaudio, "fastaudio": _fastaudio, "passt": _passt, "specgan": _specgan}


def _of_arrays(run: _Tensors) -> Callable[[Wave], Any]:
    def call(wave: Wave) -> Any:
        with torch.no_grad():
            return run(torch.from_numpy(wave))

    return call


def eager() -> dict[str, Callable[[Wave], Any]]:
    """Eager code of the presets whose origins do not install beside the tests."""
    return {name: _of_arrays(make()) for name, make in _BY_HAND.items()}


def compiled() -> dict[str, Callable[[Wave], Any]]:
    """The eager code, compiled by `torch.compile`."""
    return {name: _of_arrays(torch.compile(make(), dynamic=False)) for name, make in _BY_HAND.items()}
