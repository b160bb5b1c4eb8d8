"""The pass against bare decoding and resampling of the same files, its workers, and its memory.

Run with `python -m benchmarks.bench_pass [--data FOLDER]`. FOLDER is any source that `spectronorm fit` takes; by
default `$SPECTRONORM_DATA/esc10`, or sounds that the demo makes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import soundfile
import soxr

import spectronorm as sn
from benchmarks.measure import Figure, alternate, ratio, report
from spectronorm.demo.dataset import make_dataset

Item = TypeVar("Item")
Result = TypeVar("Result")
ROUNDS = 5
MAX_BAD = 0.05


@dataclass(frozen=True)
class ProcessEngine:
    """The same contract as `ThreadEngine`, with processes, to compare the two."""

    workers: int

    def map(self, task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        with ProcessPoolExecutor(self.workers) as pool:
            yield from pool.map(task, items)


def decode_and_resample(path: Path) -> None:
    """What anybody must do before a spectrogram: the peer, B."""
    try:
        samples, rate = soundfile.read(path, dtype="float32")
    except soundfile.LibsndfileError:
        return
    mono = samples if samples.ndim == 1 else samples.mean(axis=1)
    soxr.resample(mono, rate, 16_000, quality="HQ")


def measure_speed(source: sn.audio.Source) -> list[Figure]:
    paths = [clip.path for clip in source]
    front_end = sn.preset("fastaudio")

    def bare(workers: int) -> Callable[[], object]:
        return lambda: sum(1 for _ in sn.engines.ThreadEngine(workers).map(decode_and_resample, paths))

    def full(workers: int) -> Callable[[], object]:
        return lambda: sn.fit(source, front_end, engine=sn.engines.ThreadEngine(workers), max_bad=MAX_BAD)

    jobs = {
        "B, 1 worker": bare(1),
        "pass, 1 worker": full(1),
        "B, 2 workers": bare(2),
        "pass, 2 workers": full(2),
        "pass, 2 processes": lambda: sn.fit(source, front_end, engine=ProcessEngine(2), max_bad=MAX_BAD),
    }
    seconds = alternate(jobs, ROUNDS)
    one = ratio(seconds, "pass, 1 worker", "B, 1 worker")
    two = ratio(seconds, "pass, 2 workers", "B, 2 workers")
    scaling = ratio(seconds, "pass, 1 worker", "pass, 2 workers")
    processes = ratio(seconds, "pass, 2 processes", "pass, 2 workers")
    return [
        Figure("pass / bare decode + resample, 1 worker", one, "x", "<= 1.25", one <= 1.25),
        Figure("pass / bare decode + resample, 2 workers", two, "x", "<= 1.25", two <= 1.25),
        Figure("1 worker / 2 workers", scaling, "x", "two cores", scaling > 1),
        Figure("2 processes / 2 threads (over 1: threads are faster)", processes, "x", "> 1", processes > 1),
    ]


def measure_memory(data: Path, total: int, workers: int) -> Figure:
    few, many = (peak_memory(data, count, workers) for count in (min(50, total), total))
    print(f"  peak memory, {workers} worker(s): {few:.1f} MB for {min(50, total)} files, {many:.1f} MB for {total}")
    grown = many - few
    return Figure(
        f"peak memory, {workers} worker(s), {total} files minus {min(50, total)}", grown, "MB", "< 5", grown < 5
    )


def peak_memory(data: Path, clips: int, workers: int) -> float:
    """Peak MB of a pass over this many clips, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.bench_pass", "--data", str(data), "--peak-of", str(clips)]
    command += ["--workers", str(workers)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def print_peak(source: sn.audio.Source, clips: int, workers: int) -> None:
    chosen = sn.audio.Source(source.clips[:: max(1, len(source) // clips)][:clips])
    sn.fit(chosen, sn.preset("fastaudio"), engine=sn.engines.ThreadEngine(workers), max_bad=1.0)
    # Not ru_maxrss: that one survives exec, so it would be at least the parent's.
    status = Path("/proc/self/status").read_text()
    print(int(status.split("VmHWM:")[1].split()[0]) / 1024)


def run(data: Path) -> None:
    source = sn.open_source(data)
    figures = [*measure_speed(source), *(measure_memory(data, len(source), workers) for workers in (1, 2))]
    details = {"clips": len(source), "rounds": ROUNDS, "front_end": sn.preset("fastaudio").to_dict()}
    report(f"The pass over {len(source)} clips of {data.name}", figures, details, f"pass-{data.name}.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--peak-of", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    data = options.data
    if data is None and os.environ.get("SPECTRONORM_DATA"):
        data = Path(os.environ["SPECTRONORM_DATA"]) / "esc10"
    if options.peak_of:
        print_peak(sn.open_source(data), options.peak_of, options.workers)
    elif data is not None:
        run(data)
    else:
        with tempfile.TemporaryDirectory() as folder:
            run(make_dataset(Path(folder) / "demo-sounds", clips_per_kind=40))


if __name__ == "__main__":
    main()
