"""`am.mvn` of FunASR: a text in the form of Kaldi's nnet1, with negative means and inverse deviations."""

from __future__ import annotations

import re
from pathlib import Path

from typing_extensions import override

from spectronorm.interop.statistics.bounded import first_bytes, whole_file
from spectronorm.interop.statistics.from_moments import from_inverse_std
from spectronorm.interop.statistics.statistics_format import STATISTICS_FORMATS, ShiftAndScale, StatisticsFormat
from spectronorm.storage import write_text

_LINE = r"<{0}>\s+(\d{{1,6}})\s+(\d{{1,6}})\s+<LearnRateCoef>\s+\S{{1,20}}\s+\[([^\]<]*)\]"


@STATISTICS_FORMATS.register("funasr")
class FunAsr(StatisticsFormat):
    """FunASR's am.mvn: AddShift (negative means) and Rescale (inverse deviations), often of 7 stacked frames."""

    suffix = ".mvn"
    convention = "(x + shift) · rescale"
    preset = "funasr"
    lacks = ("FunASR applies the numbers after stacking frames: repeat them for each stacked frame.",)

    @override
    def recognizes(self, path: Path) -> bool:
        return first_bytes(path, 64).lstrip().startswith(b"<Nnet>")

    @override
    def read(self, path: Path) -> ShiftAndScale:
        text = whole_file(path).decode("utf-8")
        negative, inverse = (_vector(text, name) for name in ("AddShift", "Rescale"))
        return from_inverse_std([-value for value in negative], inverse)

    @override
    def write(self, path: Path, numbers: ShiftAndScale) -> None:
        size = numbers.shift.size
        lines = [
            "<Nnet>",
            f"<Splice> {size} {size}",
            "[ 0 ]",
            f"<AddShift> {size} {size}",
            f"<LearnRateCoef> 0 [ {' '.join(map(repr, (-numbers.shift).tolist()))} ]",
            f"<Rescale> {size} {size}",
            f"<LearnRateCoef> 0 [ {' '.join(map(repr, (1.0 / numbers.scale).tolist()))} ]",
            "</Nnet>",
        ]
        write_text(path, "\n".join(lines) + "\n")


def _vector(text: str, name: str) -> list[float]:
    found = re.search(_LINE.format(name), text)
    if found is None:
        raise ValueError(f"it has no <{name}> with its numbers")
    values = [float(word) for word in found[3].split()]
    if not int(found[1]) == int(found[2]) == len(values):
        raise ValueError(f"its <{name}> claims {found[1]} numbers, but has {len(values)}")
    return values
