"""A planted effect that a model must keep bands to see, and its null: per-band against global normalization.

    python -m benchmarks.planted [--models linear mlp tiny]

Every third band swings by 30 dB from clip to clip and says nothing; the others swing by 1 dB, and their pattern tells
two classes apart. A ridge classifier on the bands' means is the yardstick. In the null all bands swing alike. One
thread; a minute or two of processor time.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray

import spectronorm as sn
from benchmarks.measure import RESULTS, circumstances
from spectronorm.experiment import Design, Results, Training, compare, labelled_clips, parse_arms, prepare

RATE, N_FFT, CLIPS, FOLDS = 1000, 64, 400, 5
FRONT_END = sn.FrontEnd(
    RATE,
    stft=sn.STFT(n_fft=N_FFT, hop_length=32, center=False, window="boxcar"),
    bands=sn.Linear(drop_nyquist=True),
    compress=sn.Decibel(floor_db=-120.0),
)
PATTERN = 0.34
"""Half the distance of the classes in each telling band, in its deviations of 1 dB."""


def write_clips(folder: Path, *, drowned: bool, seed: int = 0) -> Path:
    """Write clips with a sine in each band, and a table of them; return the table."""
    generator = np.random.default_rng(seed)
    bins, time_axis = np.arange(N_FFT // 2), np.arange(256) / RATE
    swing = np.where(bins % 3 == 0, 30.0, 1.0) if drowned else np.full(len(bins), 4.0)
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["linear", "mlp"])
    parser.add_argument("--seeds", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    print(
        "| data | model | band − global (points) | bootstrap 95 % | over folds 95 % | word | CPU (s) |\n"
        + "| --- " * 7
        + "|"
    )
    for drowned in (True, False):
        with tempfile.TemporaryDirectory() as folder:
            table = write_clips(Path(folder), drowned=drowned)
            name = "planted" if drowned else "null"
            print(
                f"| {name} | ridge | {100 * (ridge(table, 'band') - ridge(table, 'global')):+.1f} | | | | |", flush=True
            )
            for model in given.models:
                begin = time.process_time()
                training = Training(model=model, epochs=20, device="cpu")
                design = Design(parse_arms("global,band", FRONT_END), training, given.seeds)
                out = Path(folder) / model
                ready = prepare(labelled_clips(sn.open_source(table)), design, out)
                verdict = compare(ready, Results(out, ready.settings())).answer.accuracy.verdicts[0]
                found, folds = verdict.difference, verdict.difference.units
                row = {
                    "data": name,
                    "model": model,
                    "difference": found.estimate,
                    "bootstrap": [found.bootstrap.low, found.bootstrap.high],
                    "folds": None if folds is None else [folds.low, folds.high],
                    "word": verdict.word,
                    "seconds": time.process_time() - begin,
                }
                rows.append(row)
                spread = "–" if folds is None else f"{100 * folds.low:+.1f} … {100 * folds.high:+.1f}"
                print(
                    f"| {name} | {model} | {100 * found.estimate:+.1f} | {100 * found.bootstrap.low:+.1f} … "
                    f"{100 * found.bootstrap.high:+.1f} | {spread} | {verdict.word} | {row['seconds']:.0f} |",
                    flush=True,
                )
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "planted.json").write_text(json.dumps({"rows": rows, **circumstances()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
