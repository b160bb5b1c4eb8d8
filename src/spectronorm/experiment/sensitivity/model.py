"""Trained models for inference: an `nn.Module`, or an ONNX file run by onnxruntime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from spectronorm.errors import ArgumentError, FileFormatError, MissingExtra
from spectronorm.experiment.own_code import current_folder_importable, import_path

Classifier = Callable[[NDArray[np.float32]], NDArray[np.float64]]
"""Maps normalized spectrograms `(clip, band, frame)` to logits `(clip, class)`."""


def open_model(name: str) -> Classifier:
    """Open a model by name.

    Args:
        name: A file `model.onnx` with one input `(clip, 1, band, frame)` or `(clip, band, frame)`; or an import path
            `package.module:name` of a trained `nn.Module`, or of a function without arguments that returns one, which
            takes `(clip, 1, band, frame)`.

    Raises:
        ArgumentError: if there is no such model.
        FileFormatError: if the ONNX file cannot be read.
        MissingExtra: if an ONNX file is given and onnxruntime is not installed.

    >>> import numpy as np
    >>> classify = open_model("torch.nn:Flatten")
    >>> classify(np.zeros((2, 1, 3, 1), np.float32)).shape
    (2, 3)
    """
    if name.endswith(".onnx"):
        return _onnx(Path(name))
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise ArgumentError(f"model={name!r} must be a file model.onnx or an import path package.module:name")
    try:
        found = import_path(name)
        with current_folder_importable():
            model = found if isinstance(found, nn.Module) else found()
    except Exception as error:  # A user's function may fail in any way.
        raise ArgumentError(
            f"model={name!r} cannot be opened ({_told(error)}); it must be a trained model or return one"
        ) from None
    if not isinstance(model, nn.Module):
        raise ArgumentError(f"model={name!r} is a {type(model).__name__}, not a torch.nn.Module")
    return of_module(model)


def of_module(model: nn.Module) -> Classifier:
    """Return the model in evaluation mode as a function of arrays."""
    model.eval()
    first = next(model.parameters(), None)
    device = torch.device("cpu") if first is None else first.device

    @torch.no_grad()
    def logits(x: NDArray[np.float32]) -> NDArray[np.float64]:
        try:
            found = model(torch.from_numpy(x).unsqueeze(1).to(device))
        except Exception as error:  # A user's model may fail in any way.
            raise ArgumentError(
                f"the model does not take a batch {(len(x), 1, *x.shape[1:])}: {_told(error)}"
            ) from None
        if not isinstance(found, torch.Tensor):
            raise ArgumentError(f"the model gives a {type(found).__name__}, but logits (clip, class) are needed")
        return np.asarray(found.double().cpu())

    return logits


def _onnx(path: Path) -> Classifier:
    try:
        import onnxruntime
    except (ImportError, OSError):
        raise MissingExtra("An ONNX model", "onnx") from None
    if not path.is_file():
        raise ArgumentError(f"{path}: there is no such file")
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:
        raise FileFormatError(f"{path}: is not an ONNX model that can be run ({_told(error)})") from None
    inputs = session.get_inputs()
    if len(inputs) != 1 or len(inputs[0].shape) not in (3, 4):
        shapes = ", ".join(str(given.shape) for given in inputs)
        raise ArgumentError(
            f"{path}: takes {shapes}, but one input (clip, 1, band, frame) or (clip, band, frame) is needed, the "
            "normalized spectrogram; a model that begins with the waveform has its statistics inside"
        )

    def logits(x: NDArray[np.float32]) -> NDArray[np.float64]:
        given = x[:, None] if len(inputs[0].shape) == 4 else x
        try:
            found = session.run(None, {inputs[0].name: given})[0]
        except Exception as error:
            raise ArgumentError(f"{path}: does not take a batch {given.shape}: {_told(error)}") from None
        return np.asarray(found, dtype=np.float64)

    return logits


def _told(error: Exception) -> str:
    """An error of a model or its runtime in one line."""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said:.200}" if said else type(error).__name__
