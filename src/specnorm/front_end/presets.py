"""Front ends that people already use, by name, with where each comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from specnorm.errors import ArgumentError
from specnorm.front_end.bands import Linear, Mel
from specnorm.front_end.compress import Decibel, Ln
from specnorm.front_end.front_end import FrontEnd
from specnorm.front_end.stft import STFT
from specnorm.front_end.waveform import StandardizeWaveform


@dataclass(frozen=True)
class Preset:
    """A named front end and the system it comes from."""

    front_end: FrontEnd
    source: str


PRESETS: Mapping[str, Preset] = {
    "fastaudio": Preset(
        FrontEnd(
            sample_rate=16_000,
            level=StandardizeWaveform(),
            stft=STFT(n_fft=400, hop_length=200, power=2.0),
            bands=Linear(),
            compress=Decibel(),
        ),
        "fastaudio's BasicSpectrogram on 16 kHz audio: torchaudio's Spectrogram and decibels, waveform standardized",
    ),
    "logmel": Preset(
        FrontEnd(
            sample_rate=22_050,
            stft=STFT(n_fft=1024, hop_length=512, pad_mode="constant", power=2.0),
            bands=Mel(128),
            compress=Ln(offset=1e-9),
        ),
        "librosa's melspectrogram with n_fft = 2 hop_length, then ln(mel + 1e-9): spectrograms as images for GANs",
    ),
    "specgan": Preset(
        FrontEnd(
            sample_rate=16_000,
            stft=STFT(n_fft=256, hop_length=128, center=False, power=1.0),
            bands=Linear(drop_nyquist=True),
            compress=Ln(offset=1e-6),
        ),
        "SpecGAN (Donahue, McAuley, Puckette 2019, Adversarial Audio Synthesis): ln(|X| + 1e-6), Nyquist dropped",
    ),
}


def preset(name: str) -> FrontEnd:
    """The front end of that name; raises `ArgumentError` when there is none."""
    if name not in PRESETS:
        raise ArgumentError(f"preset={name!r} is unknown; use one of {', '.join(PRESETS)}")
    return PRESETS[name].front_end
