"""Trained models for inference: an `nn.Module`, or an ONNX file run by onnxruntime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from spectronorm.errors import ArgumentError
from spectronorm.experiment.own_code import current_folder_importable, import_path
from spectronorm.experiment.sensitivity.onnx_file import in_one_line, open_onnx
from spectronorm.experiment.training.pretrained import adapted

Classifier = Callable[[NDArray[np.float32]], NDArray[np.float64]]
"""Maps normalized spectrograms `(clip, band, frame)` to logits `(clip, class)`, or to probabilities."""


def open_model(name: str) -> Classifier:
    """Open a model by name.

    Args:
        name: A file `model.onnx` with one input `(clip, 1, band, frame)` or `(clip, band, frame)`; or an import path
            `package.module:name` of a trained `nn.Module`, or of a function without arguments that returns one, which
            takes `(clip, 1, band, frame)`; a model of Hugging Face's `transformers` that takes `input_values` is given
            `(clip, frame, band)`.

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
        return open_onnx(Path(name))
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise ArgumentError(f"model={name!r} must be a file model.onnx or an import path package.module:name")
    try:
        found = import_path(name)
        with current_folder_importable():
            model = found if isinstance(found, nn.Module) else found()
    except (Exception, SystemExit) as error:  # A user's function may fail in any way.
        raise ArgumentError(
            f"model={name!r} cannot be opened ({in_one_line(error)}); it must be a trained model or return one"
        ) from None
    if not isinstance(model, nn.Module):
        raise ArgumentError(f"model={name!r} is a {type(model).__name__}, not a torch.nn.Module")
    return of_module(model)


def of_module(model: nn.Module) -> Classifier:
    """Return the model in evaluation mode as a function of arrays."""
    model = adapted(model).eval()
    first = next(model.parameters(), None)
    device = torch.device("cpu") if first is None else first.device

    @torch.no_grad()
    def logits(x: NDArray[np.float32]) -> NDArray[np.float64]:
        try:
            found = model(torch.from_numpy(x).unsqueeze(1).to(device))
        except (Exception, SystemExit) as error:  # A user's model may fail in any way.
            raise ArgumentError(
                f"the model does not take a batch {(len(x), 1, *x.shape[1:])}: {in_one_line(error)}"
            ) from None
        if not isinstance(found, torch.Tensor) or not found.is_floating_point():
            got = f"a {type(found).__name__}" if not isinstance(found, torch.Tensor) else str(found.dtype)
            raise ArgumentError(f"the model gives {got}, but logits (clip, class) are needed")
        return np.asarray(found.double().cpu())

    return logits
