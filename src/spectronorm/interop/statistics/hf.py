"""`preprocessor_config.json` of Hugging Face's extractors that hold numbers of a data set: AST, Gemma3n and Gemma4."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typing_extensions import override

from spectronorm.interop.statistics.bounded import json_keys, json_object, whole_file
from spectronorm.interop.statistics.fingerprints import fingerprint_in
from spectronorm.interop.statistics.from_moments import from_std
from spectronorm.interop.statistics.statistics_format import STATISTICS_FORMATS, ShiftAndScale, StatisticsFormat
from spectronorm.storage import write_text

_KIND = "feature_extractor_type"
_AST_FACTOR = 2.0


@STATISTICS_FORMATS.register("hf")
class HuggingFace(StatisticsFormat):
    """Hugging Face's preprocessor_config.json: AST (one number, twice the std) and Gemma3n or Gemma4 (each band)."""

    per_band = False
    padding = "zero-level"
    suffix = ".json"
    convention = "AST: (x - mean) / (2 · std); Gemma: (x - mean) / std"
    marks = True
    preset = "ast"
    lacks = ("The extractor computes its own features: only numbers that were measured with them are right.",)

    @override
    def recognizes(self, path: Path) -> bool:
        keys = json_keys(path)
        return _KIND in keys and ({"mean", "std"} <= keys or {"per_bin_mean", "per_bin_stddev"} <= keys)

    @override
    def read(self, path: Path) -> ShiftAndScale:
        plain = json_object(whole_file(path))
        more: dict[str, Any] = {"fingerprint": fingerprint_in(plain), "sample_rate": _whole(plain.get("sampling_rate"))}
        if "per_bin_mean" in plain:
            if plain["per_bin_mean"] is None:
                raise ValueError("its per_bin_mean is null, so it has no numbers")
            return from_std(plain["per_bin_mean"], plain["per_bin_stddev"], **more)
        if plain.get("do_normalize") is False:
            raise ValueError("its do_normalize is false, so its origin applies no numbers")
        bands = _whole(plain.get("num_mel_bins"))
        more |= {"factor": _AST_FACTOR, "padding": "zero-level"}
        return from_std(plain["mean"], plain["std"], bands=bands, **more)

    @override
    def write(self, path: Path, numbers: ShiftAndScale) -> None:
        plain = _gemma(numbers) if numbers.shift.size > 1 else _ast(numbers)
        plain |= {"sampling_rate": numbers.sample_rate or 16_000}
        if numbers.fingerprint:
            plain["spectronorm"] = {"fingerprint": numbers.fingerprint}
        write_text(path, json.dumps(plain, indent=2, sort_keys=True) + "\n")


def _ast(numbers: ShiftAndScale) -> dict[str, Any]:
    return {
        _KIND: "ASTFeatureExtractor",
        "do_normalize": True,
        "feature_size": 1,
        "max_length": 1024,
        "mean": float(numbers.shift[0]),
        "num_mel_bins": numbers.bands or 128,
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": False,
        "std": float(numbers.scale[0]) / _AST_FACTOR,
    }


def _gemma(numbers: ShiftAndScale) -> dict[str, Any]:
    return {
        _KIND: "Gemma3nAudioFeatureExtractor",
        "feature_size": numbers.shift.size,
        "padding_side": "right",
        "padding_value": 0.0,
        "per_bin_mean": [[numbers.shift.tolist()]],
        "per_bin_stddev": [[numbers.scale.tolist()]],
        "return_attention_mask": True,
    }


def _whole(value: Any) -> int | None:
    if value is None:
        return None
    if type(value) is not int or not 0 < value < 1 << 31:
        raise ValueError(f"{value!r:.40} is not a rate in hertz or a number of bands")
    return value
