"""A million clips without their audio, added up, saved and loaded: `python -m benchmarks.bench_merge`.

Each unit has the integers of 48 real noise clips and digests of its own. What must not grow is everything but those
digests, 16 bytes a clip.
"""

from __future__ import annotations

import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

import spectronorm as sn
from benchmarks.measure import Figure, report
from spectronorm.passes.units import CLIPS_IN_UNIT
from spectronorm.profile import LevelCounter, Measurement, RunningSum

CLIPS = 1_000_000
STEPS = 8


def unit(front_end: sn.FrontEnd) -> Measurement:
    """One unit of noise clips of a second."""
    random, counter = np.random.default_rng(0), LevelCounter(front_end)
    for _ in range(CLIPS_IN_UNIT):
        counter.add((0.1 * random.standard_normal(16_000)).astype(np.float32))
    measurement = counter.measurement()
    assert measurement is not None
    return measurement


def megabytes() -> float:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Add up in eight steps, and look at time and memory of each."""
    front_end, random = sn.preset("fastaudio"), np.random.default_rng(1)
    one, running = unit(front_end), RunningSum()
    units = -(-CLIPS // CLIPS_IN_UNIT)
    seconds, memory = [], []
    for step in range(STEPS):
        started = time.perf_counter()
        for _ in range(units * step // STEPS, units * (step + 1) // STEPS):
            digests = random.integers(0, 256, size=(CLIPS_IN_UNIT, 16), dtype=np.uint8)
            running.add(replace(one, digests=digests))
        seconds.append(time.perf_counter() - started)
        memory.append(megabytes())
    started = time.perf_counter()
    profile = sn.Profile(front_end, {(("split", "train"),): running.total()})
    total = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "profile"
        started = time.perf_counter()
        profile.save(path)
        saved, size = time.perf_counter() - started, path.stat().st_size / 1e6
        started = time.perf_counter()
        equal = sn.Profile.load(path) == profile
        loaded = time.perf_counter() - started
    exact = profile.band.mean.tolist() == sn.Profile(front_end, {(): one}).band.mean.tolist()
    growth = memory[-1] - memory[0]
    digests_mb = profile.clips * 16 * (STEPS - 1) / STEPS / 2**20
    linear = max(seconds[1:]) / min(seconds[1:])
    figures = [
        Figure("clips", profile.clips, "", "1e6", profile.clips >= CLIPS),
        Figure("adding up", sum(seconds), "s", "", True),
        Figure("slowest eighth / fastest eighth (linear time)", linear, "x", "<= 1.5", linear <= 1.5),
        Figure("growth of memory beyond the digests", growth - digests_mb, "MiB", "<= 32", growth - digests_mb <= 32),
        Figure("sorting the digests, once", total, "s", "", True),
        Figure("saving", saved, "s", "", True),
        Figure("loading, every number checked", loaded, "s", "", True),
        Figure("size of the profile", size, "MB", "", True),
        Figure("loaded equals saved, mean equals the unit's", float(equal and exact), "", "1", equal and exact),
    ]
    details = {"units": units, "seconds": seconds, "megabytes": memory}
    report("A million clips added up", figures, details, "merge.json")


if __name__ == "__main__":
    main()
