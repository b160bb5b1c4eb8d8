"""`.keras` archive with one `Normalization` layer."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typing_extensions import override

from spectronorm.errors import MissingExtra
from spectronorm.interop.statistics.bounded import json_object, member, opened_zip, zip_names, zipped
from spectronorm.interop.statistics.from_moments import from_variance
from spectronorm.interop.statistics.statistics_format import (
    MOST_NUMBERS,
    STATISTICS_FORMATS,
    ShiftAndScale,
    StatisticsFormat,
)
from spectronorm.storage import atomic_write

_LEAST_STD = 1e-7
_WEIGHTS = "model.weights.h5"
_EMPTY_WEIGHTS = "model.weights.npz"
_MOST_LAYERS = 10_000


@STATISTICS_FORMATS.register("keras")
class Keras(StatisticsFormat):
    """Keras's .keras with a Normalization layer: mean and variance, given in the configuration or adapted to data."""

    per_band = False
    suffix = ".keras"
    convention = "(x - mean) / sqrt(variance)"
    least_std = _LEAST_STD
    lacks = ("The layer's bands are the last axis: frames come first in Keras.",)

    @override
    def recognizes(self, path: Path) -> bool:
        return zip_names(path) >= {"config.json", "metadata.json"}

    @override
    def read(self, path: Path) -> ShiftAndScale:
        with opened_zip(path) as archive:
            layers = [one for one in _objects(json_object(member(archive, "config.json"))) if _is_normalization(one)]
            if len(layers) != 1:
                raise ValueError(f"it has {len(layers)} Normalization layers, but must have one")
            config = layers[0]["config"]
            axis = config.get("axis", [-1])
            if config.get("invert") or (axis is not None and axis not in (-1, [-1])):
                raise ValueError("its Normalization layer inverts, or normalizes another axis than the last")
            if config.get("mean") is not None:
                return from_variance(config["mean"], config["variance"], _LEAST_STD)
            return _adapted(member(archive, _WEIGHTS), str(config["name"]))

    @override
    def write(self, path: Path, numbers: ShiftAndScale) -> None:
        members = {
            "metadata.json": json.dumps({"keras_version": "3.0.0", "date_saved": "1980-01-01@00:00:00"}),
            "config.json": json.dumps(_model(numbers)),
        }
        files = {name: text.encode() for name, text in members.items()}
        with atomic_write(path) as file:
            file.write(zipped({**files, _EMPTY_WEIGHTS: zipped({})}))


def _objects(plain: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a configuration."""
    left = [plain]
    for _ in range(_MOST_LAYERS * 10):
        if not left:
            return
        one = left.pop()
        if isinstance(one, dict):
            yield one
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(value for value in one if isinstance(value, dict | list))
    raise ValueError("its configuration has more parts than a model needs")


def _is_normalization(plain: dict[str, Any]) -> bool:
    return plain.get("class_name") == "Normalization" and isinstance(plain.get("config"), dict)


def _adapted(weights: bytes, layer: str) -> ShiftAndScale:
    """The numbers that `adapt` measured, from the weights of the layer; Keras 3 leaves its count at 0."""
    try:
        import h5py
    except (ImportError, OSError):
        raise MissingExtra("the numbers of a Normalization layer that was adapted", "hdf5") from None
    with h5py.File(io.BytesIO(weights), "r") as file:
        folder = next((name for name in (layer, "normalization") if name in file["layers"]), layer)
        found = file["layers"][folder]["vars"]
        mean, variance = (_values(found[name]) for name in ("0", "1"))
    return from_variance(mean, variance, _LEAST_STD)


def _values(dataset: Any) -> Any:
    if not 0 < dataset.size <= MOST_NUMBERS or dataset.dtype.kind not in "fiu":
        raise ValueError("its weights are not of a Normalization layer")
    return dataset[()]


def _model(numbers: ShiftAndScale) -> dict[str, Any]:
    size = numbers.bands or numbers.shift.size
    config = {
        "name": "normalization",
        "trainable": True,
        "dtype": "float32",
        "axis": [-1],
        "invert": False,
        "mean": numbers.shift.tolist() if numbers.shift.size > 1 else float(numbers.shift[0]),
        "variance": (numbers.scale**2).tolist() if numbers.shift.size > 1 else float(numbers.scale[0] ** 2),
    }
    layers = [
        {
            "module": "keras.layers",
            "class_name": "InputLayer",
            "config": {"batch_shape": [None, None, size], "dtype": "float32", "sparse": False, "name": "input_layer"},
            "registered_name": None,
        },
        {
            "module": "keras.layers",
            "class_name": "Normalization",
            "config": config,
            "registered_name": None,
            "build_config": {"input_shape": [None, None, size]},
        },
    ]
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {
            "name": "statistics",
            "trainable": True,
            "dtype": "float32",
            "layers": layers,
            "build_input_shape": [None, None, size],
        },
        "registered_name": None,
        "build_config": {"input_shape": [None, None, size]},
    }
