"""Near copies that an inspection finds, and pairs that nobody planted: `python -m benchmarks.bench_near_copies`.

Every clip of ESC-10, and every tenth spoken digit, gets one near copy, of six kinds in turn. Pairs without a planted
copy are printed, for ears to judge.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import soundfile

import spectronorm as sn
from benchmarks.copied import COPIES
from benchmarks.measure import Figure, report

DATA = Path(os.environ.get("SPECTRONORM_DATA", ""))
SOURCES = {"ESC-10": (DATA / "esc10" / "audio", 1), "digits": (DATA / "fsdd" / "recordings", 10)}


def main() -> None:
    """Copy, inspect, print and report."""
    figures = []
    for name, (folder, step) in SOURCES.items():
        with tempfile.TemporaryDirectory() as copied:
            planted = copy(folder, Path(copied), step)
            began = time.process_time()
            found = sn.cleaning.inspect(copied, kinds=["near-copy"], engine=sn.engines.ThreadEngine(1))
            milliseconds = 1e3 * (time.process_time() - began) / len(found.source)
        pairs = {frozenset((pair.first, pair.second)): pair for pair in found.near_copies}
        hits: dict[str, list[bool]] = defaultdict(list)
        for original, (copy_name, kind) in planted.items():
            hits[kind].append(frozenset((original, copy_name)) in pairs)
        figures += [Figure(f"{name}: {kind}", 100 * float(np.mean(h)), "%", "100", all(h)) for kind, h in hits.items()]
        others = [pair for pair in found.near_copies if stem(pair.first) != stem(pair.second)]
        for pair in others:
            print(f"{name}: {pair.first} and {pair.second}: {pair.detail}")
        figures.append(Figure(f"{name}: other pairs, listed above", len(others), "pairs", "-", met=True))
        figures.append(Figure(f"{name}: processor time for each clip", milliseconds, "ms", "-", met=True))
    report("Near copies found by spectronorm inspect", figures, {}, "near_copies")


def stem(name: str) -> str:
    """The name of the clip that a file is, or is a copy of."""
    return name.rsplit(".", 1)[0].removesuffix("+copy")


def copy(folder: Path, target: Path, step: int) -> dict[str, tuple[str, str]]:
    """Link every clip of a folder, and copy every `step`-th; gives each copy and its kind by the original's name."""
    kinds = list(COPIES)
    planted = {}
    for number, clip in enumerate(sn.open_source(folder)):
        (target / clip.path.name).symlink_to(clip.path.absolute())
        if number % step == 0:
            kind = kinds[number // step % len(kinds)]
            wave, rate = soundfile.read(clip.path)
            name = f"{clip.path.stem}+copy.wav"
            soundfile.write(target / name, *COPIES[kind](wave, rate))
            planted[clip.path.name] = name, kind
    return planted


if __name__ == "__main__":
    main()
