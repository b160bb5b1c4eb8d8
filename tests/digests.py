"""Digests of the tensors that saved profiles hold, for a test that no profile's integers ever change.

`python -m tests.digests PACKAGE > FILE` writes the digests that PACKAGE makes: `profiles_of_version_0_1.json` was made
with `specnorm`, as version 0.1 was called, in a checkout of it. Names and other words in the header do not count.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from safetensors.numpy import load_file

FOLDER = Path(__file__).parent
PRESETS = {
    "esc10": ("fastaudio", "logmel", "librosa", "kaldi", "whisper", "byol-a", "torchaudio overlap_save"),
    "fsdd": ("fastaudio", "logmel", "kaldi"),
    "made": ("fastaudio", "logmel", "librosa", "kaldi", "whisper", "byol-a", "torchaudio overlap_save"),
}
"""The front ends that each data set is measured with: presets, and with a second word another resampler."""


def front_end(package: Any, name: str) -> Any:
    """The front end of a name in `PRESETS`."""
    preset, *resampler = name.split()
    made = package.preset(preset)
    return replace(made, resampler=resampler[0]) if resampler else made


def digest(profile: Any) -> str:
    """SHA-256 over name, type, shape and bytes of every tensor in the profile's file, by name."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "profile.safetensors"
        profile.save(path)
        tensors = sorted(load_file(path).items())
    found = hashlib.sha256()
    for name, tensor in tensors:
        found.update(f"{name} {tensor.dtype} {tensor.shape}".encode())
        found.update(tensor.tobytes())
    return found.hexdigest()


def write_sounds(folder: Path, rate: int) -> Path:
    """A table of 10 clips in 2 folds made with integers alone, so that every machine writes the same samples.

    Noise of different loudness and colour that swells, a clip of silence, and one with silence in its middle.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = ["path,label,fold"]
    for index in range(10):
        noise = _integers(7000 + 911 * index, seed=index + 1)
        width = 1 + 3 * (index % 4)
        sums = np.cumsum(noise)
        coloured = sums[width:] - sums[:-width]
        swelling = coloured * (200 + np.arange(len(coloured)) % 2500) // (40 * width << index % 5)
        if index == 3:
            swelling[:] = 0
        if index == 6:
            swelling[2000:5000] = 0
        samples = np.clip(swelling, -32768, 32767).astype(np.int16)
        soundfile.write(folder / f"{index}.wav", samples, rate, subtype="PCM_16")
        rows.append(f"{index}.wav,{'ab'[index % 2]},{index % 2 + 1}")
    table = folder / "clips.csv"
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return table


def _integers(count: int, seed: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """`count` integers from -1024 to 1023, from a linear congruential generator."""
    state, found = seed, []
    for _ in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        found.append((state >> 21) - 1024)
    return np.array(found, dtype=np.int64)


def digests(package: Any, data: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Name and digest of the profile of one data set with each of its front ends; sounds made here go to `folder`."""
    for name in PRESETS[data]:
        with_bands = front_end(package, name)
        if data == "made":
            # At the front end's own rate no resampler works, but for the one that is ours.
            rate = with_bands.sample_rate * (2 if "overlap_save" in name else 1)
            source = write_sounds(folder / name, rate)
        else:
            source = Path(os.environ["SPECTRONORM_DATA"]) / data
        yield f"{data} {name}", digest(package.fit(source, with_bands, max_bad=0.5))


def main() -> None:
    """Print the digests of the package that is named, as JSON."""
    package = importlib.import_module(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        found = {key: value for data in PRESETS for key, value in digests(package, data, Path(folder))}
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
