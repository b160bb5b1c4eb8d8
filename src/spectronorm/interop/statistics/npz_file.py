"""NumPy archive with `mean` and `std`."""

from __future__ import annotations

from pathlib import Path

from typing_extensions import override

from spectronorm.interop.statistics.bounded import member, npy_array, npy_file_of, opened_zip, zip_names, zipped
from spectronorm.interop.statistics.fingerprints import fingerprint_member, fingerprint_of
from spectronorm.interop.statistics.from_moments import from_std
from spectronorm.interop.statistics.statistics_format import STATISTICS_FORMATS, ShiftAndScale, StatisticsFormat
from spectronorm.storage import atomic_write


@STATISTICS_FORMATS.register("npz")
class NpzFile(StatisticsFormat):
    """NumPy's .npz with the arrays mean and std."""

    per_band = False
    suffix = ".npz"
    marks = True

    @override
    def recognizes(self, path: Path) -> bool:
        return zip_names(path) >= {"mean.npy", "std.npy"}

    @override
    def read(self, path: Path) -> ShiftAndScale:
        with opened_zip(path) as archive:
            mean, std = (npy_array(member(archive, name)) for name in ("mean.npy", "std.npy"))
            return from_std(mean, std, fingerprint=fingerprint_of(archive))

    @override
    def write(self, path: Path, numbers: ShiftAndScale) -> None:
        members = {"mean.npy": npy_file_of(numbers.shift), "std.npy": npy_file_of(numbers.scale)}
        if numbers.fingerprint:
            members |= fingerprint_member(numbers.fingerprint)
        with atomic_write(path) as file:
            file.write(zipped(members))
