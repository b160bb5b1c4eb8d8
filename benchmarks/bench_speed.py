"""The pass, batches, images and inversion on one core against their peers: every goal of speed in one table.

python -m benchmarks.bench_speed [--rounds 9] [--only pass]

With SPECTRONORM_DATA the clips are those of ESC-10 and the Free Spoken Digit Dataset; WAV and 16 kHz copies are made in
a temporary folder. Without it, sounds of the demo stand in. Each job runs in a process of its own, in alternation, and
figures are medians over rounds of the ratio of processor times (of times by the clock, where two cores are used).
Before anything counts, both sides must have found the same numbers.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from benchmarks import batch_jobs, speed_jobs
from benchmarks.bench_pass import peak_memory
from benchmarks.contest import Job, Turns, take_turns, times
from benchmarks.measure import Figure, report
from benchmarks.recordings import data
from spectronorm.demo.dataset import make_dataset

CLIPS, SOURCE_RATE = 200, 44_100


def originals(folder: Path) -> list[Path]:
    """Recordings of five seconds, spread over the data set, or sounds of the demo."""
    root = data()
    if root is None:
        made = make_dataset(folder / "demo", clips_per_kind=40)
        return sorted(path for path in made.rglob("*") if path.suffix in {".wav", ".ogg"})
    return sorted((root / "esc10" / "audio").glob("*.ogg"))[:: 400 // CLIPS]


def make_folders(folder: Path) -> dict[str, Path]:
    """The same clips as WAV, as Ogg and as WAV at 16 kHz; and short clips where there are some."""
    found = {name: folder / name for name in ("wav", "ogg", "wav16")}
    for path in found.values():
        path.mkdir()
    for path in originals(folder):
        samples, rate = soundfile.read(path, dtype="float32")
        mono = samples if samples.ndim == 1 else samples.mean(axis=1)
        if data() is None:  # sounds of the demo are of all kinds, but the peers divide by deviations and pad with zeros
            if rate != SOURCE_RATE or not mono.any():
                continue
            mono = np.resize(mono, speed_jobs.SECONDS * rate)
        soundfile.write(found["wav"] / f"{path.stem}.wav", mono, rate, subtype="PCM_16")
        soundfile.write(found["ogg"] / f"{path.stem}.ogg", mono, rate)
        low = np.clip(soxr.resample(mono, rate, speed_jobs.RATE, quality="HQ"), -1.0, 1.0)
        soundfile.write(found["wav16"] / f"{path.stem}.wav", low, speed_jobs.RATE, subtype="PCM_16")
    if (root := data()) is not None:
        found["short"] = root / "fsdd" / "recordings"
    return found


def check_same(name: str, ours: Any, peer: Any, tolerance: float) -> None:
    """Both found the same statistics of each band, as closely as the peer's float32 allows."""
    assert ours["clips"] == peer["clips"], name
    for figure in ("mean", "std"):
        distance = np.abs(np.array(ours[figure]) - np.array(peer[figure]))
        assert np.median(distance) < tolerance, f"{name}: {figure} differs by {np.median(distance)} dB"
        # The lowest bands hold what float32 leaves of a mean that was taken off.
        assert distance[2:-2].max() < 20 * tolerance, f"{name}: {figure} differs by {distance[2:-2].max()} dB"


def check_other_resampler(name: str, ours: Any, other: Any) -> None:
    """Two resamplers differ in the top of the band alone."""
    assert ours["clips"] == other["clips"], name
    same = slice(2, int(0.85 * len(ours["mean"])))
    distance = np.abs(np.array(ours["mean"]) - np.array(other["mean"]))[same]
    assert distance.max() < 0.1, f"{name}: a mean differs by {distance.max()} dB"


def at_least(name: str, value: float, goal: float) -> Figure:
    return Figure(name, value, "x", f">= {goal:g}", value >= goal)


def at_most(name: str, value: float, goal: float, unit: str = "x") -> Figure:
    return Figure(name, value, unit, f"<= {goal:g}", value <= goal)


