"""`StandardScaler` of scikit-learn, as a `.skops` archive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import override

from spectronorm.interop.statistics.bounded import (
    json_object,
    member,
    npy_array,
    npy_file_of,
    opened_zip,
    zip_names,
    zipped,
)
from spectronorm.interop.statistics.from_moments import from_std
from spectronorm.interop.statistics.statistics_format import STATISTICS_FORMATS, ShiftAndScale, StatisticsFormat
from spectronorm.storage import atomic_write

_SCHEMA = "schema.json"
_VERSION = "1.6.0"


@STATISTICS_FORMATS.register("sklearn")
class SklearnScaler(StatisticsFormat):
    """scikit-learn's StandardScaler, saved by skops: mean_, var_, scale_ and n_samples_seen_."""

    suffix = ".skops"
    convention = "(x - mean_) / scale_"
    counts = True
    lacks = (
        "The scaler's bands are columns: pass frames as rows, level.T.",
        f"scikit-learn warns that the scaler was saved by version {_VERSION}, whose form the file has.",
    )

    @override
    def recognizes(self, path: Path) -> bool:
        return _SCHEMA in zip_names(path)

    @override
    def read(self, path: Path) -> ShiftAndScale:
        with opened_zip(path) as archive:
            schema = json_object(member(archive, _SCHEMA))
            if schema.get("__class__") != "StandardScaler":
                raise ValueError(f"it holds a {schema.get('__class__')!r:.60}, not a StandardScaler")
            parts = schema["content"]["content"]
            if not all(json.loads(parts[name]["content"]) is True for name in ("with_mean", "with_std")):
                raise ValueError("its scaler subtracts no mean or divides by no deviation")
            arrays = {
                name: npy_array(member(archive, str(parts[name]["file"])))
                for name in ("mean_", "scale_", "n_samples_seen_")
            }
            count = float(arrays["n_samples_seen_"].reshape(-1)[0])
            if not 1 <= count < 1e30:
                raise ValueError(f"the count is {count:g}, but must be at least 1")
            return from_std(arrays["mean_"], arrays["scale_"], count=count)

    @override
    def write(self, path: Path, numbers: ShiftAndScale) -> None:
        count = max(1, round(numbers.count or 1))
        arrays = {
            "mean_": numbers.shift,
            "var_": numbers.scale**2,
            "scale_": numbers.scale,
            "n_samples_seen_": np.int64(count),
        }
        numbered = {name: index for index, name in enumerate(arrays, 100)}
        files = {f"{numbered[name]}.npy": npy_file_of(array) for name, array in arrays.items()}
        schema = json.dumps(_schema(numbered, numbers.shift.size), indent=2)
        with atomic_write(path) as file:
            file.write(zipped({**files, _SCHEMA: schema.encode()}))


def _schema(arrays: dict[str, int], size: int) -> dict[str, Any]:
    plain = {"with_mean": True, "with_std": True, "copy": True, "n_features_in_": size, "_sklearn_version": _VERSION}
    content: dict[str, Any] = {
        name: {**_node("str", "builtins", "JsonNode", index), "content": json.dumps(value), "is_json": True}
        for index, (name, value) in enumerate(plain.items(), 200)
    }
    for name, index in arrays.items():
        kind = "int64" if name == "n_samples_seen_" else "ndarray"
        content[name] = {**_node(kind, "numpy", "NdArrayNode", index), "type": "numpy", "file": f"{index}.npy"}
    names = {
        "__class__": "list",
        "__module__": "builtins",
        "__loader__": "ListNode",
        "content": [_node("str", "builtins", "TypeNode", 300) for _ in content],
        "__id__": 301,
    }
    inner = {**_node("dict", "builtins", "DictNode", 302), "content": content, "key_types": names}
    outer = _node("StandardScaler", "sklearn.preprocessing._data", "ObjectNode", 303)
    return {**outer, "content": inner, "protocol": 2, "_skops_version": "0.11.0"}


def _node(name: str, module: str, loader: str, index: int) -> dict[str, Any]:
    return {"__class__": name, "__module__": module, "__loader__": loader, "__id__": index}
