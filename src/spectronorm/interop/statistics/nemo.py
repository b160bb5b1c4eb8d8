"""YAML of a NeMo model whose preprocessor has `fixed_mean` and `fixed_std`."""

from __future__ import annotations

import re
from pathlib import Path

from typing_extensions import override

from spectronorm.interop.statistics.bounded import whole_file
from spectronorm.interop.statistics.from_moments import from_std
from spectronorm.interop.statistics.statistics_format import STATISTICS_FORMATS, ShiftAndScale, StatisticsFormat
from spectronorm.storage import write_text

_KEYS = ("fixed_mean", "fixed_std")
_FLOW = r"(?m)^[ \t-]*['\"]?{0}['\"]?[ \t]*:\s*\[([^\]:]*)\]"
_BLOCK = r"(?m)^[ \t]*['\"]?{0}['\"]?[ \t]*:[ \t]*(?:#[^\n]*)?\n((?:[ \t]*-[ \t]+\S+[^\n]*(?:\n|\Z))+)"


@STATISTICS_FORMATS.register("nemo")
class NeMo(StatisticsFormat):
    """NeMo's YAML with preprocessor.normalize as a dict of fixed_mean and fixed_std."""

    suffix = ".yaml"
    preset = "nemo"
    lacks = ("NeMo (to 3.0.0) fails with these numbers in batches of more than one clip.",)

    @override
    def recognizes(self, path: Path) -> bool:
        if path.suffix.lower() not in (".yaml", ".yml"):
            return False
        text = whole_file(path).decode("utf-8")
        return all(f"{key}:" in text for key in _KEYS)

    @override
    def read(self, path: Path) -> ShiftAndScale:
        text = whole_file(path).decode("utf-8")
        mean, std = (_numbers(text, key) for key in _KEYS)
        return from_std(mean, std)

    @override
    def write(self, path: Path, numbers: ShiftAndScale) -> None:
        rows = zip(_KEYS, (numbers.shift, numbers.scale), strict=True)
        lines = [f"    {key}: [{', '.join(map(repr, values.tolist()))}]" for key, values in rows]
        rate = [] if numbers.sample_rate is None else [f"  sample_rate: {numbers.sample_rate}"]
        bands = [] if numbers.bands is None else [f"  features: {numbers.bands}"]
        target = "  _target_: nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor"
        write_text(path, "\n".join(["preprocessor:", target, *rate, *bands, "  normalize:", *lines]) + "\n")


def _numbers(text: str, key: str) -> list[float]:
    flow = re.findall(_FLOW.format(key), text)
    block = re.findall(_BLOCK.format(key), text)
    if len(flow) + len(block) != 1:
        raise ValueError(f"it has {len(flow) + len(block)} lists {key}, but must have one")
    if flow:
        words = [word.strip() for word in flow[0].split(",")]
        return [float(word) for word in (words[:-1] if not words[-1] else words)]
    return [float(line.strip().removeprefix("-").partition("#")[0]) for line in block[0].splitlines()]
