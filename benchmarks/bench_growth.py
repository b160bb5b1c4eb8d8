"""How time and memory of a pass grow: with files, with the length of clips, and with bands.

Run with `python -m benchmarks.bench_growth [--no-docs]`. Each case is a pass with one worker in a process of its own;
its seconds are those of the pass, its memory is the most that the process ever had. The files are links to spoken
digits (`SPECTRONORM_DATA`), or to noises; clips of a certain length are noises. The table and the plot go into
`docs/scale.md` and `docs/images/growth.svg`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile

import spectronorm as sn
from benchmarks.document import put_table
from benchmarks.links import digits, link
from benchmarks.measure import Figure, circumstances, report
from benchmarks.plot import Panel, save_plot

RATE = 16_000
FILES = (1_000, 10_000, 100_000)
LENGTHS = ((0.1, 6_000), (1.0, 3_000), (10.0, 360), (60.0, 60), (600.0, 6), (7200.0, 1))
"""Seconds of a clip, and how many clips: from ten minutes to two hours of audio in all."""
BANDS = ((64, 512), (128, 1024), (257, 512), (513, 1024), (1025, 2048))
"""Mel bands up to 128, then the bins of an FFT: bands and n_fft."""
DOCS = Path(__file__).parent.parent / "docs"


@dataclass(frozen=True)
class Point:
    """One pass: what was changed, to what, and what came out."""

    what: str
    value: float
    clips: int
    audio: float
    seconds: float
    megabytes: float


def front_end(bands: int) -> sn.FrontEnd:
    """A front end with this many bands."""
    n_fft = dict(BANDS)[bands]
    layout = sn.Mel(bands) if bands <= 128 else sn.Linear()
    return sn.FrontEnd(RATE, stft=sn.STFT(n_fft=n_fft, hop_length=200, win_length=400), bands=layout)


def one_pass(folder: Path, bands: int) -> None:
    """Measure, and print seconds of audio, seconds and megabytes: run in a process of its own."""
    sn.fit(
        sn.audio.Source(sn.open_source(folder).clips[:2]), front_end(bands), engine=sn.engines.ThreadEngine(1)
    )  # loads kernels
    begin = time.process_time()  # other programs do not count
    profile = sn.fit(folder, front_end(bands), engine=sn.engines.ThreadEngine(1))
    seconds = time.process_time() - begin
    # Not ru_maxrss: that one survives exec, so it would be at least the parent's.
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    print(json.dumps([profile.clips, profile.seconds, seconds, peak]))


def point(what: str, value: float, folder: Path, bands: int = 64) -> Point:
    """One case in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.bench_growth", "--one", str(folder), "--bands", str(bands)]
    clips, audio, seconds, peak = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    found = Point(what, value, clips, audio, seconds, peak)
    print(
        f"  {what:8} {value:>9g}  {clips:7} clips  {audio:9.0f} s of audio  {seconds:7.2f} s  {peak:6.0f} MB",
        flush=True,
    )
    return found


def points(scratch: Path) -> Iterator[Point]:
    """Every case."""
    sounds = digits(scratch / "sounds")
    # Compiling the kernels, once on each machine, takes seconds and 50 MB.
    print("  (kernels)", end="")
    point("files", 2, link(sounds, scratch / "kernels", 2))
    for files in FILES:
        yield point("files", files, link(sounds, scratch / f"files-{files}", files))
    for length, clips in LENGTHS:
        noise = write_noise(scratch / "noise.wav", length)
        yield point("seconds", length, link([noise], scratch / f"long-{length:g}", clips))
        noise.unlink()
    for bands, _ in BANDS:
        yield point("bands", bands, scratch / f"files-{FILES[0]}", bands)


def write_noise(path: Path, seconds: float) -> Path:
    """A WAV file of noise, minute by minute."""
    generator = np.random.default_rng(0)
    left = round(seconds * RATE)
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
        while left:
            count = min(left, 60 * RATE)
            file.write((0.1 * generator.standard_normal(count)).astype(np.float32))
            left -= count
    return path


def figures(found: Sequence[Point]) -> list[Figure]:
    """What should hold: linear time and flat memory in files, and in the length of clips."""
    by = {(p.what, p.value): p for p in found}
    few, many = by["files", FILES[0]], by["files", FILES[-1]]
    short, long = by["seconds", 600.0], by["seconds", 7200.0]
    slower = (many.seconds / many.clips) / (few.seconds / few.clips)
    grown, longer = many.megabytes - few.megabytes, long.megabytes - short.megabytes
    table = (FILES[-1] - FILES[0]) * 2e-3  # a clip's name, path and digest
    return [
        Figure("time a file, 100 000 files / 1000 files", slower, "x", "<= 1.2", slower <= 1.2),
        Figure("memory, 100 000 files less 1000", grown, "MB", f"<= {table:.0f}", grown <= table),
        Figure("memory, a two-hour clip less ten-minute clips", longer, "MB", "<= 50", longer <= 50),
        Figure("memory, a two-hour clip", long.megabytes, "MB", "<= 300", long.megabytes <= 300),
    ]


def document(found: Sequence[Point]) -> None:
    """The table and the plot."""
    rows = [("varied", "", "clips", "audio", "seconds", "audio a second", "clips a second", "peak memory")]
    for p in found:
        rate = f"{p.audio / p.seconds:,.0f} s", f"{p.clips / p.seconds:,.0f}"
        size = f"{p.audio / 3600:.2f} h", f"{p.seconds:.2f}"
        rows.append((p.what, f"{p.value:,g}", f"{p.clips:,}", *size, *rate, f"{p.megabytes:.0f} MB"))
    machine = circumstances()["machine"]
    under = f"Processor seconds of one worker, by `python -m benchmarks.bench_growth` on {machine['name']}."
    put_table(DOCS / "scale.md", "growth", rows, under)
    panels = []
    for what, label in (("files", "files"), ("seconds", "seconds of a clip"), ("bands", "bands")):
        some = [p for p in found if p.what == what]
        per_clip = what == "files"
        times = [(p.value, p.seconds if per_clip else 3600 * p.seconds / p.audio) for p in some]
        panels.append(Panel(label, "seconds" if per_clip else "seconds an hour of audio", tuple(times)))
        panels.append(Panel(label, "peak memory, MB", tuple((p.value, p.megabytes) for p in some)))
    save_plot(DOCS / "images" / "growth.svg", "How a pass grows", panels)


def main() -> None:
    """Measure, report, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-docs", action="store_true", help="leave docs/scale.md and the plot as they are")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--bands", type=int, default=64, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        one_pass(options.one, options.bands)
        return
    with tempfile.TemporaryDirectory() as name:
        found = list(points(Path(name)))
    report("How a pass grows", figures(found), {"points": [asdict(p) for p in found]}, "growth.json")
    if not options.no_docs:
        document(found)


if __name__ == "__main__":
    main()