def pass_on_wav(folders: Mapping[str, Path], rounds: int) -> tuple[list[Figure], dict[str, Turns]]:
    jobs: dict[str, Job] = {
        "B": speed_jobs.bare,
        "pass": speed_jobs.ours,
        "own resampler": speed_jobs.ours_by_overlap_save,
        "librosa": speed_jobs.with_librosa,
        "second post": speed_jobs.second_post_at_16_khz,
        "first post": speed_jobs.first_post,
    }
    turns = take_turns(jobs, folders["wav"], rounds)
    check_same("librosa", turns["pass"].figures, turns["librosa"].figures, 0.005)
    # Its clips are cut and padded to five seconds, and its deviations have ddof = 1.
    check_same("first post", turns["pass"].figures, turns["first post"].figures, 0.5)
    check_other_resampler("WAV", turns["pass"].figures, turns["own resampler"].figures)
    ours, own = turns["pass"], turns["own resampler"]
    return [
        at_most("WAV 44.1 to 16 kHz: pass / B", 1 / times(ours, turns["B"]), 1.15),
        at_least("WAV: librosa / pass", times(ours, turns["librosa"]), 1.75),
        at_least("WAV: second post / pass", times(ours, turns["second post"]), 2.6),
        at_least("WAV: first post / pass", times(ours, turns["first post"]), 3.5),
        at_most("WAV, overlap_save: pass / B (stretch)", 1 / times(own, turns["B"]), 0.75),
        at_least("WAV, overlap_save: librosa / pass", times(own, turns["librosa"]), 1.75),
        at_least("WAV, overlap_save: second post / pass", times(own, turns["second post"]), 2.6),
        at_least("WAV, overlap_save: first post / pass", times(own, turns["first post"]), 3.5),
    ], turns


def pass_on_ogg(folders: Mapping[str, Path], rounds: int) -> tuple[list[Figure], dict[str, Turns]]:
    jobs: dict[str, Job] = {
        "B": speed_jobs.bare,
        "pass": speed_jobs.ours,
        "own resampler": speed_jobs.ours_by_overlap_save,
    }
    turns = take_turns(jobs, folders["ogg"], rounds)
    check_other_resampler("Ogg", turns["pass"].figures, turns["own resampler"].figures)
    return [
        at_most("Ogg: pass / B", 1 / times(turns["pass"], turns["B"]), 1.10),
        at_most("Ogg, overlap_save: pass / B", 1 / times(turns["own resampler"], turns["B"]), 1.10),
    ], turns


def pass_without_resampling(folders: Mapping[str, Path], rounds: int) -> tuple[list[Figure], dict[str, Turns]]:
    turns = take_turns({"pass": speed_jobs.ours, "librosa": speed_jobs.with_librosa}, folders["wav16"], rounds)
    check_same("librosa", turns["pass"].figures, turns["librosa"].figures, 0.005)
    return [at_least("16 kHz WAV: librosa / pass", times(turns["pass"], turns["librosa"]), 2.2)], turns


def pass_on_short_clips(folders: Mapping[str, Path], rounds: int) -> tuple[list[Figure], dict[str, Turns]]:
    if "short" not in folders:
        return [], {}
    jobs: dict[str, Job] = {
        "B": speed_jobs.bare,
        "pass": speed_jobs.ours,
        "own resampler": speed_jobs.ours_by_overlap_save,
        "librosa": speed_jobs.with_librosa,
        "second post": speed_jobs.second_post,
    }
    turns = take_turns(jobs, folders["short"], rounds)
    check_same("librosa", turns["pass"].figures, turns["librosa"].figures, 0.005)
    ours, own = turns["pass"], turns["own resampler"]
    return [
        at_least("3000 clips of 0.4 s, 8 to 16 kHz: librosa / pass", times(ours, turns["librosa"]), 2.5),
        at_least("short clips: second post / pass", times(ours, turns["second post"]), 6.0),
        at_most("short clips: pass / B (stretch)", 1 / times(ours, turns["B"]), 1.2),
        at_least("short clips, overlap_save: librosa / pass", times(own, turns["librosa"]), 2.5),
        at_least("short clips, overlap_save: second post / pass", times(own, turns["second post"]), 6.0),
        at_most("short clips, overlap_save: pass / B (stretch)", 1 / times(own, turns["B"]), 1.2),
    ], turns


def two_cores(folders: Mapping[str, Path], rounds: int) -> tuple[list[Figure], dict[str, Turns]]:
    root = data()  # the whole data set: a hundred clips are three units of work, which two workers cannot halve
    source = folders["wav"] if root is None else root / "esc10"
    turns = take_turns({"one": speed_jobs.ours, "two": speed_jobs.ours_on_two_cores}, source, rounds)
    assert turns["one"].figures == turns["two"].figures
    ratio = times(turns["two"], turns["one"], clock=True)
    return [at_least("one core / two cores, by the clock", ratio, 1.9)], turns


