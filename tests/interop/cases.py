"""Samples of each statistics format, made by its origin or in its documented form, and the origin's formula."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import spectronorm as sn

SAMPLES = Path(__file__).parent / "samples"
BANDS = 8
COUNT = 4976

SUMS = np.array(
    [
        *(55337.73654545794, 63731.66108345682, 67663.01024541039, 68738.21587157607),
        *(67537.08334957958, 66836.70379748823, 64076.468137171534, 62036.56077970051),
    ]
)
SQUARES = np.array(
    [
        *(1465281.1926263433, 1748092.6626425423, 1902483.9312214316, 1956992.1664819776),
        *(1906087.787141364, 1893773.114658073, 1787624.081484418, 1725211.3679629546),
    ]
)
MEAN = SUMS / COUNT
STD = np.sqrt(SQUARES / COUNT - MEAN**2)


@dataclass(frozen=True)
class Sample:
    """A file, its format, and the numbers that its origin applies: `(x - mean) / divisor`."""

    file: str
    format: str
    mean: NDArray[np.float64]
    divisor: NDArray[np.float64]
    key: str | None = None

    @property
    def path(self) -> Path:
        return SAMPLES / self.file


_AST = np.array([12.961149512907985]), np.array([2 * 13.906180370816804])
_ICEFALL = np.array([12.961149512907985]), np.array([13.906180370816804])

SAMPLE_FILES = [
    Sample("hf_ast/preprocessor_config.json", "hf", *_AST),
    Sample("hf_gemma3n/preprocessor_config.json", "hf", MEAN, STD),
    Sample("kaldi/global_cmvn.txt", "kaldi", MEAN, STD),
    Sample("kaldi/global_cmvn", "kaldi", MEAN, STD),
    Sample("wenet/global_cmvn", "wenet", MEAN, STD),
    Sample("paddlespeech/mean_std.json", "wenet", MEAN, STD),
    Sample("espnet/feats_stats.npz", "espnet", MEAN, STD),
    Sample("espnet/kaldi_like.npy", "espnet", MEAN, STD),
    Sample("torchaudio/global_stats.json", "torchaudio", MEAN, STD),
    Sample("speechbrain/normalizer.ckpt", "speechbrain", MEAN, STD),
    Sample("speechbrain/normalizer_old.ckpt", "speechbrain", MEAN, STD),
    Sample("lhotse/global_mvn.pt", "lhotse", MEAN, STD),
    Sample("lhotse/mvn_stats.pkl", "lhotse", MEAN, STD),
    Sample("funasr/am.mvn", "funasr", MEAN, STD),
    Sample("sherpa/metadata.onnx", "sherpa", MEAN, STD),
    Sample("keras/ours.keras", "keras", MEAN, STD),
    Sample("keras/model.keras", "keras", MEAN, STD),
    Sample("sklearn/ours.skops", "sklearn", MEAN, STD),
    Sample("sklearn/scaler_float.skops", "sklearn", MEAN, STD),
    Sample("icefall/cmvn.json", "json", *_ICEFALL),
    Sample("stats.npy", "npy", MEAN, STD),
    Sample("nemo.yaml", "nemo", MEAN, STD),
    Sample("nemo_block.yaml", "nemo", MEAN, STD),
    Sample("mean_std.npz", "npz", MEAN, STD),
    Sample("transform.py.txt", "torchvision", MEAN, STD),
]


def front_end(sample: Sample) -> sn.FrontEnd:
    """A front end with the bands that the file is for: AST's has 128, the others 8."""
    bands = 128 if sample.file.startswith("hf_ast") else BANDS
    return sn.FrontEnd(16_000, bands=sn.Mel(bands))


def levels(bands: int, frames: int = 40) -> NDArray[np.float64]:
    """Levels `(band, frame)` in the range of the samples."""
    return np.random.default_rng(1).uniform(-16.0, 30.0, (bands, frames))
