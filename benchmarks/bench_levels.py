"""Levels of one's own: `Meter` beside what else adds up levels, and stores beside one file a clip.

`python -m benchmarks.bench_levels`. Everything runs on one core, and times are of the processor. The peers keep less:
NumPy's sums and scikit-learn's scaler have a mean and a variance, torchmetrics a mean; a meter has extremes, quantiles,
standard errors by clip and digests too, exactly.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import spectronorm as sn
from benchmarks.document import put_table
from benchmarks.measure import Figure, circumstances, report
from spectronorm.engines import ThreadEngine
from spectronorm.features import open_features, read_level
from spectronorm.passes.apply import apply
from spectronorm.passes.stores import Store
from spectronorm.profile import Meter

DOCS = Path(__file__).parent.parent / "docs"
KEEPS = {
    "Meter": "mean, std, extremes, quantiles, errors by clip, floor, digests: exactly",
    "NumPy float64 sums": "mean, std",
    "StandardScaler.partial_fit": "mean, std",
    "torchmetrics.MeanMetric, one a band": "mean",
}
BANDS, FRAMES, BATCH, BATCHES = 64, 100, 64, 40
CLIPS = 3_000


def seconds(work: Callable[[], Any], times: int = 3) -> float:
    """The least processor time of a few runs."""
    best = float("inf")
    for _ in range(times):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best


def adders(batches: list[NDArray[np.float32]]) -> dict[str, float]:
    """Millions of cells a second of everything that adds up levels."""
    levels = sn.Levels(BANDS, "dB", -200, 200)
    cells = sum(batch.size for batch in batches) / 1e6
    found = {}

    def meter() -> None:
        counted = Meter(levels, "bft")
        for batch in batches:
            counted.add(batch)
        counted.profile()

    def sums() -> None:
        total, square = np.zeros(BANDS), np.zeros(BANDS)
        for batch in batches:
            total += batch.sum(axis=(0, 2), dtype=np.float64)
            square += np.square(batch, dtype=np.float64).sum(axis=(0, 2))

    meter()
    found["Meter"] = cells / seconds(meter)
    found["NumPy float64 sums"] = cells / seconds(sums)
    found |= _scikit_learn(batches, cells) | _torchmetrics(batches, cells)
    return found


def _scikit_learn(batches: list[NDArray[np.float32]], cells: float) -> dict[str, float]:
    try:
        from sklearn.preprocessing import StandardScaler  # noqa: PLC0415
    except ImportError:
        return {}

    def scaler() -> None:
        one = StandardScaler()
        for batch in batches:
            one.partial_fit(batch.transpose(0, 2, 1).reshape(-1, BANDS))

    return {"StandardScaler.partial_fit": cells / seconds(scaler)}


def _torchmetrics(batches: list[NDArray[np.float32]], cells: float) -> dict[str, float]:
    try:
        import torch  # noqa: PLC0415
        from torchmetrics.aggregation import MeanMetric  # noqa: PLC0415
    except (ImportError, OSError):
        return {}
    torch.set_num_threads(1)
    tensors = [torch.from_numpy(batch) for batch in batches]

    def means() -> None:
        metrics = [MeanMetric() for _ in range(BANDS)]
        for tensor in tensors:
            for band, metric in enumerate(metrics):
                metric.update(tensor[:, band])

    return {"torchmetrics.MeanMetric, one a band": cells / seconds(means)}


def stores(folder: Path) -> dict[str, dict[str, float]]:
    """Clips a second that each store takes and gives, in order and at random, and its megabytes."""
    random = np.random.default_rng(0)
    source = folder / "levels.npz"
    levels = sn.Levels(BANDS, "dB", -200, 200)
    clips: dict[str, Any] = {}
    for number in range(CLIPS):
        coarse = np.round(random.normal(-40, 12, (BANDS, FRAMES)) * 64) / 64  # which compresses, as levels do
        clips[f"{number:05d}"] = coarse.astype(np.float32)
    np.savez(source, **clips)
    pipeline = sn.Pipeline(levels, sn.Fixed(-40.0, 12.0).for_front_end(levels))
    order = random.permutation(CLIPS)[:1000]
    found = {}
    for to in ("npy", "safetensors", "webdataset", "parquet"):
        out = folder / to
        started = time.process_time()
        apply(source, pipeline, out, store=Store(to), engine=ThreadEngine(1))
        written = time.process_time() - started
        described, opened = sn.Levels.load(out / "levels.json"), open_features(out)
        in_order = seconds(lambda: [read_level(clip, described) for clip in opened], times=1)  # noqa: B023
        at_random = seconds(lambda: [read_level(opened.clips[i], described) for i in order], times=1)  # noqa: B023
        files = [path for path in out.rglob("*") if path.is_file()]
        found[to] = {
            "write": CLIPS / written,
            "in order": CLIPS / in_order,
            "at random": len(order) / at_random,
            "MB": sum(path.stat().st_size for path in files) / 1e6,
            "files": len(files),
        }
    return found


def main() -> None:
    """Measure both, and report."""
    random = np.random.default_rng(0)
    batches = [random.normal(-40, 12, (BATCH, BANDS, FRAMES)).astype(np.float32) for _ in range(BATCHES)]
    speeds = adders(batches)
    with tempfile.TemporaryDirectory() as name:
        held = stores(Path(name))
    meter = speeds["Meter"]
    figures = [
        Figure("Meter.add, one core", meter, "M cells/s", ">= 60", meter >= 60),
        *(
            Figure(f"Meter.add beside {peer}", meter / speed, "x", "", True)
            for peer, speed in speeds.items()
            if peer != "Meter"
        ),
    ]
    for to, one in held.items():
        figures += [
            Figure(f"{to}: clips written", one["write"], "1/s", "", True),
            Figure(f"{to}: clips read in order", one["in order"], "1/s", "", True),
            Figure(f"{to}: clips read at random", one["at random"], "1/s", "", True),
            Figure(f"{to}: size in {one['files']:.0f} files", one["MB"], "MB", "", True),
        ]
    report("Levels and stores", figures, {"millions of cells a second": speeds, "stores": held}, "levels.json")
    if "--no-docs" not in sys.argv:
        document(speeds, held)


def document(speeds: dict[str, float], held: dict[str, dict[str, float]]) -> None:
    """The two tables of the page on own spectrograms."""
    machine = circumstances()["machine"]["name"]
    rows = [("one core", "million cells a second", "keeps")]
    rows += [(f"`{name}`", f"{speed:.0f}", KEEPS.get(name, "")) for name, speed in speeds.items()]
    what = f"{BATCHES} batches of {BATCH} × {BANDS} × {FRAMES} in float32"
    under = f"{what}, by `python -m benchmarks.bench_levels` on {machine}; processor time, the best of three."
    put_table(DOCS / "own-spectrograms.md", "meter", rows, under)
    table = [("`--to`", "written a second", "read in order", "read at random", "MB", "files")]
    for to, one in held.items():
        written, in_order, at_random = (f"{one[name]:,.0f}" for name in ("write", "in order", "at random"))
        table.append((f"`{to}`", written, in_order, at_random, f"{one['MB']:.0f}", f"{one['files']:.0f}"))
    under = (
        f"{CLIPS} levels of {BANDS} × {FRAMES} in float32 through `apply` and back through `read_level`: clips a "
        f"second of one core's processor time, in one run on {machine}. Levels on a coarse grid compress further in "
        "`parquet` than real ones do."
    )
    put_table(DOCS / "own-spectrograms.md", "stores", table, under)


if __name__ == "__main__":
    main()
