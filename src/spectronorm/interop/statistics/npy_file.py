"""NumPy array with two rows: means and standard deviations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from typing_extensions import override

from spectronorm.interop.statistics.bounded import is_npy, npy_array, npy_file_of, whole_file
from spectronorm.interop.statistics.from_moments import from_std
from spectronorm.interop.statistics.statistics_format import STATISTICS_FORMATS, ShiftAndScale, StatisticsFormat
from spectronorm.storage import atomic_write


@STATISTICS_FORMATS.register("npy")
class NpyFile(StatisticsFormat):
    """NumPy's .npy with two rows, mean and std, as of ParallelWaveGAN."""

    per_band = False
    suffix = ".npy"

    @override
    def recognizes(self, path: Path) -> bool:
        if not is_npy(path):
            return False
        array = npy_array(whole_file(path))
        return array.shape == (2,) or bool(array.ndim == 2 and len(array) == 2 and array.size and array[1, -1] != 0)

    @override
    def read(self, path: Path) -> ShiftAndScale:
        array = npy_array(whole_file(path))
        if array.ndim not in (1, 2) or array.shape[0] != 2:
            raise ValueError(f"its array has the shape {array.shape}, but must be (2, bands): means, then deviations")
        return from_std(array[0], array[1])

    @override
    def write(self, path: Path, numbers: ShiftAndScale) -> None:
        with atomic_write(path) as file:
            file.write(npy_file_of(np.stack([numbers.shift, numbers.scale])))