def batch(folders: Mapping[str, Path], rounds: int) -> tuple[list[Figure], dict[str, Turns]]:
    jobs: dict[str, Job] = {"spectronorm": batch_jobs.ours, "eager torch": batch_jobs.eager}
    turns = take_turns(jobs, folders["wav"], 3 * rounds)
    distance = np.abs(np.array(turns["spectronorm"].figures) - np.array(turns["eager torch"].figures))
    assert np.median(distance) < 1e-5, distance
    ratio = times(turns["spectronorm"], turns["eager torch"])
    return [at_least("batch [64, 1, 80000], one core: eager torch / spectronorm", ratio, 4.0)], turns


def png(folders: Mapping[str, Path], rounds: int) -> tuple[list[Figure], dict[str, Turns]]:
    jobs: dict[str, Job] = {"spectronorm": batch_jobs.png, "Pillow": batch_jobs.png_by_pillow}
    turns = take_turns(jobs, folders["wav16"], 3 * rounds)
    assert turns["spectronorm"].figures["pixels"] == turns["Pillow"].figures["pixels"]
    more = turns["spectronorm"].figures["bytes"] / turns["Pillow"].figures["bytes"] - 1
    return [
        at_least("PNG: Pillow's default writer / spectronorm", times(turns["spectronorm"], turns["Pillow"]), 8.0),
        at_most("PNG: bytes more than Pillow's", 100 * more, 10.0, "%"),
    ], turns


def griffin_lim(folders: Mapping[str, Path], rounds: int) -> tuple[list[Figure], dict[str, Turns]]:
    jobs: dict[str, Job] = {
        "librosa, 32": batch_jobs.librosa_griffin_lim,
        "spectronorm, 8": batch_jobs.fast_inversion,
        "spectronorm, 32": batch_jobs.good_inversion,
    }
    turns = take_turns(jobs, folders["wav16"], rounds)
    convergence = {name: one.figures for name, one in turns.items()}
    peer = turns["librosa, 32"]
    print("  spectral convergence, dB:", {name: round(value, 2) for name, value in convergence.items()})
    return [
        at_least(
            "librosa's 32 Griffin-Lim iterations / ours at no less convergence",
            times(turns["spectronorm, 8"], peer),
            4.0,
        ),
        at_most(
            "their convergence less librosa's", convergence["spectronorm, 8"] - convergence["librosa, 32"], 0.0, "dB"
        ),
        at_least("32 iterations each: librosa / ours", times(turns["spectronorm, 32"], peer), 2.0),
    ], turns


def memory(folders: Mapping[str, Path], rounds: int) -> tuple[list[Figure], dict[str, Turns]]:
    del rounds
    root = data()
    source = folders["wav"] if root is None else root / "esc10"
    total = sum(1 for path in source.rglob("*") if path.suffix in {".wav", ".ogg"})
    found = []
    for workers in (1, 2):
        few, many = (peak_memory(source, count, workers) for count in (min(50, total), total))
        found.append(at_most(f"peak memory, {total} files, {workers} worker(s)", many, 200.0, "MB"))
        found.append(at_most(f"of that, more than {min(50, total)} files take", many - few, 5.0, "MB"))
    return found, {}


ROWS: dict[str, Callable[[Mapping[str, Path], int], tuple[list[Figure], dict[str, Turns]]]] = {
    "pass-wav": pass_on_wav,
    "pass-ogg": pass_on_ogg,
    "pass-16k": pass_without_resampling,
    "pass-short": pass_on_short_clips,
    "two-cores": two_cores,
    "batch": batch,
    "png": png,
    "griffin-lim": griffin_lim,
    "memory": memory,
}
"""Every row by the name that `--only` takes."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", nargs="*", choices=list(ROWS), default=list(ROWS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        folders = make_folders(Path(folder))
        for name in options.only:
            figures, turns = ROWS[name](folders, options.rounds)
            for job, one in turns.items():
                print(
                    f"  {job:24} {statistics.median(one.processor):8.4f} s of processor, of {len(one.processor)} turns"
                )
            details = {job: {"processor": one.processor, "clock": one.clock} for job, one in turns.items()}
            report(f"Speed: {name}", figures, {"rounds": options.rounds, "turns": details}, f"speed-{name}.json")


if __name__ == "__main__":
    main()
