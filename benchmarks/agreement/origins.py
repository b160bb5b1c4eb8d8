"""The origins themselves: each runs the system that a preset comes from on one wave.

An origin that does not install here is a stored output instead (see `store`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
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


def _seamless(wave: Wave) -> Any:
    from transformers import SeamlessM4TFeatureExtractor  # noqa: PLC0415

    return SeamlessM4TFeatureExtractor()._extract_fbank_features(wave).T


def _kaldi_with(n_mels: int, window: str, scale: float, wave: Wave) -> Any:
    import kaldi_native_fbank  # noqa: PLC0415

    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0.0
    options.frame_opts.window_type = window
    options.mel_opts.num_bins = n_mels
    fbank = kaldi_native_fbank.OnlineFbank(options)
    fbank.accept_waveform(16_000, (wave * scale).tolist())
    fbank.input_finished()
    return np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)], axis=1)


def _lhotse(wave: Wave) -> Any:
    """Lhotse's default: Kaldi's fbank without snipped edges, to 400 Hz below the highest frequency."""
    import kaldi_native_fbank  # noqa: PLC0415

    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither, options.frame_opts.snip_edges = 0.0, False
    options.mel_opts.num_bins, options.mel_opts.high_freq = 80, -400.0
    fbank = kaldi_native_fbank.OnlineFbank(options)
    fbank.accept_waveform(16_000, wave.tolist())
    fbank.input_finished()
    return np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)], axis=1)


def _fbank_128(wave: Any, window: str) -> Any:
    """Kaldi's fbank with 128 bands, some of them without a bin, which kaldi-native-fbank refuses."""
    from transformers.audio_utils import mel_filter_bank, spectrogram, window_function  # noqa: PLC0415

    filters = mel_filter_bank(257, 128, 20, 8000, 16_000, None, "kaldi", triangularize_in_mel_space=True)
    return spectrogram(
        wave,
        window_function(400, window, periodic=False),
        frame_length=400,
        hop_length=160,
        fft_length=512,
        power=2.0,
        center=False,
        preemphasis=0.97,
        mel_filters=filters,
        log_mel="log",
        mel_floor=2.0**-23,
        remove_dc_offset=True,
        dtype=np.float64,
    )


def _beats(wave: Wave) -> Any:
    return (_fbank_128(wave.astype(np.float64) * 2.0**15, "povey") - 15.41663) / (2 * 6.55582)


def _eat(wave: Wave) -> Any:
    return (_fbank_128(wave.astype(np.float64), "hann") - -4.268) / (2 * 4.569)


def _gemma3n(wave: Wave) -> Any:
    from transformers import Gemma3nAudioFeatureExtractor  # noqa: PLC0415

    mask = np.ones(len(wave), dtype=np.int64)
    return Gemma3nAudioFeatureExtractor()._extract_spectrogram(wave[None], mask)[0].T


def _clap(wave: Wave) -> Any:
    from transformers import ClapFeatureExtractor  # noqa: PLC0415

    extractor = ClapFeatureExtractor()
    return extractor._np_extract_fbank_features(wave.astype(np.float64), extractor.mel_filters_slaney).T


def _speecht5(wave: Wave) -> Any:
    from transformers import SpeechT5FeatureExtractor  # noqa: PLC0415

    return SpeechT5FeatureExtractor()._extract_mel_features(wave).T


def _mel_of(wave: Any, rate: int, bands: int, *, f_max: float | None = None, squared: bool, **stft: Any) -> Any:
    """Mel bands by torch.stft and librosa's filters, as ESPnet, NeMo and HiFi-GAN compute them."""
    import librosa  # noqa: PLC0415
    import torch  # noqa: PLC0415

    z = torch.stft(torch.as_tensor(wave), return_complex=True, **stft)
    power = z.real**2 + z.imag**2
    values = power if squared else torch.sqrt(power + 1e-9)
    filters = librosa.filters.mel(sr=rate, n_fft=stft["n_fft"], n_mels=bands, fmin=0, fmax=f_max)
    return torch.from_numpy(filters) @ values


