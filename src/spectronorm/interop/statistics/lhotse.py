"""Statistics of Lhotse: the state of its `GlobalMVN`, or what `compute_global_feature_stats` pickles."""

from __future__ import annotations

from pathlib import Path

from typing_extensions import override

from spectronorm.interop.statistics.bounded import first_bytes, whole_file
from spectronorm.interop.statistics.from_moments import from_std
from spectronorm.interop.statistics.pickled import pickled
from spectronorm.interop.statistics.statistics_format import STATISTICS_FORMATS, ShiftAndScale, StatisticsFormat
from spectronorm.interop.statistics.torch_file import torch_archive, torch_bytes, torch_names
from spectronorm.storage import atomic_write


@STATISTICS_FORMATS.register("lhotse")
class Lhotse(StatisticsFormat):
    """Lhotse's GlobalMVN: norm_means and norm_stds, as a torch archive (written) or its own pickle (read too)."""

    suffix = ".pt"
    preset = "lhotse"
    lacks = ("The file holds float32: numbers are rounded to 7 digits.",)

    @override
    def recognizes(self, path: Path) -> bool:
        return torch_names(path) >= {"norm_means", "norm_stds"}

    @override
    def read(self, path: Path) -> ShiftAndScale:
        zipped = first_bytes(path).startswith(b"PK")
        value = torch_archive(path) if zipped else pickled(whole_file(path))
        return from_std(value["norm_means"], value["norm_stds"])

    @override
    def write(self, path: Path, numbers: ShiftAndScale) -> None:
        values = {"norm_means": numbers.shift.astype("float32"), "norm_stds": numbers.scale.astype("float32")}
        with atomic_write(path) as file:
            file.write(torch_bytes(values, ordered=True))
