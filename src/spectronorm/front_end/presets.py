"""Front ends of published systems, by name, each equal to its source (docs/presets.md states the accuracy)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spectronorm.errors import ArgumentError
from spectronorm.front_end.bands.linear import Linear
from spectronorm.front_end.bands.mel import Mel
from spectronorm.front_end.compress.decibel import Decibel
from spectronorm.front_end.compress.ln import Ln
from spectronorm.front_end.front_end import FrontEnd
from spectronorm.front_end.more_front_ends import (
    CLAP,
    ESPNET,
    GEMMA3N,
    HIFIGAN,
    NEMO,
    SPEECHT5,
    kaldi_with,
    lhotse_from,
)
from spectronorm.front_end.stft.stft import STFT
from spectronorm.front_end.waveform.pre_emphasis import PreEmphasis
from spectronorm.front_end.waveform.scale import ScaleWaveform
from spectronorm.front_end.waveform.standardize import StandardizeWaveform
from spectronorm.suggestion import choice_of

FLOAT32_EPSILON = 2.0**-23
"""Smallest value under Kaldi's and BYOL-A's logarithm."""


@dataclass(frozen=True)
class Preset:
    """A named front end and the system that it comes from.

    Attributes:
        front_end: The front end.
        source: The system that it comes from, in one sentence.
        fixed: Shift and scale of the system's fixed normalization, `(level - shift) / scale`; None if the system
            measures or learns its normalization, or has none.
        note: Further steps of the system, and their counterparts here.
    """

    front_end: FrontEnd
    source: str
    fixed: tuple[float, ...] | None = None
    padding: str = "silence"
    note: str = ""


_FASTAUDIO = Preset(
    FrontEnd(
        sample_rate=16_000,
        level=StandardizeWaveform(),
        stft=STFT(n_fft=400, hop_length=200, power=2.0),
        bands=Linear(),
        compress=Decibel(),
    ),
    "fastaudio's BasicSpectrogram on 16 kHz audio: torchaudio's Spectrogram and decibels, waveform standardized",
    note="The waveform is standardized first, as the post that made this pipeline known has it, with ddof = 0.",
)
_LOGMEL = Preset(
    FrontEnd(
        sample_rate=22_050,
        stft=STFT(n_fft=1024, hop_length=512, pad_mode="constant", power=2.0),
        bands=Mel(128),
        compress=Ln(offset=1e-9),
    ),
    "librosa's melspectrogram with n_fft = 2 hop_length, then ln(mel + 1e-9): spectrograms as images for GANs",
)
_SPECGAN = Preset(
    FrontEnd(
        sample_rate=16_000,
        stft=STFT(n_fft=256, hop_length=128, center=False, power=1.0, frame_count="ceil"),
        bands=Linear(drop_nyquist=True),
        compress=Ln(offset=1e-6),
    ),
    "SpecGAN (Donahue, McAuley, Puckette 2019, Adversarial Audio Synthesis): ln(|X| + 1e-6), Nyquist dropped",
    note="16384 samples give 128 x 128. SpecGAN then standardizes each band, divides by 3 and clips to [-1, 1].",
)
_LIBROSA = Preset(
    FrontEnd(
        sample_rate=22_050,
        stft=STFT(n_fft=2048, hop_length=512, pad_mode="constant", power=2.0),
        bands=Mel(128),
        compress=Decibel(top_db=80.0),
    ),
    "librosa's feature.melspectrogram and power_to_db, with their defaults",
    note="top_db=80 looks at each clip's own peak; librosa.power_to_db looks at the whole array it is given.",
)
_TORCHAUDIO = Preset(
    FrontEnd(
        sample_rate=16_000,
        stft=STFT(n_fft=400, hop_length=200, power=2.0),
        bands=Mel(128, mel_scale="htk", norm=None),
        compress=Decibel(),
    ),
    "torchaudio's MelSpectrogram and AmplitudeToDB, with their defaults",
    note="128 mel bands over 201 bins leave some bands without a bin: they are always at the floor, as in torchaudio.",
)
_KALDI_FRAMES = STFT(
    n_fft=512,
    win_length=400,
    hop_length=160,
    window="povey",
    center=False,
    power=2.0,
    frame_by="win_length",
    remove_dc_offset=True,
    preemphasis=0.97,
)
_KALDI = Preset(
    FrontEnd(
        sample_rate=16_000,
        level=ScaleWaveform(32768.0),
        stft=_KALDI_FRAMES,
        bands=Mel(23, f_min=20.0, mel_scale="kaldi", norm=None),
        compress=Ln(offset=0.0, amin=FLOAT32_EPSILON),
    ),
    "Kaldi's compute-fbank-feats, as kaldi-native-fbank computes it, with its defaults and without dither",
    note="Samples are scaled to 16-bit integers, as Kaldi reads them; for systems that feed it samples in [-1, 1] set "
    "the level to as_recorded.",
)
_AST = Preset(
    FrontEnd(
        sample_rate=16_000,
        stft=STFT(
            n_fft=512,
            win_length=400,
            hop_length=160,
            window="hann_symmetric",
            center=False,
            power=2.0,
            frame_by="win_length",
            remove_dc_offset=True,
            preemphasis=0.97,
        ),
        bands=Mel(128, f_min=20.0, mel_scale="kaldi", norm=None),
        compress=Ln(offset=0.0, amin=FLOAT32_EPSILON),
    ),
    "Audio Spectrogram Transformer (Gong, Chung, Glass 2021): Kaldi's fbank of samples in [-1, 1], Hann window",
    fixed=(-4.2677393, 4.5689974, 2.0),
    padding="zero-level",
    note="Divides by twice the standard deviation, so that the result has a deviation of 0.5, and pads with 0.0 before "
    "normalization: padding becomes (0 + 4.2677393) / (2 x 4.5689974) = 0.467, which the model has learned to see. "
    "So fix the number of frames first: normalizer(fix_frames(front_end(wave), 1024)).",
)
_WHISPER = Preset(
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
)
_PANNS = Preset(
    FrontEnd(
        sample_rate=32_000,
        stft=STFT(n_fft=1024, hop_length=320, power=2.0),
        bands=Mel(64, f_min=50.0, f_max=14_000.0),
        compress=Decibel(),
    ),
    "PANNs (Kong et al. 2020), CNN14 and its family: torchlibrosa's Spectrogram and LogmelFilterBank",
    note="PANNs then learn a batch normalization of each band.",
)
_PASST = Preset(
    FrontEnd(
        sample_rate=32_000,
        level=PreEmphasis(0.97, first="drop"),
        stft=STFT(n_fft=1024, win_length=800, hop_length=320, window="hann_symmetric", power=2.0),
        bands=Mel(128, f_min=0.0, f_max=15_000.0, mel_scale="kaldi", norm=None),
        compress=Ln(offset=1e-5),
    ),
    "PaSST (Koutini et al. 2022), its AugmentMelSTFT in evaluation mode, as its base model has it",
    fixed=(-4.5, 5.0),
)
_VGGISH = Preset(
    FrontEnd(
        sample_rate=16_000,
        stft=STFT(n_fft=512, win_length=400, hop_length=160, center=False, power=1.0, frame_by="win_length"),
        bands=Mel(64, f_min=125.0, f_max=7500.0, mel_scale="kaldi", norm=None),
        compress=Ln(offset=0.01),
    ),
    "VGGish (Hershey et al. 2017): ln(mel of magnitudes + 0.01)",
    note="VGGish cuts this into examples of 96 frames, without overlap.",
)
_BYOL_A = Preset(
    FrontEnd(
        sample_rate=16_000,
        stft=STFT(n_fft=1024, hop_length=160, power=2.0),
        bands=Mel(64, f_min=60.0, f_max=7800.0),
        compress=Ln(offset=FLOAT32_EPSILON),
    ),
    "BYOL-A (Niizumi et al. 2022, its second version): nnAudio's MelSpectrogram, then ln(mel + float32 epsilon)",
    note="BYOL-A then takes mean and standard deviation of all cells of the data at hand: Standardize(per='global').",
)

_SEAMLESS = Preset(
    kaldi_with(_KALDI.front_end, 80),
    "SeamlessM4T and W2V-BERT: Kaldi's fbank with 80 bands",
    note="They then normalize each clip and band, (x - mean) / sqrt(var + 1e-7) with ddof = 1: PerClip(per='band', "
    "ddof=1, epsilon=1e-7); the model stacks two frames.",
)
_FUNASR = Preset(
    kaldi_with(_KALDI.front_end, 80, "hamming_symmetric"),
    "FunASR's WavFrontend (Paraformer, SenseVoice) before its low frame rate: Kaldi's fbank, Hamming window",
    note="It then stacks 7 frames every 6 (front_end.stack_frames), and applies am.mvn to the 560 values.",
)
_LHOTSE = Preset(
    lhotse_from(_KALDI.front_end),
    "Lhotse's Fbank with its defaults: Kaldi's fbank of samples in [-1, 1], frames by rounding, mirrored edges",
    note="A clip of n samples has (n + 80) // 160 frames, as its manifests count them. GlobalMVN comes in with "
    "spectronorm import.",
)
_WENET = Preset(
    kaldi_with(_KALDI.front_end, 80),
    "WeNet's fbank as its statistics are measured: Kaldi's fbank with 80 bands, without dither",
    note="Training adds dither of 0.1 to 1 to the 16-bit samples. Its global_cmvn comes in with spectronorm import.",
)
_BEATS = Preset(
    kaldi_with(_KALDI.front_end, 128),
    "BEATs (Chen et al. 2023): Kaldi's fbank with 128 bands of samples times 2^15",
    fixed=(15.41663, 6.55582, 2.0),
    note="Divides by twice the standard deviation, as AST does.",
)
_EAT = Preset(
    _AST.front_end,
    "EAT (Chen et al. 2024): AST's fbank with rounded numbers",
    fixed=(-4.268, 4.569, 2.0),
    padding="zero-level",
    note="Divides by twice the standard deviation, and pads with 0.0 before it.",
)
_GEMMA3N = Preset(
    GEMMA3N,
    "Gemma 3n's audio encoder (USM): ln of HTK mel magnitudes, frames pre-emphasized as HTK does",
    note="Numbers for each band, if a checkpoint has them, come in with spectronorm import.",
)
_CLAP = Preset(
    CLAP,
    "LAION's CLAP (Wu et al. 2023) in its rand_trunc mode: dB of Slaney's mel bands at 48 kHz",
    note="Its fusion mode has Mel(64, f_max=14000, mel_scale='htk', norm=None). The model has a batch normalization.",
)
_ESPNET = Preset(
    ESPNET,
    "ESPnet 2's default frontend: Stft and LogMel, ln of mel power",
    note="GlobalMVN or UtteranceMVN follow; feats_stats.npz comes in with spectronorm import.",
)
_NEMO = Preset(
    NEMO,
    "NeMo's AudioToMelSpectrogramPreprocessor (FilterbankFeatures) without dither",
    note="Its usual per_feature normalization is PerClip(per='band', ddof=1, epsilon=1e-5, epsilon_of='std').",
)
_HIFIGAN = Preset(
    HIFIGAN,
    "HiFi-GAN (Kong, Kim, Bae 2020) and most vocoders, Matcha-TTS: ln of mel magnitudes, frames centred on hops",
    note="HiFi-GAN adds 1e-9 under the root of the magnitude, and normalizes nothing.",
)
_SPEECHT5 = Preset(
    SPEECHT5,
    "SpeechT5's target features: log10 of mel magnitudes",
)

PRESETS: Mapping[str, Preset] = {
    "ast": _AST,
    "beats": _BEATS,
    "byol-a": _BYOL_A,
    "clap": _CLAP,
    "eat": _EAT,
    "espnet": _ESPNET,
    "fastaudio": _FASTAUDIO,
    "funasr": _FUNASR,
    "gemma3n": _GEMMA3N,
    "hifigan": _HIFIGAN,
    "kaldi": _KALDI,
    "lhotse": _LHOTSE,
    "librosa": _LIBROSA,
    "logmel": _LOGMEL,
    "nemo": _NEMO,
    "panns": _PANNS,
    "passt": _PASST,
    "seamless": _SEAMLESS,
    "specgan": _SPECGAN,
    "speecht5": _SPEECHT5,
    "torchaudio": _TORCHAUDIO,
    "vggish": _VGGISH,
    "wenet": _WENET,
    "whisper": _WHISPER,
}
"""Every preset, by the name that `preset` and `--preset` take."""


def preset(name: str) -> FrontEnd:
    """Return the front end with this name.

    Raises:
        ArgumentError: if there is no such preset.

    >>> preset("whisper").n_bands
    80
    """
    return find_preset(name).front_end


def find_preset(name: str) -> Preset:
    """Return the preset with this name, with its source.

    Raises:
        ArgumentError: if there is no such preset.
    """
    if name not in PRESETS:
        raise ArgumentError(f"preset={name!r} is unknown; use {choice_of(name, PRESETS)}")
    return PRESETS[name]
