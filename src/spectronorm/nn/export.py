"""Export of a module for other runtimes: ONNX, and torch's exported program."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spectronorm.errors import ArgumentError, ExportError, MissingExtra, SpectronormError
from spectronorm.front_end import FrontEnd
from spectronorm.front_end.front_end import SLOTS
from spectronorm.kernels.jit import described
from spectronorm.nn.preprocess import Preprocess
from spectronorm.nn.spectrogram import Spectrogram
from spectronorm.normalize import NORMALIZERS
from spectronorm.pipeline import Pipeline
from spectronorm.storage.atomic import atomic_write
from spectronorm.storage.canonical_json import canonical_json
from spectronorm.storage.content import Content
from spectronorm.storage.replacement import overwriting, require_replaceable
from spectronorm.suggestion import known_keywords
from spectronorm.version import __version__

OPSET = 20
_LOUD = (
    "torch.onnx._internal.exporter._registration",
    "torch.export._trace",
    "torch.fx.experimental.symbolic_shapes",
)

Exportable = Pipeline | FrontEnd | Preprocess | Spectrogram


@known_keywords
def export_onnx(
    module: Exportable,
    path: str | Path,
    *,
    dft: str = "convolution",
    precision: str = "float64",
    lengths: bool = False,
    tolerance: float | None = 1e-4,
    overwrite: bool = False,
) -> Path:
    """Write wave → normalized spectrogram as an ONNX model (opset 20), whole or not at all.

    Its input `wave` is float32 `(batch, sample)`, both axes of any size, and its output `spectrogram` float32
    `(batch, band, frame)`. Its metadata holds the sample rate and the front end's settings.

    Args:
        module: A pipeline or module, or for levels that are not normalized a front end or `Spectrogram`.
        path: Where to write; by custom `*.onnx`.
        dft: `convolution`, the fastest in onnxruntime; `stft` for ONNX's `STFT` operator; `fft` for `DFT`.
        precision: The arithmetic inside. `float32` is smaller and faster, but cells 100 dB below the loudest of their
            frame are rounding noise, on real recordings up to some dB away: it needs a larger `tolerance`.
        lengths: Whether the model has a second input `lengths`, int64 `(batch,)`: how many samples of each clip count.
        tolerance: Before it is written, the model is run in onnxruntime on noise, a tone, an impulse and digital
            silence, and may be this far from the front end or pipeline in NumPy. None skips the comparison.
        overwrite: Let the model replace a file that is not ours.

    Raises:
        MissingExtra: when onnx and onnxscript, or for the comparison onnxruntime, are not installed.
        ExportError: if the model cannot be made, or is further away than `tolerance`.
        ArgumentError: if `module` is something else or a setting is unknown.
        OutputRefused: if a file would be replaced that is not ours, unless `overwrite` is set.

    >>> import pathlib, tempfile, spectronorm as sn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = export_onnx(sn.FrontEnd(bands=sn.Mel(8)), pathlib.Path(folder) / "front_end.onnx")
    ...     path.name
    'front_end.onnx'
    """
    with overwriting(overwrite):
        require_replaceable(Path(path), Content.MODEL)
    exportable = _as(module, dft, precision)
    example = _examples(exportable)
    inputs = (example,) if not lengths else (example, torch.tensor([example.shape[-1] - 1] + [example.shape[-1]] * 4))
    program = _onnx_program(exportable, inputs)
    model = program.model_proto
    for key, value in _metadata(exportable).items():
        model.metadata_props.add(key=key, value=value)
    content = bytes(model.SerializeToString())
    if tolerance is not None:
        _compare(content, _as(module, "fft", "float64"), inputs, tolerance)
    with overwriting(overwrite), atomic_write(Path(path), Content.MODEL) as file:
        file.write(content)
    return Path(path)


@known_keywords
def export_program(
    module: Exportable, *, dft: str = "fft", precision: str = "float32", lengths: bool = False
) -> torch.export.ExportedProgram:
    """Export waveform → normalized spectrogram, `(batch, sample)` of any size, for `torch.export.save`.

    Args:
        module: As for `export_onnx`.
        dft: As for `export_onnx`.
        precision: As for `export_onnx`.
        lengths: Add a second input `lengths` `(batch,)`.

    Raises:
        ExportError: if the program cannot be made.
        ArgumentError: if `module` is something else or a setting is unknown.

    >>> import spectronorm as sn, torch
    >>> pipeline = sn.published("whisper")
    >>> exported = export_program(pipeline)
    >>> exported.module()(torch.zeros(1, 16_000)).shape
    torch.Size([1, 80, 100])
    """
    exportable = _as(module, dft, precision)
    example = _examples(exportable)
    inputs = (example, torch.full((len(example),), example.shape[-1])) if lengths else (example,)
    try:
        with quiet_exporter():
            return torch.export.export(exportable, inputs, dynamic_shapes=_dynamic_shapes(lengths), strict=False)
    except SpectronormError:
        raise
    except Exception as error:  # torch's errors, and those of plug-ins, have no common base class
        raise _cannot_export("a program of torch.export", exportable, error) from error


def _as(module: Exportable, dft: str, precision: str) -> Preprocess | Spectrogram:
    """Return the module on the CPU with this form of the DFT, and with its current numbers."""
    if isinstance(module, Preprocess):
        module = module.pipeline()
    if isinstance(module, Spectrogram):
        module = module.front_end
    if isinstance(module, Pipeline):
        return Preprocess(module, dft=dft, precision=precision).eval()
    if isinstance(module, FrontEnd):
        return Spectrogram(module, dft=dft, precision=precision).eval()
    raise ArgumentError(
        f"{type(module).__name__} cannot be exported; pass a Pipeline, FrontEnd or module of spectronorm"
    )


def _front_end(module: Preprocess | Spectrogram) -> FrontEnd:
    return module.front_end if isinstance(module, Spectrogram) else module.spectrogram.front_end


def _examples(module: Preprocess | Spectrogram) -> Tensor:
    """Return five clips `(5, sample)`: noise, quiet noise, a tone, one impulse, and digital silence."""
    front_end = _front_end(module)
    samples = max(front_end.sample_rate // 2, 3 * front_end.min_samples)
    rng = np.random.default_rng(0)
    waves = np.zeros((5, samples), dtype=np.float32)
    waves[0] = 0.1 * rng.standard_normal(samples)
    waves[1] = 1e-4 * rng.standard_normal(samples)
    waves[2] = 0.5 * np.sin(2 * np.pi * 440.0 / front_end.sample_rate * np.arange(samples))
    waves[3, samples // 2] = 1.0
    return torch.from_numpy(waves)


def _dynamic_shapes(lengths: bool) -> dict[str, Any]:
    dynamic = torch.export.Dim.DYNAMIC
    wave = {"wave": {0: dynamic, 1: dynamic}}
    return {**wave, "lengths": {0: dynamic}} if lengths else wave


def _onnx_program(module: Preprocess | Spectrogram, inputs: tuple[Tensor, ...]) -> Any:
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except (ImportError, OSError):
        raise MissingExtra("Writing an ONNX model", "onnx") from None
    try:
        with quiet_exporter():
            return torch.onnx.export(
                module,
                inputs,
                dynamo=True,
                opset_version=OPSET,
                dynamic_shapes=_dynamic_shapes(lengths=len(inputs) > 1),
                input_names=["wave", "lengths"][: len(inputs)],
                output_names=["spectrogram"],
                # The optimizer replaces an added 1e-9 by an added 0; onnxruntime optimizes when it loads the model.
                optimize=False,
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        raise _cannot_export("ONNX", module, error) from error


def _cannot_export(form: str, module: Preprocess | Spectrogram, error: BaseException) -> ExportError:
    """Return the error with the reason that torch found, and the plug-ins that may be the cause."""
    while error.__cause__ is not None:
        error = error.__cause__
    parts = [(registry, getattr(_front_end(module), slot)) for slot, registry in SLOTS.items()]
    if isinstance(module, Preprocess):
        parts.append((NORMALIZERS, module.normalize.fitted.normalizer))
    names = [(registry, registry.name_of(part)) for registry, part in parts]
    found = [f"{one.noun} {name} ({plugin})" for one, name in names if (plugin := one.plugin_of(name)) is not None]
    plugins = (
        f"; check the {' and the '.join(found)}: an exported plug-in computes tensors with operations that {form} "
        "has, without NumPy, and without branches or loops that depend on values or lengths"
    )
    return ExportError(
        f"torch cannot export this module to {form} ({described(error)}){plugins if found else ''}; try another dft"
    )


@contextmanager
def quiet_exporter() -> Iterator[None]:
    """Suppress torch's messages about its exporter: missing torchvision, its own deprecated calls, and traced code."""
    loggers = [logging.getLogger(name) for name in _LOUD]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        # torch prints the code that it traced when a value decides a branch.
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _metadata(module: Preprocess | Spectrogram) -> dict[str, str]:
    front_end = _front_end(module)
    return {
        "spectronorm.version": __version__,
        "spectronorm.sample_rate": str(front_end.sample_rate),
        "spectronorm.fingerprint": front_end.fingerprint,
        "spectronorm.front_end": canonical_json(front_end.to_dict()),
        "spectronorm.normalized": json.dumps(isinstance(module, Preprocess)),
    }


