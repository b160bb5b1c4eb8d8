"""`feats_stats.npz` of ESPnet: count, sums and sums of squares; older releases keep Kaldi's matrix as `.npy`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from typing_extensions import override

from spectronorm.interop.statistics.bounded import (
    is_npy,
    member,
    npy_array,
    npy_file_of,
    opened_zip,
    whole_file,
    zip_names,
    zipped,
)
from spectronorm.interop.statistics.fingerprints import fingerprint_member, fingerprint_of
from spectronorm.interop.statistics.from_moments import from_sums, sums_of
from spectronorm.interop.statistics.kaldi import LEAST_STD, from_matrix
from spectronorm.interop.statistics.statistics_format import STATISTICS_FORMATS, ShiftAndScale, StatisticsFormat
from spectronorm.storage import atomic_write

_NAMES = ("count.npy", "sum.npy", "sum_square.npy")


@STATISTICS_FORMATS.register("espnet")
class Espnet(StatisticsFormat):
    """ESPnet's feats_stats.npz: count, sum and sum_square; also the older .npy with Kaldi's matrix."""

    suffix = ".npz"
    convention = "(x - mean) / std, from sums and sums of squares"
    least_std = LEAST_STD
    counts = additive = marks = True
    preset = "espnet"

    @override
    def recognizes(self, path: Path) -> bool:
        if is_npy(path):
            array = npy_array(whole_file(path))
            return bool(array.ndim == 2 and array.shape[0] == 2 and array.shape[1] > 1 and array[1, -1] == 0)
        return zip_names(path) >= set(_NAMES)

    @override
    def read(self, path: Path) -> ShiftAndScale:
        if is_npy(path):
            return from_matrix(npy_array(whole_file(path)))
        with opened_zip(path) as archive:
            count, sums, squares = (npy_array(member(archive, name)) for name in _NAMES)
            return from_sums(sums, squares, count, LEAST_STD, fingerprint=fingerprint_of(archive))

    @override
    def write(self, path: Path, numbers: ShiftAndScale) -> None:
        count, sums, squares = sums_of(numbers)
        whole = np.int64(count) if count == int(count) else np.float64(count)
        arrays = (npy_file_of(whole), npy_file_of(sums), npy_file_of(squares))
        members = dict(zip(_NAMES, arrays, strict=True))
        if numbers.fingerprint:
            members |= fingerprint_member(numbers.fingerprint)
        with atomic_write(path) as file:
            file.write(zipped(members))
