"""Clips and a training that take a second: low and high tones, and networks of width 8."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from spectronorm.front_end import STFT, Decibel, FrontEnd, Mel
from spectronorm.gan.prepare import GanDesign, prepare_gan
from spectronorm.gan.run import train_gan
from spectronorm.gan.training import GanTraining
from spectronorm.gan.training_source import TrainingSource

SIZE = 16
FRONT_END = FrontEnd(
    sample_rate=8_000, stft=STFT(n_fft=256, hop_length=128), bands=Mel(SIZE), compress=Decibel(floor_db=-80.0)
)
SAMPLES = 15 * 128
FRONT_END_OPTIONS = ["--sample-rate", "8000", "--n-fft", "256", "--hop-length", "128", "--n-mels", str(SIZE)]


def write_clips(folder: Path, each: int = 12, samples: int = SAMPLES) -> Path:
    """Low and high tones in noise, with a table that holds some of them out."""
    rng, rows = np.random.default_rng(0), ["path,label,split"]
    folder.mkdir(parents=True)
    for label, cycles in (("low", 0.05), ("high", 0.35)):
        for number in range(each):
            phase = 2 * np.pi * (cycles * np.arange(samples) + rng.random())
            wave = rng.uniform(0.1, 0.5) * np.sin(phase) + 0.01 * rng.standard_normal(samples)
            soundfile.write(folder / f"{label}{number}.wav", wave, 8_000)
            rows.append(f"{label}{number}.wav,{label},{'test' if number % 3 == 0 else 'train'}")
    (folder / "clips.csv").write_text("\n".join(rows) + "\n")
    return folder / "clips.csv"


def origin_of(clips: Path) -> TrainingSource:
    """Those clips, the test ones held out."""
    return TrainingSource(str(clips), (("split", "test"),))


def design(**settings: object) -> GanDesign:
    """A small design with these settings of its training."""
    training = GanTraining(batch_size=4, device="cpu", **settings)
    return GanDesign(size=SIZE, width=8, latent=8, conditional=True, training=training)


def train(clips: Path, folder: Path) -> Path:
    """The folder of four steps of training."""
    prepared = prepare_gan(origin_of(clips), FRONT_END, design())
    assert [line.step for line in train_gan(prepared, folder, 4, every=2)] == [2, 4]
    return folder
