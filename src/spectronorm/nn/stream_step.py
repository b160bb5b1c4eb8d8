"""One step of a stream as a torch module: samples and a state in, frames and the next state out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spectronorm.errors import ArgumentError, ExportError, MissingExtra, ShapeError
from spectronorm.front_end import FrontEnd, require_front_end
from spectronorm.kernels.jit import described
from spectronorm.nn.export import OPSET, quiet_exporter
from spectronorm.nn.preprocess import Preprocess
from spectronorm.pipeline import Pipeline, require_pipeline
from spectronorm.storage.atomic import atomic_write
from spectronorm.storage.content import Content
from spectronorm.storage.replacement import overwriting, require_replaceable
from spectronorm.suggestion import known_keywords, known_settings


@known_settings
class StreamStep(nn.Module):
    """`frames, state = step(samples, state)`: a pipeline on a stream, for exported models and devices.

    The module keeps nothing: the samples that later frames still need are the state `(batch, sample)`, which begins
    with `initial_state(batch)`. A step takes `(batch, k · hop_length)` samples and gives `(batch, band, k)` frames. All
    steps together give the frames of `Preprocess` on the waveform behind `frame_samples - hop_length` zeros, without
    centring: each frame ends with the newest sample that it needs, so that nothing waits.

    Args:
        pipeline: A pipeline whose frames depend on their own samples only.
        dft: Form of the DFT, as for `Spectrogram`.
        precision: Lowest precision of the arithmetic, as for `Spectrogram`.

    Raises:
        ArgumentError: if the pipeline looks at other frames or at a whole clip, naming the nearest choice, or if its
            hop is longer than a frame.

    >>> import spectronorm as sn, torch
    >>> step = StreamStep(sn.published("ast"))
    >>> frames, state = step(torch.zeros(1, 320), step.initial_state(1))
    >>> frames.shape, state.shape
    (torch.Size([1, 128, 2]), torch.Size([1, 240]))
    """

    def __init__(self, pipeline: Pipeline, *, dft: str = "fft", precision: str = "float32") -> None:
        super().__init__()
        pipeline = require_pipeline(pipeline, "StreamStep")
        front_end = require_front_end(pipeline.front_end, "a stream of waves")
        _require_single_frames(pipeline, front_end)
        stft = front_end.stft
        front_end = replace(front_end, stft=replace(stft, center=False, frame_count="fit"))
        fitted = replace(pipeline.normalizer, front_end=front_end)
        self.preprocess = Preprocess(Pipeline(front_end, fitted), dft=dft, precision=precision)
        self.hop = stft.hop
        self.held = stft.frame_samples - stft.hop
        """Number of samples in the state of one clip."""

    def initial_state(self, batch: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return the state before the first sample: zeros `(batch, sample)`."""
        return torch.zeros(batch, self.held, dtype=dtype)

    def forward(self, samples: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return the frames `(batch, band, frame)` that these samples complete, and the next state.

        Raises:
            ShapeError: if the samples are not a positive number of hops, or the state is another clip's.
        """
        if samples.ndim != 2 or samples.shape[1] == 0 or samples.shape[1] % self.hop:
            raise ShapeError(
                f"samples of shape {tuple(samples.shape)} are not (batch, sample) with a multiple of hop_length="
                f"{self.hop} samples; collect them until they are"
            )
        if state.ndim != 2 or state.shape[1] != self.held or state.dtype != samples.dtype:
            raise ShapeError(
                f"a state of shape {tuple(state.shape)} and {state.dtype} does not continue samples of {samples.dtype} "
                f"with {self.held} samples per clip; begin with initial_state, and pass on what a step returned"
            )
        wave = torch.cat([state, samples], dim=1)
        frames: Tensor = self.preprocess(wave)
        return frames, wave[:, samples.shape[1] :]


@known_keywords
def export_stream_onnx(
    step: StreamStep | Pipeline,
    path: str | Path,
    *,
    samples: int,
    dft: str = "convolution",
    precision: str = "float64",
    tolerance: float | None = 1e-4,
    overwrite: bool = False,
) -> Path:
    """Write one step as an ONNX model: `samples` and `state` in, `spectrogram` and `next_state` out.

    The batch may have any size; the number of samples of a step is fixed.

    Args:
        step: A pipeline, or a step made of one.
        path: Where to write; by custom `*.onnx`.
        samples: Number of samples in a step, a multiple of the hop.
        dft: As for `export_onnx`.
        precision: As for `export_onnx`.
        tolerance: Before it is written, five steps are run in onnxruntime, and may be this far from the pipeline in
            float64. None skips the comparison.
        overwrite: Let the model replace a file that is not ours.

    Raises:
        MissingExtra: if onnx and onnxscript, or for the comparison onnxruntime, are not installed.
        ExportError: if the model cannot be made, or is further away than `tolerance`.
        ShapeError: if `samples` is not a positive multiple of the hop.
        OutputRefused: if a file would be replaced that is not ours, unless `overwrite` is set.

    >>> import pathlib, tempfile, numpy as np, spectronorm as sn
    >>> front_end = sn.FrontEnd(stft=sn.STFT(512, hop_length=256), bands=sn.Mel(8))
    >>> pipeline = sn.Pipeline(front_end, sn.Fixed(-40.0, 20.0).for_front_end(front_end))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export_stream_onnx(pipeline, pathlib.Path(folder) / "step.onnx", samples=512).name
    'step.onnx'
    """
    pipeline = step.preprocess.pipeline() if isinstance(step, StreamStep) else step
    with overwriting(overwrite):
        require_replaceable(Path(path), Content.MODEL)
    module = StreamStep(pipeline, dft=dft, precision=precision).eval()
    waves = 0.1 * np.random.default_rng(0).standard_normal((2, 5 * samples))
    pieces = [torch.from_numpy(piece) for piece in np.split(waves.astype(np.float32), 5, axis=1)]
    content = _model(module, pieces[0])
    if tolerance is not None:
        _compare(content, StreamStep(pipeline, precision="float64"), pieces, tolerance)
    with overwriting(overwrite), atomic_write(Path(path), Content.MODEL) as file:
        file.write(content)
    return Path(path)


def _require_single_frames(pipeline: Pipeline, front_end: FrontEnd) -> None:
    """Raise `ArgumentError` if a frame depends on more than its own samples."""
    pipeline.stream()  # Says why what looks at a whole clip cannot be, and what can.
    level, compress, normalizer = front_end.level, front_end.compress, pipeline.normalizer.normalizer
    if not level.is_change:
        raise ArgumentError(f"level={level} remembers earlier samples, which this module does not; use AsRecorded()")
    if not compress.framewise:
        raise ArgumentError(f"compress={compress} remembers earlier frames, which this module does not; use Decibel()")
    if normalizer.maps_clips:
        raise ArgumentError(
            f"{normalizer} remembers earlier frames, which this module does not; use a normalizer of the data set"
        )
    if front_end.stft.hop > front_end.stft.frame_samples:
        raise ArgumentError(
            f"hop_length={front_end.stft.hop} leaves gaps between frames; use at most the frame's length"
        )


def _model(module: StreamStep, samples: Tensor) -> bytes:
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except (ImportError, OSError):
        raise MissingExtra("Writing an ONNX model", "onnx") from None
    state = module.initial_state(len(samples))
    module(samples, state)  # Wrong sizes are told before the exporter begins.
    any_size = {0: torch.export.Dim.DYNAMIC}
    try:
        with quiet_exporter():
            program: Any = torch.onnx.export(
                module,
                (samples, state),
                dynamo=True,
                opset_version=OPSET,
                dynamic_shapes={"samples": any_size, "state": any_size},
                input_names=["samples", "state"],
                output_names=["spectrogram", "next_state"],
                optimize=False,
                verbose=False,
            )
    except Exception as error:  # torch's errors have no common base class
        raise ExportError(f"torch cannot export this step to ONNX ({described(error)}); try another dft") from error
    return bytes(program.model_proto.SerializeToString())


def _compare(content: bytes, module: StreamStep, pieces: list[Tensor], tolerance: float) -> None:
    """Raise `ExportError` unless steps in onnxruntime give the frames of this module, and its state."""
    try:
        import onnxruntime
    except (ImportError, OSError):
        raise MissingExtra("Comparing an ONNX model (tolerance=None skips it)", "onnx") from None
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    state = there = module.initial_state(len(pieces[0]))
    for samples in pieces:
        with torch.no_grad():
            expected, state = module(samples, state)
        got, after = session.run(None, {"samples": samples.numpy(), "state": there.numpy()})
        there = torch.from_numpy(after)
        away = float(np.abs(got - expected.numpy()).max())
        if not (away <= tolerance and torch.equal(there, state)):
            raise ExportError(
                f"the exported step is up to {away:.3g} away from the pipeline, but tolerance={tolerance:g}; use "
                "precision='float64' or another dft, or allow more"
            )
