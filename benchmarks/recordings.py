"""Speech and noise to measure on: made by espeak-ng, and real recordings where SPECTRONORM_DATA has them."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from spectronorm.audio import read

Wave = NDArray[np.float32]

# The first Harvard sentences (IEEE 1969, Recommended Practice for Speech Quality Measurements).
_SENTENCES = (
    "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background.",
    "It is easy to tell the depth of a well. These days a chicken leg is a rare dish.",
    "Rice is often served in round bowls. The juice of lemons makes fine punch.",
    "The box was thrown beside the parked truck. The hogs were fed chopped corn and garbage.",
    "Four hours of steady work faced us. A large size in stockings is hard to sell.",
    "The boy was there when the sun rose. A rod is used to catch pink salmon.",
)
_VOICES = (
    "en-us",
    "en-gb",
    "en-us+f4",
    "en-us+m7",
    "en-gb-scotland+f1",
    "en-us+klatt2",
    "en-gb+klatt4",
    "en-us+f2",
    "en-gb+m3",
    "en-us+croak",
    "en-us+klatt6",
    "en-gb+f5",
)


def espeak_clips(sample_rate: int = 16_000) -> dict[str, Wave]:
    """Twelve clips of 4 to 5 s, one a voice; empty when espeak-ng is not installed."""
    program = shutil.which("espeak-ng")
    if program is None:
        return {}
    clips = {}
    for number, voice in enumerate(_VOICES):
        text = _SENTENCES[number % len(_SENTENCES)]
        made = subprocess.run([program, "-v", voice, "--stdout", text], check=True, capture_output=True).stdout
        wave, rate = soundfile.read(io.BytesIO(made), dtype="float32")
        clips[voice] = np.asarray(soxr.resample(wave, rate, sample_rate, quality="VHQ"))
    return clips


def data() -> Path | None:
    """The folder with real recordings, if there is one."""
    folder = os.environ.get("SPECTRONORM_DATA")
    return Path(folder) if folder else None


def spoken_digits() -> dict[str, Wave]:
    """Twelve strings of ten spoken digits at 8 kHz, two a speaker, joined from the Free Spoken Digit Dataset."""
    folder = data()
    if folder is None:
        return {}
    takes: dict[str, list[Path]] = defaultdict(list)
    for path in sorted((folder / "fsdd" / "recordings").glob("*.wav")):
        takes[path.stem.split("_")[1]].append(path)
    clips = {}
    for speaker, paths in takes.items():
        for index in (3, 17):
            chosen = [path for path in paths if path.stem.endswith(f"_{index}")]
            clips[f"{speaker}-{index}"] = np.concatenate([read(path, 8_000) for path in chosen])
    return clips


def field_recordings(sample_rate: int = 16_000) -> dict[str, Wave]:
    """Ten clips of ESC-10, one a class."""
    folder = data()
    if folder is None:
        return {}
    first: dict[str, Path] = {}
    for path in sorted((folder / "esc10" / "audio").glob("*.ogg")):
        first.setdefault(path.stem.rsplit("-", 1)[1], path)
    return {path.stem: read(path, sample_rate) for path in first.values()}
