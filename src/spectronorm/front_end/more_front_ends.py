"""Front ends of further speech, audio and text-to-speech systems; `presets` names their sources."""

from __future__ import annotations

from dataclasses import replace

from spectronorm.front_end.bands.mel import Mel
from spectronorm.front_end.compress.decibel import Decibel
from spectronorm.front_end.compress.ln import Ln
from spectronorm.front_end.compress.log10 import Log10
from spectronorm.front_end.front_end import FrontEnd
from spectronorm.front_end.stft.stft import STFT
from spectronorm.front_end.waveform.as_recorded import AsRecorded
from spectronorm.front_end.waveform.pre_emphasis import PreEmphasis


def kaldi_with(kaldi: FrontEnd, n_mels: int, window: str = "povey") -> FrontEnd:
    """Kaldi's front end with another number of mel bands, or another window."""
    bands = Mel(n_mels, f_min=20.0, mel_scale="kaldi", norm=None)
    return replace(kaldi, bands=bands, stft=replace(kaldi.stft, window=window))


def lhotse_from(kaldi: FrontEnd) -> FrontEnd:
    """Kaldi's front end as Lhotse has it: samples in [-1, 1], 80 bands to 7600 Hz, frames by rounding."""
    bands = Mel(80, f_min=20.0, f_max=7600.0, mel_scale="kaldi", norm=None)
    stft = replace(kaldi.stft, center=True, pad_mode="symmetric", frame_count="round")
    return replace(kaldi, level=AsRecorded(), bands=bands, stft=stft)


GEMMA3N = FrontEnd(
    sample_rate=16_000,
    stft=STFT(
        n_fft=1024,
        win_length=512,
        hop_length=160,
        center=False,
        power=1.0,
        frame_by="win_length",
        preemphasis=0.97,
    ),
    bands=Mel(128, f_min=125.0, f_max=7600.0, mel_scale="htk", norm=None),
    compress=Ln(offset=0.0, amin=1e-5),
)
CLAP = FrontEnd(
    sample_rate=48_000,
    stft=STFT(n_fft=1024, hop_length=480, power=2.0),
    bands=Mel(64, f_min=0.0, f_max=14_000.0),
    compress=Decibel(),
)
ESPNET = FrontEnd(
    sample_rate=16_000,
    stft=STFT(n_fft=512, hop_length=160, power=2.0),
    bands=Mel(80),
    compress=Ln(offset=0.0, amin=1e-10),
)
NEMO = FrontEnd(
    sample_rate=16_000,
    level=PreEmphasis(0.97, first="keep"),
    stft=STFT(
        n_fft=512,
        win_length=400,
        hop_length=160,
        window="hann_symmetric",
        pad_mode="constant",
        power=2.0,
        frame_count="floor",
    ),
    bands=Mel(80),
    compress=Ln(offset=2.0**-24),
)
HIFIGAN = FrontEnd(
    sample_rate=22_050,
    stft=STFT(n_fft=1024, hop_length=256, power=1.0, frame_count="hop"),
    bands=Mel(80, f_min=0.0, f_max=8000.0),
    compress=Ln(offset=0.0, amin=1e-5),
)
SPEECHT5 = FrontEnd(
    sample_rate=16_000,
    stft=STFT(n_fft=1024, hop_length=256, power=1.0),
    bands=Mel(80, f_min=80.0, f_max=7600.0),
    compress=Log10(amin=1e-10),
)
