"""Presets of models that recognize or embed sounds and speech."""

from __future__ import annotations

from collections.abc import Mapping

from spectronorm.front_end.bands.mel import Mel
from spectronorm.front_end.compress.decibel import Decibel
from spectronorm.front_end.compress.ln import Ln
from spectronorm.front_end.front_end import FrontEnd
from spectronorm.front_end.presets.preset import FLOAT32_EPSILON, Preset
from spectronorm.front_end.stft.stft import STFT
from spectronorm.front_end.waveform.pre_emphasis import PreEmphasis

RECOGNITION_PRESETS: Mapping[str, Preset] = {
    "vggish": Preset(
        FrontEnd(
            sample_rate=16_000,
            stft=STFT(n_fft=512, win_length=400, hop_length=160, center=False, power=1.0, frame_by="win_length"),
            bands=Mel(64, f_min=125.0, f_max=7500.0, mel_scale="kaldi", norm=None),
            compress=Ln(offset=0.01),
        ),
        "VGGish (Hershey et al. 2017): ln(mel of magnitudes + 0.01)",
        note="VGGish cuts this into examples of 96 frames, without overlap.",
    ),
    "panns": Preset(
        FrontEnd(
            sample_rate=32_000,
            stft=STFT(n_fft=1024, hop_length=320, power=2.0),
            bands=Mel(64, f_min=50.0, f_max=14_000.0),
            compress=Decibel(),
        ),
        "PANNs (Kong et al. 2020), CNN14 and its family: torchlibrosa's Spectrogram and LogmelFilterBank",
        note="PANNs then learn a batch normalization of each band.",
    ),
    "passt": Preset(
        FrontEnd(
            sample_rate=32_000,
            level=PreEmphasis(0.97, first="drop"),
            stft=STFT(n_fft=1024, win_length=800, hop_length=320, window="hann_symmetric", power=2.0),
            bands=Mel(128, f_min=0.0, f_max=15_000.0, mel_scale="kaldi", norm=None),
            compress=Ln(offset=1e-5),
        ),
        "PaSST (Koutini et al. 2022), its AugmentMelSTFT in evaluation mode, as its base model has it",
        fixed=(-4.5, 5.0),
    ),
    "byol-a": Preset(
        FrontEnd(
            sample_rate=16_000,
            stft=STFT(n_fft=1024, hop_length=160, power=2.0),
            bands=Mel(64, f_min=60.0, f_max=7800.0),
            compress=Ln(offset=FLOAT32_EPSILON),
        ),
        "BYOL-A (Niizumi et al. 2022, its second version): nnAudio's MelSpectrogram, then ln(mel + float32 epsilon)",
        note="BYOL-A then takes mean and standard deviation of all cells of the data at hand: "
        "Standardize(per='global').",
    ),
    "clap": Preset(
        FrontEnd(
            sample_rate=48_000,
            stft=STFT(n_fft=1024, hop_length=480, power=2.0),
            bands=Mel(64, f_min=0.0, f_max=14_000.0),
            compress=Decibel(),
        ),
        "LAION's CLAP (Wu et al. 2023) in its rand_trunc mode: dB of Slaney's mel bands at 48 kHz",
        note="Its fusion mode has Mel(64, f_max=14000, mel_scale='htk', norm=None). The model has a batch "
        "normalization.",
    ),
    "whisper": Preset(
        FrontEnd(
            sample_rate=16_000,
            stft=STFT(n_fft=400, hop_length=160, power=2.0, frame_count="floor"),
            bands=Mel(80),
            compress=Decibel(top_db=80.0),
        ),
        "OpenAI's Whisper (Radford et al. 2022): log mel, at most 8 powers of ten below the clip's peak",
        fixed=(-40.0, 40.0),
        note="Whisper's max(log10 x, max - 8) and (y + 4) / 4 are top_db=80 and (dB + 40) / 40. It pads the wave with "
        "zeros to 30 s first. Its large-v3 model has Mel(128).",
    ),
    "gemma3n": Preset(
        FrontEnd(
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
        ),
        "Gemma 3n's audio encoder (USM): ln of HTK mel magnitudes, frames pre-emphasized as HTK does",
        note="Numbers for each band, if a checkpoint has them, come in with spectronorm import.",
    ),
}
