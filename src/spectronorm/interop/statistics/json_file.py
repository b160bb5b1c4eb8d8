"""JSON object with `mean` and `std`: each a number, or a list with one number for each band."""

from __future__ import annotations

import json
from pathlib import Path

from typing_extensions import override

from spectronorm.interop.statistics.statistics_format import STATISTICS_FORMATS, ShiftAndScale, StatisticsFormat
from spectronorm.storage.atomic import write_text


@STATISTICS_FORMATS.register("json")
class JsonFile(StatisticsFormat):
    """File with `{"mean": [...], "std": [...]}`, as written by training scripts."""

    @override
    def recognizes(self, path: Path) -> bool:
        return path.suffix.lower() == ".json"

    @override
    def read(self, path: Path) -> ShiftAndScale:
        try:
            plain = json.loads(path.read_text(encoding="utf-8"))
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        return ShiftAndScale(plain["mean"], plain["std"])

    @override
    def write(self, path: Path, numbers: ShiftAndScale) -> None:
        plain = {"mean": numbers.shift.tolist(), "std": numbers.scale.tolist()}
        write_text(path, json.dumps(plain) + "\n")
