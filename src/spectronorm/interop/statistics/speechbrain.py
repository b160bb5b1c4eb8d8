"""`normalizer.ckpt` of SpeechBrain: a torch archive with running mean and deviation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from typing_extensions import override

from spectronorm.interop.statistics.fingerprints import fingerprint_in
from spectronorm.interop.statistics.from_moments import from_std
from spectronorm.interop.statistics.statistics_format import STATISTICS_FORMATS, ShiftAndScale, StatisticsFormat
from spectronorm.interop.statistics.torch_file import torch_archive, torch_bytes, torch_names
from spectronorm.storage import atomic_write

_LEAST_STD = 1e-10


@STATISTICS_FORMATS.register("speechbrain")
class SpeechBrain(StatisticsFormat):
    """SpeechBrain's normalizer.ckpt (InputNormalization): count, glob_mean and glob_std as float32."""

    suffix = ".ckpt"
    least_std = _LEAST_STD
    counts = marks = True
    lacks = (
        "The file holds float32: numbers are rounded to 7 digits.",
        "SpeechBrain's Fbank has filters of its own: measure its features.",
    )

    @override
    def recognizes(self, path: Path) -> bool:
        return torch_names(path) >= {"count", "glob_mean", "glob_std"}

    @override
    def read(self, path: Path) -> ShiftAndScale:
        value = torch_archive(path)
        count = value["count"]
        if type(count) is not int or count < 1:
            raise ValueError(f"the count is {count!r:.40}, but must be at least 1")
        fingerprint = fingerprint_in({"spectronorm": {"fingerprint": value["spectronorm"]}} if _marked(value) else {})
        return from_std(value["glob_mean"], value["glob_std"], _LEAST_STD, count=float(count), fingerprint=fingerprint)

    @override
    def write(self, path: Path, numbers: ShiftAndScale) -> None:
        values: dict[str, Any] = {
            "count": max(1, round(numbers.count or 1)),
            "glob_mean": numbers.shift.astype("float32"),
            "glob_std": numbers.scale.astype("float32"),
            "spk_dict_mean": {},
            "spk_dict_std": {},
            "spk_dict_count": {},
        }
        if numbers.fingerprint:
            values["spectronorm"] = numbers.fingerprint
        with atomic_write(path) as file:
            file.write(torch_bytes(values))


def _marked(value: object) -> bool:
    return isinstance(value, dict) and "spectronorm" in value