def _compare(content: bytes, module: Preprocess | Spectrogram, inputs: tuple[Tensor, ...], tolerance: float) -> None:
    """Raise `ExportError` unless onnxruntime reproduces the module's NumPy code, on batches of any size."""
    try:
        import onnxruntime
    except (ImportError, OSError):
        raise MissingExtra("Comparing an ONNX model (tolerance=None skips it)", "onnx") from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [entry.name for entry in session.get_inputs()]
    for chosen in _other_sizes(inputs, _front_end(module).min_samples):
        with torch.no_grad():
            expected: NDArray[Any] = module(*chosen).numpy()
        try:
            got = session.run(None, {name: x.numpy() for name, x in zip(names, chosen, strict=True)})[0]
        except Exception as error:  # onnxruntime's errors have no common base class.
            raise ExportError(f"onnxruntime cannot run the exported model ({error}); try another dft") from error
        away = float(np.abs(got - expected).max()) if got.shape == expected.shape else np.inf
        if not away <= tolerance:
            raise ExportError(
                f"the exported model is up to {away:.3g} away from NumPy, but tolerance={tolerance:g}; "
                "use precision='float64' or another dft, or allow more"
            )


def _other_sizes(inputs: tuple[Tensor, ...], shortest: int) -> Iterator[tuple[Tensor, ...]]:
    """Yield the example, one clip, clips of one window, and clips nine times longer."""
    longest = inputs[0].shape[-1]
    for clips, samples in ((5, longest), (1, longest - 7), (2, shortest), (3, 9 * longest)):
        wave = inputs[0][:clips].repeat(1, -(-samples // longest))[:, :samples]
        yield (wave, *((lengths[:clips] + samples - longest).clamp(shortest, samples) for lengths in inputs[1:]))
