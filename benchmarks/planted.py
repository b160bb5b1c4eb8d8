"""A planted effect that a model must keep bands to see, and its null: per-band against global normalization.

    python -m benchmarks.planted [--models linear mlp tiny] [--rates 0.0005 0.005] [--swing 14]

Every third band swings by 14 dB from clip to clip and says nothing; the others swing by 1 dB, and their pattern tells
two classes apart. A ridge classifier on the bands' means is the yardstick. In the null all bands swing alike. One
thread; about two minutes of processor time.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray

import spectronorm as sn
from benchmarks.document import put_table
from benchmarks.measure import RESULTS, circumstances
from spectronorm.experiment import Design, Results, Training, compare, labelled_clips, parse_arms, prepare
from spectronorm.experiment.answer.points import points

PAGE = Path(__file__).parent.parent / "docs" / "experiment.md"
RATE, N_FFT, CLIPS, FOLDS = 1000, 64, 400, 5
FRONT_END = sn.FrontEnd(
    RATE,
    stft=sn.STFT(n_fft=N_FFT, hop_length=32, center=False, window="boxcar"),
    bands=sn.Linear(drop_nyquist=True),
    compress=sn.Decibel(floor_db=-120.0),
)
PATTERN = 0.34
"""Half the distance of the classes in each telling band, in its deviations of 1 dB."""
_HEAD = (
    "data",
    "model",
    "learning rate",
    "global (%)",
    "band (%)",
    "band − global (points)",
    "bootstrap 95 %",
    "over folds 95 %",
    "word",
    "processor time",
)


def write_clips(folder: Path, *, drowned: bool, seed: int = 0, swing_db: float = 14.0) -> Path:
    """Write clips with a sine in each band, and a table of them; return the table."""
    generator = np.random.default_rng(seed)
    bins, time_axis = np.arange(N_FFT // 2), np.arange(256) / RATE
    swing = np.where(bins % 3 == 0, swing_db, 1.0) if drowned else np.full(len(bins), 4.0)
    pattern = np.where(bins % 2 == 0, PATTERN, -PATTERN) * swing
    pattern[bins % 3 == 0] = 0.0
    rows = ["path,label,fold,recording"]
    for index in range(CLIPS):
        label = index // FOLDS % 2
        level = -60.0 + swing * generator.uniform(-(3**0.5), 3**0.5, len(bins)) + pattern * (1 if label else -1)
        phase = generator.uniform(0, 2 * np.pi, len(bins))
        phase[0] = 0.0
        sines = np.cos(2 * np.pi * bins[:, None] * RATE / N_FFT * time_axis + phase[:, None])
        soundfile.write(folder / f"{index:03d}.wav", 10 ** (level / 20) @ sines, RATE, subtype="FLOAT")
        rows.append(f"{index:03d}.wav,{'up' if label else 'down'},{index % FOLDS + 1},r{index}")
    (folder / "clips.csv").write_text("\n".join(rows) + "\n")
    return folder / "clips.csv"


def ridge(table: Path, per: str) -> float:
    """Accuracy of ridge regression on the bands' means, over folds, with a penalty as for deviations of one."""
    source = sn.open_source(table)
    profile = sn.fit(source, FRONT_END, group_by=("fold",))
    means = {clip.name: FRONT_END.clip_level(sn.read(clip.path, RATE)).mean(axis=1) for clip in source}
    right: list[bool] = []
    for fold in map(str, range(1, FOLDS + 1)):
        fitted = sn.Standardize(per).fit(profile.without(fold=fold))
        x = np.stack([fitted(means[clip.name][:, None])[:, 0] for clip in source])
        y = np.array([1.0 if clip.columns["label"] == "up" else -1.0 for clip in source])
        held = np.array([clip.columns["fold"] == fold for clip in source])
        right += (np.sign(x[held] @ _weights(x[~held], y[~held])) == y[held]).tolist()
    return float(np.mean(right))


def _weights(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.solve(x.T @ x + 100.0 * np.eye(x.shape[1]), x.T @ y))


def compared(table: Path, model: str, rate: float, seeds: int, out: Path) -> dict[str, Any]:
    """Compare both arms with a model and a learning rate."""
    begin = time.process_time()
    training = Training(model=model, epochs=20, learning_rate=rate, device="cpu")
    design = Design(parse_arms("global,band", FRONT_END), training, seeds)
    ready = prepare(labelled_clips(sn.open_source(table)), design, out)
    said = compare(ready, Results(out, ready.settings())).answer
    (verdict,) = said.primary.verdicts
    found, folds = verdict.difference, verdict.difference.units
    return {
        "model": model,
        "learning rate": rate,
        **{arm.arm: arm.mean for arm in said.primary.arms},
        "difference": found.estimate,
        "bootstrap": [found.bootstrap.low, found.bootstrap.high],
        "folds": None if folds is None else [folds.low, folds.high],
        "word": verdict.word,
        "seconds": time.process_time() - begin,
    }


def line(row: dict[str, Any]) -> tuple[str, ...]:
    """Format a row for the documentation."""
    boot, folds = row["bootstrap"], row["folds"]
    return (
        str(row["data"]),
        f"`{row['model']}`",
        f"{row['learning rate']:g}",
        points(row["global"], sign=False),
        points(row["band"], sign=False),
        points(row["difference"]),
        f"{points(boot[0])} … {points(boot[1])}",
        "–" if folds is None else f"{points(folds[0])} … {points(folds[1])}",
        str(row["word"]),
        f"{row['seconds']:.0f} s",
    )


def main() -> None:
    """Make the table, and with `--docs` put it into the documentation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["linear", "mlp"])
    parser.add_argument("--rates", nargs="+", type=float, default=[5e-4, 5e-3])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--swing", type=float, default=14.0, help="Swing of every third band in dB.")
    parser.add_argument("--docs", action="store_true", help="Put the table into docs/experiment.md.")
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    table: list[tuple[str, ...]] = [_HEAD]
    for name in ("planted", "null"):
        with tempfile.TemporaryDirectory() as folder:
            clips = write_clips(Path(folder), drowned=name == "planted", swing_db=given.swing)
            by_ridge = {per: ridge(clips, per) for per in ("global", "band")}
            shares = [points(by_ridge[per], sign=False) for per in ("global", "band")]
            table.append((name, "ridge", "", *shares, points(by_ridge["band"] - by_ridge["global"]), *[""] * 4))
            print(" | ".join(table[-1]), flush=True)
            for rate, model in itertools.product(given.rates, given.models):
                rows.append(
                    {"data": name, **compared(clips, model, rate, given.seeds, Path(folder) / f"{model}-{rate}")}
                )
                table.append(line(rows[-1]))
                print(" | ".join(table[-1]), flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "planted.json").write_text(json.dumps({"rows": rows, **circumstances()}, indent=1) + "\n")
    if given.docs:
        put_table(PAGE, "planted", table)


if __name__ == "__main__":
    main()
