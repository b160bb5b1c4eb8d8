"""Exported models: what onnxruntime and torch.export compute is what NumPy computes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import spectronorm as sn
from spectronorm.nn import Preprocess, Spectrogram, export, export_onnx, export_program
from torch_cases import pipeline, waves

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def run(path: Path, **inputs: np.ndarray) -> np.ndarray:
    """What onnxruntime gives."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options).run(None, inputs)[0]


@pytest.mark.real_data
@pytest.mark.parametrize("dft", ["convolution", "stft"])
@pytest.mark.parametrize("name", ["fastaudio", "logmel"])
def test_onnx_on_real_clips(name: str, dft: str, esc10: Path, tmp_path: Path) -> None:
    """Ten real recordings, most with stretches of digital silence, come out of onnxruntime within 1e-4 of NumPy."""
    case = pipeline(name)
    model = export_onnx(case, tmp_path / "model.onnx", dft=dft)
    silent = 0
    for path in sorted((esc10 / "audio").glob("*.ogg"))[::40]:
        wave = sn.read(path, case.front_end.sample_rate)
        silent += int((wave[: len(wave) // 100 * 100].reshape(-1, 100) == 0.0).all(axis=1).any())
        np.testing.assert_allclose(run(model, wave=wave[None])[0], case(wave.astype(np.float64)), atol=1e-4, rtol=0.0)
    assert silent > 0


@pytest.mark.parametrize(("name", "normalize"), [("specgan", "clip"), ("compress pcen", "sliding-data-set")])
def test_onnx_of_any_size_with_lengths(name: str, normalize: str, tmp_path: Path) -> None:
    """Batches and clips of any size, with lengths as a second input, come out as from the module; silence is finite."""
    trained = Preprocess(pipeline(name, normalize), trainable=normalize != "clip")
    with torch.no_grad():  # what was trained is exported too
        for parameter in trained.parameters():
            parameter.fill_(0.25)
    case = trained.pipeline()
    model = export_onnx(trained, tmp_path / "model.onnx", lengths=True)
    wave = np.tile(waves(name, 4).astype(np.float32), (1, 5))
    wave[3] = 0.0
    lengths = np.array([wave.shape[1], 3001, case.front_end.min_samples, wave.shape[1]])
    got = run(model, wave=wave, lengths=lengths)
    expected = Preprocess(case)(torch.from_numpy(wave), torch.from_numpy(lengths)).numpy()
    np.testing.assert_allclose(got, expected, atol=1e-4, rtol=0.0)


def test_onnx_of_levels_carries_its_settings(tmp_path: Path) -> None:
    """A spectrogram alone can be exported; the file says which front end it is and at which sample rate."""
    front_end = pipeline("logmel").front_end
    model = export_onnx(front_end, tmp_path / "new" / "level.onnx")
    metadata = {entry.key: entry.value for entry in onnx.load(model).metadata_props}
    assert sn.FrontEnd.from_dict(json.loads(metadata["spectronorm.front_end"])) == front_end
    assert metadata["spectronorm.sample_rate"] == "22050"
    wave = np.zeros((1, 4096), np.float32)
    np.testing.assert_allclose(run(model, wave=wave), np.log(1e-9), rtol=1e-6)


def test_an_export_that_is_wrong_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that does not compute what the pipeline does is found out, and no file is left."""
    real, other = export._onnx_program, Preprocess(pipeline("logmel", "minmax"), dft="convolution").eval()
    monkeypatch.setattr(export, "_onnx_program", lambda module, inputs: real(other, inputs))
    with pytest.raises(sn.errors.ExportError, match="away from NumPy"):
        export_onnx(pipeline("logmel"), tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")  # torch's own, in its exporter
def test_torchs_own_export_keeps_the_offset_of_silence(tmp_path: Path) -> None:
    """torch.onnx.export used directly, whose optimizer drops an added 1e-9, still gives silence its level."""
    module = Spectrogram(pipeline("logmel").front_end, dft="convolution").eval()
    program = torch.onnx.export(module, (torch.zeros(1, 4096),), dynamo=True, optimize=True, verbose=False)
    program.save(tmp_path / "m.onnx")
    name = onnx.load(tmp_path / "m.onnx").graph.input[0].name
    np.testing.assert_allclose(
        run(tmp_path / "m.onnx", **{name: np.zeros((1, 4096), np.float32)}), np.log(1e-9), rtol=1e-6
    )


def test_float32_needs_a_larger_tolerance(tmp_path: Path) -> None:
    """In float32 the export differs from NumPy, says by how much, and is written when that is allowed."""
    case = pipeline("level as_recorded")
    with pytest.raises(sn.errors.ExportError, match="float64"):
        export_onnx(case, tmp_path / "m.onnx", precision="float32")
    assert not list(tmp_path.iterdir())
    assert export_onnx(case, tmp_path / "m.onnx", precision="float32", tolerance=10.0).is_file()


def test_torch_export(tmp_path: Path) -> None:
    """torch.export takes the module, for any size, and what was saved computes the same once loaded."""
    case = pipeline("fastaudio", "clip")
    path = tmp_path / "program.pt2"
    torch.export.save(export_program(case, lengths=True, precision="float64"), path)
    program = torch.export.load(path).module()
    wave = torch.from_numpy(waves("fastaudio", 5)).float()
    lengths = torch.tensor([wave.shape[1], 400, 900, 901, wave.shape[1] - 1])
    torch.testing.assert_close(program(wave, lengths), Preprocess(case)(wave, lengths), atol=1e-3, rtol=0.0)


def test_what_cannot_be_exported_is_refused(tmp_path: Path) -> None:
    """A module of somebody else's, and a loudness that ONNX cannot express, get one clear error."""
    with pytest.raises(sn.errors.ArgumentError, match="Linear"):
        export_onnx(torch.nn.Linear(2, 2), tmp_path / "m.onnx")
    with pytest.raises(sn.errors.ExportError, match="onnxruntime cannot run"):
        export_onnx(pipeline("level loudness"), tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())
