"""`Normalize(mean=…, std=…)` of torchvision, as a line of code to paste."""

from __future__ import annotations

import re
from pathlib import Path

from typing_extensions import override

from spectronorm.interop.statistics.bounded import whole_file
from spectronorm.interop.statistics.from_moments import from_std
from spectronorm.interop.statistics.statistics_format import STATISTICS_FORMATS, ShiftAndScale, StatisticsFormat
from spectronorm.storage import write_text

_LIST = r"[\[(]([^\[\]()]*)[\])]"
_CALL = re.compile(rf"Normalize\(\s*(?:mean\s*=\s*)?{_LIST}\s*,\s*(?:std\s*=\s*)?{_LIST}", re.DOTALL)
_MOST_TEXT = 1 << 20


@STATISTICS_FORMATS.register("torchvision")
class TorchvisionText(StatisticsFormat):
    """torchvision's Normalize(mean=…, std=…) in a text or Python file; the file is only searched, never run."""

    per_band = False
    suffix = ".txt"
    lacks = ("torchvision's channels are images' first axis: move the bands there, or use one number.",)

    @override
    def recognizes(self, path: Path) -> bool:
        if path.suffix.lower() not in (".py", ".txt") or path.stat().st_size > _MOST_TEXT:
            return False
        return _CALL.search(whole_file(path).decode("utf-8")) is not None

    @override
    def read(self, path: Path) -> ShiftAndScale:
        found = _CALL.findall(whole_file(path).decode("utf-8"))
        if len(found) != 1:
            raise ValueError(f"it has {len(found)} calls of Normalize with numbers, but must have one")
        mean, std = ([float(word) for word in text.split(",") if word.strip()] for text in found[0])
        return from_std(mean, std)

    @override
    def write(self, path: Path, numbers: ShiftAndScale) -> None:
        mean, std = numbers.shift.tolist(), numbers.scale.tolist()
        write_text(path, f"torchvision.transforms.Normalize(mean={mean!r}, std={std!r})\n")
