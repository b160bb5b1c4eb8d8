"""Presets of vocoders and other models that make sounds."""

from __future__ import annotations

from collections.abc import Mapping

from spectronorm.front_end.bands.linear import Linear
from spectronorm.front_end.bands.mel import Mel
from spectronorm.front_end.compress.ln import Ln
from spectronorm.front_end.compress.log10 import Log10
from spectronorm.front_end.front_end import FrontEnd
from spectronorm.front_end.presets.preset import Preset
from spectronorm.front_end.stft.stft import STFT

SYNTHESIS_PRESETS: Mapping[str, Preset] = {
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
            stft=STFT(n_fft=256, hop_length=128, center=False, power=1.0, frame_count="ceil"),
            bands=Linear(drop_nyquist=True),
            compress=Ln(offset=1e-6),
        ),
        "SpecGAN (Donahue, McAuley, Puckette 2019, Adversarial Audio Synthesis): ln(|X| + 1e-6), Nyquist dropped",
        note="16384 samples give 128 x 128. SpecGAN then standardizes each band, divides by 3 and clips to [-1, 1].",
    ),
    "hifigan": Preset(
        FrontEnd(
            sample_rate=22_050,
            stft=STFT(n_fft=1024, hop_length=256, power=1.0, frame_count="hop"),
            bands=Mel(80, f_min=0.0, f_max=8000.0),
            compress=Ln(offset=0.0, amin=1e-5),
        ),
        "HiFi-GAN (Kong, Kim, Bae 2020) and most vocoders, Matcha-TTS: ln of mel magnitudes, frames centred on hops",
        note="HiFi-GAN adds 1e-9 under the root of the magnitude, and normalizes nothing.",
    ),
    "speecht5": Preset(
        FrontEnd(
            sample_rate=16_000,
            stft=STFT(n_fft=1024, hop_length=256, power=1.0),
            bands=Mel(80, f_min=80.0, f_max=7600.0),
            compress=Log10(amin=1e-10),
        ),
        "SpeechT5's target features: log10 of mel magnitudes",
    ),
}
