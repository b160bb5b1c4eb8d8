"""Peak memory of each command on a clip of an hour, beside what holding the clip would take.

`python -m benchmarks.bench_memory [--hours 1] [--no-docs]`. Each case is one worker in a process of its own, on one
file of noise, in mono or stereo; the figure is the most memory that the process ever had, and beside it what that is
above a process that reads one second. What a case writes is measured too. The table goes into `docs/scale.md`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

import spectronorm as sn
from benchmarks.document import put_table
from benchmarks.measure import Figure, circumstances, report
from spectronorm.engines import ThreadEngine
from spectronorm.image_files import ImageCodec, LevelRange
from spectronorm.passes.apply import apply
from spectronorm.passes.images import export_images
from spectronorm.passes.stores import Store

RATE, BANDS = 16_000, 64
DOCS = Path(__file__).parent.parent / "docs"
GOAL = 200
"""MB that no case but those of `HOLDS_A_ROW` may pass."""
HOLDS_A_ROW = ("apply --to parquet",)
"""Cases in which a library must hold the whole array of a clip."""


@dataclass(frozen=True)
class Point:
    """One case: seconds of the processor, megabytes of the process and of what it wrote."""

    name: str
    seconds: float
    megabytes: float
    written: float


def front_end(channels: str = "mean") -> sn.FrontEnd:
    """64 mel bands, every 10 ms."""
    stft = sn.STFT(n_fft=512, hop_length=160, win_length=400)
    return sn.FrontEnd(RATE, stft=stft, bands=sn.Mel(BANDS), channels=channels)


def _fit(channels: str) -> Callable[[Path, Path], object]:
    def work(sound: Path, out: Path) -> object:
        return sn.fit(sound, front_end(channels), output=out / "profile.safetensors", engine=ThreadEngine(1))

    return work


def _apply(store: Store, normalizer: sn.normalize.Normalizer, channels: str = "mean") -> Callable[[Path, Path], object]:
    def work(sound: Path, out: Path) -> object:
        profile = sn.fit(sound, front_end(channels), duration=10.0, engine=ThreadEngine(1))
        pipeline = sn.Pipeline(profile.front_end, normalizer.fit(profile))
        return apply(sound, pipeline, out, store=store, engine=ThreadEngine(1))

    return work


def _images(bits: int, channels: str = "mean") -> Callable[[Path, Path], object]:
    def work(sound: Path, out: Path) -> object:
        codec = ImageCodec(
            front_end(channels), LevelRange.fixed_db(front_end(channels), -100, 20), sn.images.Layout(bits=bits)
        )
        return export_images(sound, codec, out, engine=ThreadEngine(1))

    return work


BAND, CLIP = sn.Standardize(per="band"), sn.PerClip(per="band")
STACK = "stack:2"
CASES: Mapping[str, Callable[[Path, Path], object]] = {
    "fit": _fit("mean"),
    "fit --channels stack": _fit(STACK),
    "apply --to npy": _apply(Store("npy"), BAND),
    "apply --to safetensors": _apply(Store("safetensors"), BAND),
    "apply --to webdataset": _apply(Store("webdataset"), BAND),
    "apply --to parquet": _apply(Store("parquet"), BAND),
    "apply --channels stack --to npy": _apply(Store("npy"), BAND, STACK),
    "apply --channels stack --to safetensors": _apply(Store("safetensors"), BAND, STACK),
    "apply --normalize clip": _apply(Store("npy"), sn.PerClip(), "mean"),
    "apply --normalize clip-band": _apply(Store("npy"), CLIP),
    "apply --normalize sliding": _apply(Store("npy"), sn.normalize.SlidingStandardize(300)),
    "images": _images(8),
    "images --bits 16": _images(16),
    "images, a profile of a stack": _images(8, STACK),
}
"""Every command by how it is called."""


def one(name: str, sound: Path, out: Path) -> None:
    """Run a case in this process, and print its figures."""
    begin = time.process_time()
    CASES[name](sound, out)
    seconds = time.process_time() - begin
    # Not ru_maxrss, which survives exec and would be at least the parent's.
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 1e6
    print(json.dumps([seconds, peak, size]))


def point(name: str, sound: Path) -> Point:
    """One case in a process of its own."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "benchmarks.bench_memory", "--one", name, str(sound), out]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Point(name, *json.loads(done.stdout.splitlines()[-1]))


def write_noise(path: Path, seconds: float, channels: int = 2) -> Path:
    """A WAV file of noise, minute by minute."""
    generator = np.random.default_rng(0)
    with soundfile.SoundFile(path, "w", RATE, channels, "PCM_16") as file:
        left = round(seconds * RATE)
        while left:
            count = min(left, 60 * RATE)
            file.write((0.1 * generator.standard_normal((count, channels))).astype(np.float32))
            left -= count
    return path


def measured(names: list[str], hours: float) -> tuple[float, list[Point]]:
    """The megabytes of a process that reads a second, and each case."""
    with tempfile.TemporaryDirectory() as folder:
        short = write_noise(Path(folder, "second.wav"), 1.0)
        long = write_noise(Path(folder, "long.wav"), 3600.0 * hours)
        point("fit", short)  # compiles kernels, if they are not yet
        base = point("fit", short).megabytes
        print(f"  {'a second':42} {base:6.0f} MB", flush=True)
        points = []
        for name in names:
            points.append(found := point(name, long))
            print(f"  {name:42} {found.megabytes:6.0f} MB  {found.seconds:6.1f} s  {found.written:6.0f} MB", flush=True)
    return base, points


def document(base: float, points: list[Point], hours: float) -> None:
    """The table of `docs/scale.md`."""
    frames = round(hours * 3600 * RATE / 160)
    whole = frames * BANDS * 8 / 1e6
    rows = [("command", "peak memory", "above one second's", "written", "seconds")]
    for p in points:
        above = f"{p.megabytes - base:.0f} MB"
        rows.append((f"`{p.name}`", f"{p.megabytes:.0f} MB", above, f"{p.written:.0f} MB", f"{p.seconds:.0f}"))
    under = (
        f"One worker, {hours:g} h of stereo noise at {RATE / 1000:g} kHz, {BANDS} mel bands every 10 ms: the level of "
        f"a channel has {whole:.0f} MB in float64. A process that reads one second has {base:.0f} MB. Processor "
        f"seconds, by `python -m benchmarks.bench_memory` on {circumstances()['machine']['name']}."
    )
    put_table(DOCS / "scale.md", "memory", rows, under)


def main() -> None:
    """Measure, report, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=1.0, help="length of the clip")
    parser.add_argument("--only", nargs="+", choices=CASES, metavar="CASE", help="some of the cases")
    parser.add_argument("--no-docs", action="store_true", help="leave docs/scale.md as it is")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        name, sound, out = options.one
        one(name, Path(sound), Path(out))
        return
    base, points = measured(list(options.only or CASES), options.hours)
    figures = []
    for p in points:
        met = p.megabytes <= GOAL or p.name in HOLDS_A_ROW
        goal = "a row" if p.name in HOLDS_A_ROW else f"<= {GOAL}"
        figures.append(Figure(f"{p.name}, {options.hours:g} h", p.megabytes, "MB", goal, met))
    details = {"base": base, "cases": {p.name: [p.seconds, p.megabytes, p.written] for p in points}}
    report("Peak memory on a long clip", figures, details, "memory.json")
    if not options.no_docs and options.only is None:
        document(base, points, options.hours)


if __name__ == "__main__":
    main()
