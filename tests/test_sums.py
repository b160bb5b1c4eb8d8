"""Means of samples are added in one order, so they have the same bits on every processor."""

from __future__ import annotations

import math
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectronorm.kernels.sums import mean_of, mean_square

_PROGRAM = """
import numpy as np
from spectronorm.kernels.sums import mean_of, mean_square

state, values = 1, []
for _ in range(1500):
    state = (state * 1664525 + 1013904223) % 2**32
    values.append(state / 2**32)
for dtype in (np.float32, np.float64):
    for count in (1, 3, 7, 31, 33, 511, 512, 1500):
        samples = np.array(values[:count], dtype)
        print(mean_of(samples).hex(), mean_square(samples, 0.25).hex())
"""


@given(st.integers(1, 1200), st.sampled_from([np.float32, np.float64]), st.integers(0, 99))
def test_means_are_those_of_exact_sums(count: int, dtype: type, seed: int) -> None:
    """Thirty-two partial sums, four and one come close to the exact sum."""
    samples = (np.random.default_rng(seed).standard_normal(count) + 0.3).astype(dtype)
    mean = mean_of(samples)

    assert mean == pytest.approx(math.fsum(samples) / count, abs=1e-13)
    exact = math.fsum((float(x) - mean) ** 2 for x in samples) / count
    assert mean_square(samples, mean) == pytest.approx(exact, rel=1e-13, abs=1e-30)


@pytest.mark.parametrize(
    "setting", [{"NUMBA_CPU_NAME": "x86-64-v2"}, {"NUMBA_CPU_NAME": "x86-64-v3"}, {"NUMBA_DISABLE_JIT": "1"}]
)
def test_other_processors_and_numpy_give_the_same_bits(setting: dict[str, str], tmp_path: Path) -> None:
    """Machine code for shorter vectors or without fused operations rounds alike, and so does NumPy's way."""
    if "NUMBA_CPU_NAME" in setting and platform.machine() not in {"x86_64", "AMD64"}:
        pytest.skip("compiles for x86 processors")
    there = {"NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(tmp_path), **setting}
    told = [
        subprocess.run(
            [sys.executable, "-c", _PROGRAM], env=os.environ | more, check=True, capture_output=True, text=True
        ).stdout
        for more in ({}, there)
    ]

    assert told[0] == told[1]
    assert len(told[0].split()) == 32
