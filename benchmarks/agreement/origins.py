"""The origins themselves: each runs the system that a preset comes from on one wave.

An origin that does not install here is a stored output instead (see `store`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.agreement.sounds import Wave

Level = NDArray[np.floating[Any]]
STORED = Path(__file__).parent / "stored"


@dataclass(frozen=True)
class Origin:
    """What a preset is compared with.

    Attributes:
        run: A wave `(sample,)` at the preset's rate to the origin's own result, as `(band, frame)`.
        package: The package that runs, with its version.
        arithmetic: The precision that it computes in.
        published: Whether its result is normalized, as `spectronorm.published` is.
    """

    run: Callable[[Wave], Any]
    package: str
    arithmetic: str
    published: bool = False


def _librosa(wave: Wave) -> Any:
    import librosa  # noqa: PLC0415

    return librosa.power_to_db(librosa.feature.melspectrogram(y=wave, sr=22_050))


def _logmel(wave: Wave) -> Any:
    import librosa  # noqa: PLC0415

    mels = librosa.feature.melspectrogram(y=wave, sr=22_050, n_mels=128, n_fft=1024, hop_length=512)
    return np.log(mels + 1e-9)


def _kaldi(wave: Wave) -> Any:
    import kaldi_native_fbank  # noqa: PLC0415

    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0.0
    fbank = kaldi_native_fbank.OnlineFbank(options)
    fbank.accept_waveform(16_000, (wave * 32768.0).tolist())
    fbank.input_finished()
    return np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)], axis=1)


def _ast(wave: Wave) -> Any:
    from transformers import ASTFeatureExtractor  # noqa: PLC0415

    return ASTFeatureExtractor()(wave, sampling_rate=16_000, return_tensors="np")["input_values"][0].T


def _whisper(wave: Wave) -> Any:
    from transformers import WhisperFeatureExtractor  # noqa: PLC0415

    extractor = WhisperFeatureExtractor()
    return extractor(wave, sampling_rate=16_000, return_tensors="np")["input_features"][0]


def _panns(wave: Wave) -> Any:
    import torch  # noqa: PLC0415
    from torchlibrosa.stft import LogmelFilterBank, Spectrogram  # noqa: PLC0415

    spectrogram = Spectrogram(n_fft=1024, hop_length=320, win_length=1024, window="hann", pad_mode="reflect")
    logmel = LogmelFilterBank(sr=32_000, n_fft=1024, n_mels=64, fmin=50, fmax=14_000, ref=1.0, amin=1e-10, top_db=None)
    with torch.no_grad():
        return logmel(spectrogram(torch.from_numpy(wave)[None]))[0, 0].numpy().T


def _vggish(wave: Wave) -> Any:
    from torchvggish import mel_features, vggish_params  # noqa: PLC0415

    return mel_features.log_mel_spectrogram(
        wave,
        audio_sample_rate=vggish_params.SAMPLE_RATE,
        log_offset=vggish_params.LOG_OFFSET,
        window_length_secs=vggish_params.STFT_WINDOW_LENGTH_SECONDS,
        hop_length_secs=vggish_params.STFT_HOP_LENGTH_SECONDS,
        num_mel_bins=vggish_params.NUM_MEL_BINS,
        lower_edge_hertz=vggish_params.MEL_MIN_HZ,
        upper_edge_hertz=vggish_params.MEL_MAX_HZ,
    ).T


def _byol_a(wave: Wave) -> Any:
    import torch  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from nnAudio.features.mel import MelSpectrogram  # noqa: PLC0415

        to_mel = MelSpectrogram(
            sr=16_000, n_fft=1024, win_length=1024, hop_length=160, n_mels=64, fmin=60, fmax=7800, verbose=False
        )
    with torch.no_grad():
        mel = to_mel(torch.from_numpy(wave))
    return (mel + torch.finfo().eps).log()[0].numpy()


def running() -> Mapping[str, Origin]:
    """The origins that run wherever the tests' requirements are installed."""
    librosa, transformers = f"librosa {version('librosa')}", f"transformers {version('transformers')}"
    return {
        "ast": Origin(_ast, f"{transformers}, ASTFeatureExtractor without torchaudio", "float64", published=True),
        "byol-a": Origin(_byol_a, f"nnAudio {version('nnAudio')}, MelSpectrogram", "float32"),
        "kaldi": Origin(_kaldi, f"kaldi-native-fbank {version('kaldi-native-fbank')}", "float32"),
        "librosa": Origin(_librosa, librosa, "float32"),
        "logmel": Origin(_logmel, librosa, "float32"),
        "panns": Origin(_panns, f"torchlibrosa {version('torchlibrosa')}", "float32"),
        "vggish": Origin(_vggish, f"torchvggish {version('torchvggish')}, mel_features", "float64"),
        "whisper": Origin(_whisper, f"{transformers}, WhisperFeatureExtractor", "float32", published=True),
    }
