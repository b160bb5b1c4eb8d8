"""Many small files without their bytes: links to the spoken digits, or to noises made on the spot."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import soundfile


def digits(scratch: Path) -> list[Path]:
    """The 3000 recordings of the Free Spoken Digit Dataset (`SPECTRONORM_DATA`), or 300 noises of such lengths."""
    folder = Path(os.environ.get("SPECTRONORM_DATA", "nowhere")) / "fsdd" / "recordings"
    if folder.is_dir():
        return sorted(folder.glob("*.wav"))
    generator = np.random.default_rng(0)
    scratch.mkdir(parents=True)
    for index in range(300):
        wave = 0.1 * generator.standard_normal(int(generator.uniform(0.15, 0.7) * 8000))
        soundfile.write(scratch / f"{index:03}.wav", wave, 8000)
    return sorted(scratch.glob("*.wav"))


def link(files: list[Path], folder: Path, count: int) -> Path:
    """A folder of `count` links to these files, a thousand in each folder below it."""
    for index in range(count):
        below = folder / f"{index // 1000:03}"
        below.mkdir(parents=True, exist_ok=True)
        target = files[index % len(files)]
        (below / f"{index:06}{target.suffix}").symlink_to(target)
    return folder
