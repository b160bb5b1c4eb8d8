"""Planted faults that an inspection finds, and what it lists among clips that nothing was planted into.

Four clips of ESC-10 for each of ten kinds get a fault, and all 400 are inspected with the default limits; five times,
each with other clips. Run as `python -m benchmarks.bench_cleaning [FOLDER]`, by default `$SPECTRONORM_DATA/esc10`.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile

import spectronorm as sn
from benchmarks.measure import Figure, report
from benchmarks.planted_faults import DEGREES, FAULTS
from spectronorm.cleaning import Inspected, Oddity

MOST_OTHERS = 5.0
DRAWS = 5
Kinds = dict[str, set[Oddity]]


def main() -> None:
    """Plant, inspect, print and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", default=Path(os.environ.get("SPECTRONORM_DATA", ""), "esc10"), type=Path)
    options = parser.parse_args()
    began = time.process_time()
    kinds, planted = [], []
    for seed in range(DRAWS):
        with tempfile.TemporaryDirectory() as folder:
            planted.append(plant(options.folder, Path(folder), seed))
            kinds.append(kinds_of(sn.cleaning.inspect(folder, engine=sn.engines.ThreadEngine(1))))
    clips = sum(map(len, kinds))
    figures = scores(kinds, planted)
    figures.append(
        Figure("processor time for each clip", 1e3 * (time.process_time() - began) / clips, "ms", "-", met=True)
    )
    report("Planted faults found by spectronorm inspect", figures, {"clips": clips, "draws": DRAWS}, "cleaning")


def plant(source: Path, folder: Path, seed: int = 0) -> dict[str, tuple[str, Oddity]]:
    """Fill a folder with the clips of a source, four with each fault; gives fault and true kind by name."""
    clips = sn.open_source(source).clips
    chosen = np.random.default_rng(seed).permutation(len(clips))[: DEGREES * len(FAULTS)].reshape(len(FAULTS), DEGREES)
    planted = {}
    for (fault, make), numbers in zip(FAULTS.items(), chosen, strict=True):
        for degree, number in enumerate(numbers.tolist()):
            wave, rate = soundfile.read(clips[number].path)
            made = make(wave, rate, degree)
            name = f"{clips[number].path.stem}.wav"
            soundfile.write(folder / name, made.samples, made.sample_rate, subtype="PCM_16")
            planted[name] = fault, made.kind
    faulty = set(chosen.ravel().tolist())
    for number, clip in enumerate(clips):
        if number not in faulty:
            (folder / clip.path.name).symlink_to(clip.path.absolute())
    return planted


def kinds_of(found: Inspected) -> Kinds:
    """The kinds of oddities of each clip, by its name."""
    kinds: Kinds = {clip.name: set() for clip in found.source}
    for one in found.found:
        kinds[one.clip].add(one.kind)
    return kinds


def scores(kinds: Sequence[Kinds], planted: Sequence[Mapping[str, tuple[str, Oddity]]]) -> list[Figure]:
    """Share of planted faults found by kind of fault, and share of other clips listed by kind, in %."""
    hits: dict[str, list[bool]] = defaultdict(list)
    others: list[set[Oddity]] = []
    for found, truth in zip(kinds, planted, strict=True):
        for name, (fault, kind) in truth.items():
            hits[fault].append(kind in found[name])
        others += [some for name, some in found.items() if name not in truth]
    figures = [_found(fault, 100.0 * float(np.mean(each))) for fault, each in hits.items()]
    for kind in (one for one in Oddity if one is not Oddity.UNREADABLE):
        share = 100.0 * float(np.mean([kind in some for some in others]))
        figures.append(
            Figure(f"others listed as {kind.value}", share, "%", f"<= {MOST_OTHERS:g}", share <= MOST_OTHERS)
        )
    return figures


def _found(fault: str, share: float) -> Figure:
    return Figure(f"{fault}: planted faults found", share, "%", "100", share == 100.0)


if __name__ == "__main__":
    main()
