"""Presets of libraries and toolkits, with their defaults."""

from __future__ import annotations

from collections.abc import Mapping

from spectronorm.front_end.bands.linear import Linear
from spectronorm.front_end.bands.mel import Mel
from spectronorm.front_end.compress.decibel import Decibel
from spectronorm.front_end.compress.ln import Ln
from spectronorm.front_end.front_end import FrontEnd
from spectronorm.front_end.presets.preset import Preset
from spectronorm.front_end.stft.stft import STFT
from spectronorm.front_end.waveform.pre_emphasis import PreEmphasis
from spectronorm.front_end.waveform.standardize import StandardizeWaveform

LIBRARY_PRESETS: Mapping[str, Preset] = {
    "librosa": Preset(
        FrontEnd(
            sample_rate=22_050,
            stft=STFT(n_fft=2048, hop_length=512, pad_mode="constant", power=2.0),
            bands=Mel(128),
            compress=Decibel(top_db=80.0),
        ),
        "librosa's feature.melspectrogram and power_to_db, with their defaults",
        note="top_db=80 looks at each clip's own peak; librosa.power_to_db looks at the whole array it is given.",
    ),
    "torchaudio": Preset(
        FrontEnd(
            sample_rate=16_000,
            stft=STFT(n_fft=400, hop_length=200, power=2.0),
            bands=Mel(128, mel_scale="htk", norm=None),
            compress=Decibel(),
        ),
        "torchaudio's MelSpectrogram and AmplitudeToDB, with their defaults",
        note="128 mel bands over 201 bins leave some bands without a bin: they are always at the floor, as in "
        "torchaudio.",
    ),
    "fastaudio": Preset(
        FrontEnd(
            sample_rate=16_000,
            level=StandardizeWaveform(),
            stft=STFT(n_fft=400, hop_length=200, power=2.0),
            bands=Linear(),
            compress=Decibel(),
        ),
        "fastaudio's BasicSpectrogram on 16 kHz audio: torchaudio's Spectrogram and decibels, waveform standardized",
        note="The waveform is standardized first, as the post that made this pipeline known has it, with ddof = 0.",
    ),
    "espnet": Preset(
        FrontEnd(
            sample_rate=16_000,
            stft=STFT(n_fft=512, hop_length=160, power=2.0),
            bands=Mel(80),
            compress=Ln(offset=0.0, amin=1e-10),
        ),
        "ESPnet 2's default frontend: Stft and LogMel, ln of mel power",
        note="GlobalMVN or UtteranceMVN follow; feats_stats.npz comes in with spectronorm import.",
    ),
    "nemo": Preset(
        FrontEnd(
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
        ),
        "NeMo's AudioToMelSpectrogramPreprocessor (FilterbankFeatures) without dither",
        note="Its usual per_feature normalization is PerClip(per='band', ddof=1, epsilon=1e-5, epsilon_of='std').",
    ),
}
