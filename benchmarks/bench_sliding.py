"""Sliding normalization against a Python loop over frames: `python -m benchmarks.bench_sliding`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import spectronorm as sn
from benchmarks.measure import Figure, alternate, ratio, report

FRAMES, BANDS, LENGTH, ROUNDS = 2000, 64, 600, 15


def loop(level: NDArray[np.float64]) -> NDArray[Any]:
    """One NumPy mean and standard deviation a frame, over the same windows."""
    y = np.empty_like(level)
    for t in range(level.shape[-1]):
        start = min(max(t - LENGTH // 2, 0), level.shape[-1] - LENGTH)
        window = level[:, start : start + LENGTH]
        y[:, t] = (level[:, t] - window.mean(axis=-1)) / window.std(axis=-1)
    return y


def main() -> None:
    """Measure, compare the results, and report."""
    level = np.random.default_rng(0).normal(-30.0, 12.0, size=(BANDS, FRAMES))
    tensor = torch.from_numpy(level)
    difference = float(np.abs(loop(level) - sn.normalize.sliding_standardize(level, LENGTH)[0]).max())
    seconds = alternate(
        {
            "loop": lambda: loop(level),
            "numpy": lambda: sn.normalize.sliding_standardize(level, LENGTH),
            "torch": lambda: sn.normalize.sliding_standardize(tensor, LENGTH),
        },
        ROUNDS,
    )
    numpy_ratio, torch_ratio = (ratio(seconds, "loop", name) for name in ("numpy", "torch"))
    figures = [
        Figure("loop over frames / sliding_standardize, NumPy", numpy_ratio, "x", ">= 100", numpy_ratio >= 100),
        Figure("loop over frames / sliding_standardize, torch", torch_ratio, "x", "> 1", torch_ratio > 1),
        Figure("largest difference from the loop", difference, "1", "<= 1e-9", difference <= 1e-9),
    ]
    title = f"Sliding normalization, {FRAMES} frames x {BANDS} bands, window {LENGTH}"
    report(title, figures, {"rounds": ROUNDS}, "sliding.json")


if __name__ == "__main__":
    main()
