"""ONNX file as a classifier, run by onnxruntime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectronorm.errors import ArgumentError, FileFormatError, MissingExtra

_TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16}
_LOGITS = "logits"


def open_onnx(path: Path) -> Callable[[NDArray[np.float32]], NDArray[np.float64]]:
    """Open an ONNX file with one input, the normalized spectrogram, and one output of logits or probabilities.

    The input may have a fixed number of clips, as exporters write it by default, and be of single, double or half
    precision. Of several outputs, the one called `logits` is taken, or the only one that is a matrix of real numbers.

    Raises:
        ArgumentError: if there is no such file, or if its input or outputs are others.
        FileFormatError: if the file cannot be read.
        MissingExtra: if onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except (ImportError, OSError):
        raise MissingExtra("An ONNX model", "onnx") from None
    if not path.is_file():
        raise ArgumentError(f"{path}: there is no such file")
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:
        raise FileFormatError(f"{path}: is not an ONNX model that can be run ({in_one_line(error)})") from None
    inputs, output = session.get_inputs(), _output(session.get_outputs(), path)
    if len(inputs) != 1 or len(inputs[0].shape) not in (3, 4):
        shapes = ", ".join(str(given.shape) for given in inputs)
        raise ArgumentError(
            f"{path}: takes {shapes}, but one input (clip, 1, band, frame) or (clip, band, frame) is needed, the "
            "normalized spectrogram; a model that begins with the waveform has its statistics inside"
        )
    name, shape, kind = inputs[0].name, inputs[0].shape, _TYPES.get(inputs[0].type, np.float32)

    def logits(x: NDArray[np.float32]) -> NDArray[np.float64]:
        given = (x[:, None] if len(shape) == 4 else x).astype(kind)
        size = shape[0] if isinstance(shape[0], int) else len(given)
        parts = []
        for start in range(0, len(given), size):
            part = given[start : start + size]
            filled = np.concatenate([part, np.repeat(part[-1:], size - len(part), axis=0)])
            try:
                found = session.run([output], {name: filled})[0]
            except Exception as error:
                raise ArgumentError(f"{path}: does not take a batch {filled.shape}: {in_one_line(error)}") from None
            parts.append(np.asarray(found, dtype=np.float64)[: len(part)])
        return np.concatenate(parts)

    return logits


def _output(outputs: list[Any], path: Path) -> str:
    """Name of the output that holds the logits."""
    if len(outputs) == 1:
        return str(outputs[0].name)
    matrices = [one for one in outputs if one.type in _TYPES and len(one.shape) == 2]
    for found in ([one for one in outputs if one.name == _LOGITS], matrices):
        if len(found) == 1:
            return str(found[0].name)
    known = ", ".join(f"{one.name} {one.shape}" for one in outputs)
    raise ArgumentError(
        f"{path}: has {len(outputs)} outputs ({known}), of which none is clearly the logits (clip, class); name one "
        f"{_LOGITS!r}, or export it alone"
    )


def in_one_line(error: BaseException) -> str:
    """An error of a model or its runtime in one line."""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said:.200}" if said else type(error).__name__
