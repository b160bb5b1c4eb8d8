"""What the first run of all compiles: `python -m benchmarks.bench_first_run`.

Each run is a process of its own whose cache of kernels is empty: a pass over a few sounds of the demo, with the Fourier
transform of our kernels, with NumPy's in its place, and with the resampler of our own. The figures are medians over
rounds of the difference by the clock.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Figure, report
from spectronorm.demo.dataset import make_dataset

ROUNDS = 5
_PROGRAM = """
import sys, time
import spectronorm as sn
import spectronorm.kernels.fft.power_spectra as _face
power_spectra = sys.modules["spectronorm.kernels.fft.power_spectra"]

folder, transform, resampler = sys.argv[1:]
if transform == "numpy":
    power_spectra.plan_of = lambda n: None
front_end = sn.FrontEnd.from_dict(sn.preset("fastaudio").to_dict() | {"resampler": resampler})
begin = time.perf_counter()
profile = sn.fit(folder, front_end, engine=sn.engines.ThreadEngine(1), max_bad=1.0)
print(time.perf_counter() - begin, profile.band.mean.mean())
"""
JOBS = {"kernels": ("kernels", "soxr_hq"), "numpy": ("numpy", "soxr_hq"), "overlap_save": ("kernels", "overlap_save")}


def first_run(folder: Path, job: str) -> tuple[float, float]:
    """Seconds of the first pass of all, and a figure of its profile."""
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, "-c", _PROGRAM, str(folder), *JOBS[job]]
        environment = os.environ | {"NUMBA_CACHE_DIR": cache}
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    seconds, mean = done.stdout.split()
    return float(seconds), float(mean)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        source = make_dataset(Path(folder), clips_per_kind=2)
        runs = [{job: first_run(source, job) for job in JOBS} for _ in range(rounds)]
    for run in runs:
        assert abs(run["kernels"][1] - run["numpy"][1]) < 1e-9, run
    ours = statistics.median(run["kernels"][0] - run["numpy"][0] for run in runs)
    own = statistics.median(run["overlap_save"][0] - run["kernels"][0] for run in runs)
    figures = [
        Figure("first run of all: more than with NumPy's transform", ours, "s", "<= 2", ours <= 2),
        Figure("first use of overlap_save: more than of soxr", own, "s", "<= 4", own <= 4),
    ]
    seconds = {job: [run[job][0] for run in runs] for job in JOBS}
    report("What the first run of all compiles", figures, {"rounds": rounds, "seconds": seconds}, "first-run.json")


if __name__ == "__main__":
    main()
