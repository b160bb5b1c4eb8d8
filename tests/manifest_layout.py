"""Recordings for the sample manifests: laid out as each manifest expects them, from a seed."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import soundfile

SAMPLES = Path(__file__).parent / "samples" / "manifests"
RATE = 16_000


def tone(seconds: float, channels: int = 1, frequency: float = 300.0) -> np.ndarray:  # type: ignore[type-arg]
    """A tone that rises, so that each section of it differs from the others, at another level in each channel."""
    t = np.arange(round(seconds * RATE)) / RATE
    wave = 0.4 * np.sin(2 * np.pi * frequency * t * (1 + t / 30))
    return wave if channels == 1 else np.stack([wave / (channel + 1) for channel in range(channels)], axis=1)


def write(path: Path, seconds: float, channels: int = 1, frequency: float = 300.0) -> None:
    """A file of 16 bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    soundfile.write(buffer, tone(seconds, channels, frequency), RATE, format=path.suffix[1:].upper())
    path.write_bytes(buffer.getvalue())


def lay_out(root: Path) -> Path:
    """Write every sample manifest with its recordings below a folder, one subfolder for each kind."""
    for number in range(3):
        for kind in ("nemo", "speechbrain", "lhotse/srcs"):
            write(root / kind / "folder" / "cat" / f"{number}.wav", 1, frequency=300 + 50 * number)
        write(root / "cv" / "clips" / f"common_voice_en_{number}.mp3", 1, frequency=300 + 50 * number)
    for number in range(4):
        write(root / "audiofolder" / f"{number}.wav", 1, frequency=300 + 50 * number)
    write(root / "lhotse" / "srcs" / "raven" / "site1.wav", 20)
    write(root / "lhotse" / "srcs" / "stereo.wav", 1, channels=2)
    write(root / "kaldi" / "rec1.wav", 5)
    write(root / "kaldi" / "rec2.flac", 5, frequency=500)
    write(root / "raven" / "site1.wav", 20, channels=2)
    write(root / "audacity" / "audacity_labels.wav", 10)
    places = {
        "nemo": ["nemo.jsonl"],
        "speechbrain": ["speechbrain.csv", "speechbrain.json"],
        "lhotse": ["lhotse_cuts.jsonl.gz", "lhotse_recordings.jsonl.gz"],
        "kaldi": ["wav.scp", "segments", "utt2spk"],
        "raven": ["site1.Table.1.selections.txt", "site1.BirdNET.selection.table.txt"],
        "audacity": ["audacity_labels.txt"],
    }
    for kind, names in places.items():
        for name in names:
            shutil.copy(SAMPLES / name, root / kind)
    shutil.copy(SAMPLES / "common_voice.tsv", root / "cv" / "train.tsv")
    shutil.copy(SAMPLES / "audiofolder_metadata.csv", root / "audiofolder" / "metadata.csv")
    shutil.copytree(SAMPLES / "shar", root / "shar")
    (root / "webdataset").mkdir()
    shutil.copy(SAMPLES / "webdataset-000000.tar", root / "webdataset")
    return root