def _espnet(wave: Wave) -> Any:
    import torch  # noqa: PLC0415

    mel = _mel_of(wave, 16_000, 80, squared=True, n_fft=512, hop_length=160, window=torch.hann_window(512))
    return mel.clamp(min=1e-10).log().numpy()


def _nemo(wave: Wave) -> Any:
    import torch  # noqa: PLC0415

    emphasized = np.concatenate([wave[:1], wave[1:] - np.float32(0.97) * wave[:-1]])
    window = torch.hann_window(400, periodic=False)
    stft: dict[str, Any] = {
        "n_fft": 512,
        "hop_length": 160,
        "win_length": 400,
        "window": window,
        "pad_mode": "constant",
    }
    mel = _mel_of(emphasized, 16_000, 80, squared=True, **stft)
    return (mel + 2.0**-24).log().numpy()[:, : len(wave) // 160]


def _hifigan(wave: Wave) -> Any:
    import torch  # noqa: PLC0415

    padded = torch.nn.functional.pad(torch.from_numpy(wave)[None], (384, 384), mode="reflect")[0]
    stft: dict[str, Any] = {"n_fft": 1024, "hop_length": 256, "window": torch.hann_window(1024), "center": False}
    mel = _mel_of(padded, 22_050, 80, f_max=8000, squared=False, **stft)
    return mel.clamp(min=1e-5).log().numpy()


def running() -> Mapping[str, Origin]:
    """The origins that run wherever the tests' requirements are installed."""
    librosa, transformers = f"librosa {version('librosa')}", f"transformers {version('transformers')}"
    kaldi = f"kaldi-native-fbank {version('kaldi-native-fbank')}"
    by_formula = f"its formula, by torch {version('torch')} and {librosa}"
    return {
        "ast": Origin(_ast, f"{transformers}, ASTFeatureExtractor without torchaudio", "float64", published=True),
        "beats": Origin(_beats, f"{transformers}, audio_utils.spectrogram, BEATs' numbers", "float64", published=True),
        "clap": Origin(_clap, f"{transformers}, ClapFeatureExtractor", "float64, given as float32"),
        "eat": Origin(_eat, f"{transformers}, audio_utils.spectrogram, EAT's numbers", "float64", published=True),
        "espnet": Origin(_espnet, by_formula, "float32"),
        "funasr": Origin(partial(_kaldi_with, 80, "hamming", 32768.0), kaldi, "float32"),
        "lhotse": Origin(_lhotse, f"{kaldi}, snip_edges=False", "float32"),
        "gemma3n": Origin(_gemma3n, f"{transformers}, Gemma3nAudioFeatureExtractor", "float32"),
        "hifigan": Origin(_hifigan, by_formula, "float32"),
        "nemo": Origin(_nemo, by_formula, "float32"),
        "seamless": Origin(_seamless, f"{transformers}, SeamlessM4TFeatureExtractor", "float32"),
        "speecht5": Origin(_speecht5, f"{transformers}, SpeechT5FeatureExtractor", "float32"),
        "wenet": Origin(partial(_kaldi_with, 80, "povey", 32768.0), kaldi, "float32"),
        "byol-a": Origin(_byol_a, f"nnAudio {version('nnAudio')}, MelSpectrogram", "float32"),
        "kaldi": Origin(_kaldi, f"kaldi-native-fbank {version('kaldi-native-fbank')}", "float32"),
        "librosa": Origin(_librosa, librosa, "float32"),
        "logmel": Origin(_logmel, librosa, "float32"),
        "panns": Origin(_panns, f"torchlibrosa {version('torchlibrosa')}", "float32"),
        "vggish": Origin(_vggish, f"torchvggish {version('torchvggish')}, mel_features", "float64"),
        "whisper": Origin(_whisper, f"{transformers}, WhisperFeatureExtractor", "float32", published=True),
    }
