"""Small labelled data sets with a known truth, and a model that trains on them in milliseconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from torch import Tensor, nn

import spectronorm as sn
from spectronorm.experiment import Design, Prepared, Training, labelled_clips, parse_arms, prepare

RATE, N_FFT = 1000, 64
FRONT_END = sn.FrontEnd(
    sample_rate=RATE,
    stft=sn.STFT(n_fft=N_FFT, hop_length=32, center=False, window="boxcar"),
    bands=sn.Linear(drop_nyquist=True),
    compress=sn.Decibel(floor_db=-40.0),
)
LINEAR = "tests.experiment_cases:linear"
_BINS = np.arange(N_FFT // 2)


class MeanThenLinear(nn.Module):
    """The mean over frames, then one linear layer: no BatchNorm, so that the input's scale matters."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.head = nn.Linear(N_FFT // 2, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x.mean(dim=3)[:, 0])


def linear(classes: int) -> nn.Module:
    return MeanThenLinear(classes)


def wrong_size(classes: int) -> nn.Module:
    return MeanThenLinear(classes + 1)


def write_clips(
    folder: Path, *, drowned: bool, seed: int, clips: int = 90, folds: int = 3, swell_db: float = 0.0
) -> Path:
    """Sounds with one sine in each band, whose classes differ by a little up and down in alternating bands.

    A rectangular window keeps each sine in its band. Drowned, every third band swings by 14 dB and says nothing, the
    others by 1 dB: a global scale makes their pattern a hundredth of a deviation. Otherwise all bands are alike.

    Each sine fits its frames a whole number of times: all frames of a clip are equal but for rounding. With `swell_db`
    each grows or fades by up to that much over the clip, and no two frames are alike.
    """
    generator = np.random.default_rng(seed)
    time = np.arange(256) / RATE
    spread = np.where(np.arange(len(_BINS)) % 3 == 0, 14.0, 1.0) if drowned else np.full(len(_BINS), 4.0)
    pattern = np.where(np.arange(len(_BINS)) % 2 == 0, 0.5, -0.5) * (1.0 if drowned else 2.0)
    pattern[spread > 10] = 0.0
    rows = ["path,label,fold,recording"]
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(clips):
        label = int(generator.integers(2)) if index >= 4 * folds else (index // folds) % 2
        level = -36.0 + spread * generator.standard_normal(len(_BINS)) + pattern * (1 if label else -1)
        phase = generator.uniform(0, 2 * np.pi, len(_BINS))
        phase[0] = 0.0  # a constant
        sines = np.cos(2 * np.pi * _BINS[:, None] * RATE / N_FFT * time + phase[:, None])
        if swell_db:
            slope = generator.uniform(-swell_db, swell_db, (len(_BINS), 1))
            sines *= 10 ** (slope * (time * RATE / len(time) - 0.5) / 20)
        soundfile.write(folder / f"{index:03d}.wav", 10 ** (level / 20) @ sines, RATE, subtype="FLOAT")
        rows.append(f"{index:03d}.wav,{'up' if label else 'down'},{index % folds + 1},r{index}")
    (folder / "clips.csv").write_text("\n".join(rows) + "\n")
    return folder / "clips.csv"


def prepared(table: Path, folder: Path, arms: str = "global,band", **settings: object) -> Prepared:
    """A comparison of these arms on this table, ready to run."""
    seeds, shifts = int(str(settings.pop("seeds", 1))), settings.pop("shifts", ())
    train_on = str(settings.pop("train_on", ""))
    training = Training(**{"model": LINEAR, "epochs": 6, "batch_size": 20, "learning_rate": 0.02, **settings})
    design = Design(parse_arms(arms, FRONT_END), training, seeds, "", shifts, train_on)
    return prepare(labelled_clips(sn.open_source(table)), design, folder)
