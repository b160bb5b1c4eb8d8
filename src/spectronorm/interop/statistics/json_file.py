"""JSON object with `mean` and `std`: each a number, or a list with one number for each band."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typing_extensions import override

from spectronorm.interop.statistics.bounded import json_keys, json_object, whole_file
from spectronorm.interop.statistics.fingerprints import fingerprint_in
from spectronorm.interop.statistics.from_moments import from_std
from spectronorm.interop.statistics.statistics_format import STATISTICS_FORMATS, ShiftAndScale, StatisticsFormat
from spectronorm.storage.atomic import write_text

_NAMES = (("mean", "std"), ("fbank_mean", "fbank_std"), ("mel_mean", "mel_std"))
"""Names of mean and standard deviation: of most scripts, of icefall, and of Matcha-TTS."""


@STATISTICS_FORMATS.register("json")
class JsonFile(StatisticsFormat):
    """JSON with mean and std, as training scripts write it; also icefall's fbank_mean and Matcha-TTS's mel_mean."""

    per_band = False
    suffix = ".json"
    marks = True

    @override
    def recognizes(self, path: Path) -> bool:
        keys = json_keys(path)
        return "feature_extractor_type" not in keys and any(keys >= set(names) for names in _NAMES)

    @override
    def read(self, path: Path) -> ShiftAndScale:
        plain = json_object(whole_file(path))
        mean, std = next((names for names in _NAMES if names[0] in plain), _NAMES[0])
        return from_std(plain[mean], plain[std], fingerprint=fingerprint_in(plain))

    @override
    def write(self, path: Path, numbers: ShiftAndScale) -> None:
        plain: dict[str, Any] = {"mean": numbers.shift.tolist(), "std": numbers.scale.tolist()}
        if numbers.fingerprint:
            plain["spectronorm"] = {"fingerprint": numbers.fingerprint}
        write_text(path, json.dumps(plain) + "\n")
