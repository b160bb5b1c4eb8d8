"""What monitoring costs beside the front end and beside reading, and that its memory does not grow.

Run with `python -m benchmarks.bench_monitor`. The sounds are the demo's.
"""

from __future__ import annotations

import resource
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import specnorm as sn
from benchmarks.measure import Figure, alternate, ratio, report
from specnorm.demo.dataset import make_dataset
from specnorm.monitor import Monitor
from specnorm.nn import Monitored, Preprocess
from specnorm.profile import Counter

Wave = NDArray[Any]
ROUNDS = 15
FRONT_ENDS = {
    "fastaudio": sn.preset("fastaudio"),
    "log-mel": sn.FrontEnd(16_000, stft=sn.STFT(1024, hop_length=512), bands=sn.Mel(64)),
}


def measure_cost(name: str, folder: Path) -> list[Figure]:
    """A clip beside its front end, in a torch pipeline that looks at one in twenty, and beside reading its file."""
    front_end = FRONT_ENDS[name]
    profile = sn.fit(folder, front_end, max_bad=0.05, engine=sn.LocalEngine(1))
    paths, waves = [], []
    for clip in sn.open_source(folder):
        try:
            waves.append(sn.read(clip.path, front_end.sample_rate))
        except sn.AudioError:
            continue
        paths.append(clip.path)
    levels = [front_end.clip_level(wave) for wave in waves]
    monitor = Monitor(profile, threshold=5.0)
    plain = Preprocess(sn.Pipeline(front_end, sn.Standardize().fit(profile)))
    watched = Monitored(plain, Monitor(profile, threshold=5.0), every=20)
    tensors = [torch.from_numpy(wave)[None] for wave in waves]
    jobs: dict[str, Callable[[], object]] = {
        "front end": lambda: [front_end.clip_level(wave) for wave in waves],
        "monitor": lambda: [monitor.add(w, level=x) for w, x in zip(waves, levels, strict=True)],
        "preprocess": lambda: [plain(wave) for wave in tensors],
        "monitored": lambda: [watched(wave) for wave in tensors],
        "read and front end": lambda: [front_end.clip_level(sn.read(path, front_end.sample_rate)) for path in paths],
    }
    seconds = alternate(jobs, ROUNDS)
    every = ratio(seconds, "monitor", "front end")
    part = ratio(seconds, "monitored", "preprocess") - 1.0
    reading = ratio(seconds, "monitor", "read and front end")
    return [
        Figure(f"{name}: one clip in twenty, added to Preprocess", part, "x", "<= 0.10", part <= 0.10),
        Figure(f"{name}: every clip / reading and front end", reading, "x", "<= 0.25", reading <= 0.25),
        Figure(f"{name}: every clip / front end alone", every, "x", "<= 1", every <= 1),
    ]


def measure_memory() -> Figure:
    """Bytes that a monitor grows by from 1e5 to 1e6 frames."""
    front_end = FRONT_ENDS["log-mel"]
    generator = np.random.default_rng(0)
    waves = [generator.standard_normal(80_000).astype(np.float32) * 0.1 for _ in range(40)]
    profile = _profile_of(front_end, waves)
    monitor = Monitor(profile, threshold=5.0)
    tracemalloc.start()
    sizes = []
    for frames in (100_000, 1_000_000):
        while monitor.clips * front_end.frames(80_000) < frames:
            monitor.add(waves[monitor.clips % len(waves)])
        sizes.append(tracemalloc.get_traced_memory()[0] / 1e6)
    tracemalloc.stop()
    print(
        f"  held after 1e5 and 1e6 frames: {sizes[0]:.1f} and {sizes[1]:.1f} MB; peak of the process "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
    )
    grown = sizes[1] - sizes[0]
    return Figure("memory grown from 1e5 to 1e6 frames", grown, "MB", "< 1", grown < 1)


def _profile_of(front_end: sn.FrontEnd, waves: list[Wave]) -> sn.Profile:
    counter = Counter(front_end)
    for wave in waves:
        counter.add(wave)
    measurement = counter.measurement()
    assert measurement is not None
    return sn.Profile(front_end, {(): measurement})


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        sounds = make_dataset(Path(folder) / "sounds")
        figures = [figure for name in FRONT_ENDS for figure in measure_cost(name, sounds)]
    figures.append(measure_memory())
    report("Monitoring", figures, {"rounds": ROUNDS}, "monitor.json")


if __name__ == "__main__":
    main()
