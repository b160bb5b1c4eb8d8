"""`global_stats.json` of torchaudio's RNN-T recipes: means and inverse deviations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typing_extensions import override

from spectronorm.interop.statistics.bounded import json_keys, json_object, whole_file
from spectronorm.interop.statistics.fingerprints import fingerprint_in
from spectronorm.interop.statistics.from_moments import from_inverse_std
from spectronorm.interop.statistics.statistics_format import STATISTICS_FORMATS, ShiftAndScale, StatisticsFormat
from spectronorm.storage import write_text


@STATISTICS_FORMATS.register("torchaudio")
class TorchaudioStatistics(StatisticsFormat):
    """torchaudio's global_stats.json of its RNN-T recipes and pipelines: mean and invstddev."""

    suffix = ".json"
    convention = "(x - mean) · invstddev"
    marks = True
    lacks = ("The recipes compress piecewise (x / e below e, else ln x): measure their features, not ln.",)

    @override
    def recognizes(self, path: Path) -> bool:
        return json_keys(path) >= {"mean", "invstddev"}

    @override
    def read(self, path: Path) -> ShiftAndScale:
        plain = json_object(whole_file(path))
        return from_inverse_std(plain["mean"], plain["invstddev"], fingerprint=fingerprint_in(plain))

    @override
    def write(self, path: Path, numbers: ShiftAndScale) -> None:
        plain: dict[str, Any] = {"mean": numbers.shift.tolist(), "invstddev": (1.0 / numbers.scale).tolist()}
        if numbers.fingerprint:
            plain["spectronorm"] = {"fingerprint": numbers.fingerprint}
        write_text(path, json.dumps(plain, indent=2) + "\n")
