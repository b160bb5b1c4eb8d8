"""`global_cmvn` of WeNet and PaddleSpeech: a JSON object of sums."""

from __future__ import annotations

import json
from pathlib import Path

from typing_extensions import override

from spectronorm.interop.statistics.bounded import json_keys, json_object, whole_file
from spectronorm.interop.statistics.fingerprints import fingerprint_in
from spectronorm.interop.statistics.from_moments import from_sums, sums_of
from spectronorm.interop.statistics.kaldi import LEAST_STD
from spectronorm.interop.statistics.statistics_format import STATISTICS_FORMATS, ShiftAndScale, StatisticsFormat
from spectronorm.storage import write_text


@STATISTICS_FORMATS.register("wenet")
class WeNet(StatisticsFormat):
    """WeNet's and PaddleSpeech's global_cmvn: JSON with mean_stat, var_stat (sums) and frame_num."""

    suffix = ".json"
    convention = "(x - mean) · istd, from sums and sums of squares"
    least_std = LEAST_STD
    counts = additive = marks = True
    preset = "wenet"

    @override
    def recognizes(self, path: Path) -> bool:
        return json_keys(path) >= {"mean_stat", "var_stat", "frame_num"}

    @override
    def read(self, path: Path) -> ShiftAndScale:
        plain = json_object(whole_file(path))
        sums, squares, count = plain["mean_stat"], plain["var_stat"], plain["frame_num"]
        return from_sums(sums, squares, count, LEAST_STD, fingerprint=fingerprint_in(plain))

    @override
    def write(self, path: Path, numbers: ShiftAndScale) -> None:
        count, sums, squares = sums_of(numbers)
        plain = {"mean_stat": sums.tolist(), "var_stat": squares.tolist(), "frame_num": count}
        if count == int(count):
            plain["frame_num"] = int(count)
        if numbers.fingerprint:
            plain["spectronorm"] = {"fingerprint": numbers.fingerprint}
        write_text(path, json.dumps(plain) + "\n")
