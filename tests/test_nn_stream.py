"""A stream as a torch module: steps give the frames of the whole, in eager torch and in onnxruntime."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import spectronorm as sn
from spectronorm.errors import ArgumentError, ExportError, ShapeError
from spectronorm.nn import Preprocess, StreamStep, export_stream_onnx


def pipeline_of(front_end: sn.FrontEnd) -> sn.Pipeline:
    """A pipeline with a map of each band."""
    bands = np.arange(front_end.n_bands, dtype=np.float64)
    return sn.Pipeline(front_end, sn.Fixed(-bands, 1.0 + bands).for_front_end(front_end))


def noise(samples: int, batch: int = 2) -> torch.Tensor:
    """A batch of noise."""
    return 0.1 * torch.randn(batch, samples, generator=torch.Generator().manual_seed(0))


def expected_frames(pipeline: sn.Pipeline, wave: torch.Tensor) -> torch.Tensor:
    """Frames of the whole waveform behind zeros, without centring."""
    stft = pipeline.front_end.stft
    front_end = replace(pipeline.front_end, stft=replace(stft, center=False, frame_count="fit"))
    zeros = torch.zeros(len(wave), stft.frame_samples - stft.hop)
    whole = sn.Pipeline(front_end, replace(pipeline.normalizer, front_end=front_end))
    return Preprocess(whole)(torch.cat([zeros, wave], dim=1))


@pytest.mark.parametrize("name", ["torchaudio", "kaldi", "panns", "hifigan", "speecht5"])
@pytest.mark.parametrize("hops", [1, 3])
def test_steps_give_the_frames_of_the_whole(name: str, hops: int) -> None:
    """Every step's frames, one for each hop, are those of the whole waveform, to the last bit."""
    pipeline = pipeline_of(sn.preset(name))
    step = StreamStep(pipeline)
    wave, state, found = noise(12 * step.hop), step.initial_state(2), []
    for samples in wave.split(hops * step.hop, dim=1):
        frames, state = step(samples, state)
        assert frames.shape == (2, pipeline.front_end.n_bands, hops)
        found.append(frames)
    torch.testing.assert_close(torch.cat(found, dim=-1), expected_frames(pipeline, wave), rtol=0.0, atol=0.0)


def test_gradients_reach_the_samples_through_the_state() -> None:
    """A step can be trained through."""
    step = StreamStep(pipeline_of(sn.preset("torchaudio")))
    first = noise(200).requires_grad_()
    _, state = step(first, step.initial_state(2))
    frames, _ = step(noise(200), state)
    frames.sum().backward()
    assert first.grad is not None
    assert float(first.grad.abs().max()) > 0


@pytest.mark.parametrize(
    ("front_end", "message"),
    [
        (sn.preset("whisper"), "floor_db"),
        (sn.preset("fastaudio"), "AsRecorded"),
        (replace(sn.preset("torchaudio"), level=sn.waveform.PreEmphasis()), "earlier samples"),
        (replace(sn.preset("torchaudio"), compress=sn.PCEN()), "earlier frames"),
        (replace(sn.preset("torchaudio"), stft=sn.STFT(400, hop_length=500)), "gaps"),
    ],
)
def test_what_a_frame_cannot_know_is_refused(front_end: sn.FrontEnd, message: str) -> None:
    """Settings that look at more than a frame are refused with the nearest choice."""
    with pytest.raises(ArgumentError, match=message):
        StreamStep(pipeline_of(front_end))


def test_normalizers_with_a_memory_are_refused() -> None:
    """So is a sliding window, although `pipeline.stream()` takes it."""
    pipeline = pipeline_of(sn.preset("torchaudio"))
    sliding = sn.normalize.SlidingStandardize(length=9, min_length=4, center=False)
    with pytest.raises(ArgumentError, match="normalizer of the data set"):
        StreamStep(sn.Pipeline(pipeline.front_end, replace(pipeline.normalizer, normalizer=sliding, affine=None)))


def test_wrong_samples_and_states_are_told() -> None:
    """Samples that are no multiple of the hop, and states of other lengths, get one clear error each."""
    step = StreamStep(pipeline_of(sn.preset("torchaudio")))
    state = step.initial_state(2)
    for samples, other, message in (
        (noise(199), state, "multiple of hop_length=200"),
        (noise(0), state, "multiple"),
        (noise(200)[0], state, "multiple"),
        (noise(200), state[:, 1:], "initial_state"),
        (noise(200).double(), state, "initial_state"),
    ):
        with pytest.raises(ShapeError, match=message):
            step(samples, other)


def test_a_step_runs_in_onnxruntime(tmp_path: Path) -> None:
    """The exported step gives the frames of the whole within 1e-4, for a batch of another size."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    pipeline = pipeline_of(sn.preset("torchaudio"))
    with pytest.raises(ShapeError, match="multiple"):
        export_stream_onnx(pipeline, tmp_path / "step.onnx", samples=300)
    with pytest.raises(ExportError, match="away"):
        export_stream_onnx(pipeline, tmp_path / "step.onnx", samples=400, tolerance=1e-12)
    assert not list(tmp_path.iterdir())
    session = runtime.InferenceSession(export_stream_onnx(StreamStep(pipeline), tmp_path / "step.onnx", samples=400))
    wave, state, found = noise(2000, batch=3), np.zeros((3, 200), np.float32), []
    for samples in wave.split(400, dim=1):
        frames, state = session.run(None, {"samples": samples.numpy(), "state": state})
        found.append(frames)
    expected = expected_frames(pipeline, wave).numpy()
    np.testing.assert_allclose(np.concatenate(found, axis=-1), expected, rtol=0.0, atol=1e-4)
