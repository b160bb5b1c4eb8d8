"""Presets of Kaldi's fbank, and of the toolkits and models that compute it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from spectronorm.front_end.bands.mel import Mel
from spectronorm.front_end.compress.ln import Ln
from spectronorm.front_end.front_end import FrontEnd
from spectronorm.front_end.presets.preset import FLOAT32_EPSILON, Preset
from spectronorm.front_end.stft.stft import STFT
from spectronorm.front_end.waveform.as_recorded import AsRecorded
from spectronorm.front_end.waveform.scale import ScaleWaveform

_FRAMES = STFT(
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
_KALDI = FrontEnd(
    sample_rate=16_000,
    level=ScaleWaveform(32768.0),
    stft=_FRAMES,
    bands=Mel(23, f_min=20.0, mel_scale="kaldi", norm=None),
    compress=Ln(offset=0.0, amin=FLOAT32_EPSILON),
)
_AST = FrontEnd(
    sample_rate=16_000,
    stft=replace(_FRAMES, window="hann_symmetric"),
    bands=Mel(128, f_min=20.0, mel_scale="kaldi", norm=None),
    compress=Ln(offset=0.0, amin=FLOAT32_EPSILON),
)


def _fbank(n_mels: int, window: str = "povey") -> FrontEnd:
    """Kaldi's front end with another number of mel bands, or another window."""
    bands = Mel(n_mels, f_min=20.0, mel_scale="kaldi", norm=None)
    return replace(_KALDI, bands=bands, stft=replace(_FRAMES, window=window))


KALDI_PRESETS: Mapping[str, Preset] = {
    "kaldi": Preset(
        _KALDI,
        "Kaldi's compute-fbank-feats, as kaldi-native-fbank computes it, with its defaults and without dither",
        note="Samples are scaled to 16-bit integers, as Kaldi reads them; for systems that feed it samples in [-1, 1] "
        "set the level to as_recorded.",
    ),
    "ast": Preset(
        _AST,
        "Audio Spectrogram Transformer (Gong, Chung, Glass 2021): Kaldi's fbank of samples in [-1, 1], Hann window",
        fixed=(-4.2677393, 4.5689974, 2.0),
        padding="zero-level",
        note="Divides by twice the standard deviation, so that the result has a deviation of 0.5, and pads with 0.0 "
        "before normalization: padding becomes (0 + 4.2677393) / (2 x 4.5689974) = 0.467, which the model has learned "
        "to see. So fix the number of frames first: normalizer(fix_frames(front_end(wave), 1024)).",
    ),
    "seamless": Preset(
        _fbank(80),
        "SeamlessM4T and W2V-BERT: Kaldi's fbank with 80 bands",
        note="They then normalize each clip and band, (x - mean) / sqrt(var + 1e-7) with ddof = 1: PerClip(per='band', "
        "ddof=1, epsilon=1e-7); the model stacks two frames.",
    ),
    "funasr": Preset(
        _fbank(80, "hamming_symmetric"),
        "FunASR's WavFrontend (Paraformer, SenseVoice) before its low frame rate: Kaldi's fbank, Hamming window",
        note="It then stacks 7 frames every 6 (front_end.stack_frames), and applies am.mvn to the 560 values.",
    ),
    "lhotse": Preset(
        replace(
            _KALDI,
            level=AsRecorded(),
            stft=replace(_FRAMES, center=True, pad_mode="symmetric", frame_count="round"),
            bands=Mel(80, f_min=20.0, f_max=7600.0, mel_scale="kaldi", norm=None),
        ),
        "Lhotse's Fbank with its defaults: Kaldi's fbank of samples in [-1, 1], frames by rounding, mirrored edges",
        note="A clip of n samples has (n + 80) // 160 frames, as its manifests count them. GlobalMVN comes in with "
        "spectronorm import.",
    ),
    "wenet": Preset(
        _fbank(80),
        "WeNet's fbank as its statistics are measured: Kaldi's fbank with 80 bands, without dither",
        note="Training adds dither of 0.1 to 1 to the 16-bit samples. Its global_cmvn comes in with "
        "spectronorm import.",
    ),
    "beats": Preset(
        _fbank(128),
        "BEATs (Chen et al. 2023): Kaldi's fbank with 128 bands of samples times 2^15",
        fixed=(15.41663, 6.55582, 2.0),
        note="Divides by twice the standard deviation, as AST does.",
    ),
    "eat": Preset(
        _AST,
        "EAT (Chen et al. 2024): AST's fbank with rounded numbers",
        fixed=(-4.268, 4.569, 2.0),
        padding="zero-level",
        note="Divides by twice the standard deviation, and pads with 0.0 before it.",
    ),
}
