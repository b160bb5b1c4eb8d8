"""What monitoring costs beside the front end and beside reading, that its memory does not grow, and that it adds up.

Run with `python -m benchmarks.bench_monitor`. The sounds are the demo's.
"""

from __future__ import annotations

import resource
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import torch
from numpy.typing import NDArray

import spectronorm as sn
from benchmarks.measure import Figure, report
from benchmarks.torch_origins import eager
from spectronorm.demo.dataset import make_dataset
from spectronorm.monitor import Monitor, Window
from spectronorm.monitor.clips.recorded import as_recorded
from spectronorm.monitor.recent import SeenClip
from spectronorm.nn import Monitored, Preprocess
from spectronorm.profile import LevelCounter

Wave = NDArray[Any]
ROUNDS = 16
FRONT_ENDS = {
    "fastaudio": sn.preset("fastaudio"),
    "log-mel": sn.FrontEnd(16_000, stft=sn.STFT(1024, hop_length=512), bands=sn.Mel(64)),
}


def _librosa(wave: Wave) -> Wave:
    mel = librosa.feature.melspectrogram(y=wave, sr=16_000, n_fft=1024, hop_length=512, n_mels=64)
    return np.asarray(librosa.power_to_db(mel, top_db=None))


CUSTOMARY = {"fastaudio": ("eager torch code", eager()["fastaudio"]), "log-mel": ("librosa's call", _librosa)}
"""Other code of each front end, which users replace by ours."""


def read_as_a_monitor(front_end: sn.FrontEnd, wave: Wave, level: Wave) -> None:
    """Read a clip's samples and its level as a monitor does, and judge nothing."""
    SeenClip.of(front_end, front_end.grid, level, as_recorded(wave))


def measure_cost(name: str, folder: Path) -> list[Figure]:
    """Every clip beside its front end, in a torch pipeline, beside reading its file, and beside customary code."""
    front_end = FRONT_ENDS[name]
    profile = sn.fit(folder, front_end, max_bad=0.05, engine=sn.engines.ThreadEngine(1))
    paths, waves = [], []
    for clip in sn.open_source(folder):
        try:
            # As long as the clips of ESC-50; shorter ones pay more for what every clip costs.
            waves.append(np.resize(sn.read(clip.path, front_end.sample_rate), 5 * front_end.sample_rate))
        except sn.errors.AudioError:
            continue
        paths.append(clip.path)
    monitor = Monitor(profile, threshold=5.0)
    plain = Preprocess(sn.Pipeline(front_end, sn.Standardize().fit(profile)))
    # One looks at every clip, one at the first only: one in eight costs an eighth of the difference.
    looking, idle = (Monitored(plain, Monitor(profile, threshold=5.0), every=every) for every in (1, 10**9))
    tensors = [torch.from_numpy(wave)[None] for wave in waves]
    fresh: list[Wave] = [np.empty(0)]

    def hear(clip: int) -> None:
        fresh[0] = front_end.clip_level(waves[clip])

    jobs: list[Callable[[int], object]] = [
        hear,
        lambda clip: monitor.add(waves[clip], level=fresh[0]),  # as fresh in the cache as it is in use
        lambda clip: read_as_a_monitor(front_end, waves[clip], fresh[0]),
        lambda clip: looking(tensors[clip]),
        lambda clip: idle(tensors[clip]),
        lambda clip: sn.read(paths[clip], front_end.sample_rate),
        lambda clip: CUSTOMARY[name][1](waves[clip]),
    ]
    front, cost, seen, looked, unseen, reading, other = least_of_each(jobs, len(waves))
    return [
        Figure(f"{name}: the front end, a clip", 1e3 * front / len(waves), "ms", "", met=True),
        Figure(f"{name}: watching, a clip", 1e3 * cost / len(waves), "ms", "", met=True),
        Figure(f"{name}: reading samples and level, a clip", 1e3 * seen / len(waves), "ms", "", met=True),
        Figure(f"{name}: watching / {CUSTOMARY[name][0]}", cost / other, "x", "", met=True),
        _at_most_a_tenth(f"{name}: every clip, added to the front end", cost / front),
        _at_most_a_tenth(f"{name}: every clip, added to reading and front end", cost / (reading + front)),
        _at_most_a_tenth(f"{name}: every clip, added to the torch module", looked / unseen - 1.0),
        _at_most_a_tenth(f"{name}: one clip in eight, added to it", (looked / unseen - 1.0) / 8),
    ]


def least_of_each(jobs: Sequence[Callable[[int], object]], clips: int) -> list[float]:
    """Seconds of each job over all clips, each clip at its fastest: others who use the machine only ever add.

    The second job and the third each follow the first, which is timed once. The two after them stand side by side, each
    as often in front as behind, because the one behind finds the clip in the cache. All of them take turns.
    """
    least = np.full((len(jobs), clips), np.inf)
    for turn in range(ROUNDS):
        pair = [3, 4] if turn % 2 else [4, 3]
        groups = [[0, 1], pair, [2], *([number] for number in range(5, len(jobs)))]
        first = turn // 2 % len(groups)
        order = [number for group in groups[first:] + groups[:first] for number in group]
        for clip in range(clips):
            for number in order:
                job = jobs[number]
                if number == 2:
                    jobs[0](clip)
                start = time.perf_counter()
                job(clip)
                least[number, clip] = min(least[number, clip], time.perf_counter() - start)
    return [float(seconds) for seconds in least.sum(axis=1)]


def _at_most_a_tenth(name: str, value: float) -> Figure:
    return Figure(name, value, "x", "<= 0.10", value <= 0.10)


def measure_merging() -> Figure:
    """Whether sixteen monitors that share clips add up to the one that sees them all: 1 where every figure is equal."""
    front_end = FRONT_ENDS["log-mel"]
    generator = np.random.default_rng(1)
    waves = [generator.standard_normal(40_000).astype(np.float32) * 0.1 for _ in range(256)]
    profile = _profile_of(front_end, waves[:64])
    parts = [Monitor(profile, window=Window(8, 4), threshold=5.0) for _ in range(16)]
    one = Monitor(profile, window=Window(128, 4), threshold=5.0)
    for index, wave in enumerate(waves):
        parts[index % 16].add(wave)
        one.add(wave)
    merged = Monitor.sum(parts)
    statistic = merged.verdict().statistic == one.verdict().statistic
    same = statistic and merged.report().drift.to_dict() == one.report().drift.to_dict()
    return Figure("16 monitors merged equal one", float(same), "", "1", same)


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
    counter = LevelCounter(front_end)
    for wave in waves:
        counter.add(wave)
    measurement = counter.measurement()
    assert measurement is not None
    return sn.Profile(front_end, {(): measurement})


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        sounds = make_dataset(Path(folder) / "sounds")
        figures = [figure for name in FRONT_ENDS for figure in measure_cost(name, sounds)]
    figures += [measure_memory(), measure_merging()]
    report("Monitoring", figures, {"rounds": ROUNDS}, "monitor.json")


if __name__ == "__main__":
    main()
