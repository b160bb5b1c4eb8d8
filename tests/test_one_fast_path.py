"""Every way to call a front end goes through its kernels; none falls back to the plain array code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import array_api_compat.torch  # noqa: F401  (copies functions of torch, which must not be those of a fixture)
import numpy as np
import pytest
import soundfile
import torch

import spectronorm as sn
from spectronorm.engines import ThreadEngine
from spectronorm.experiment.clips.levels import Waves
from spectronorm.front_end import PRESETS, STFT
from spectronorm.front_end.fast import blocks
from spectronorm.images import ImageCodec, LevelRange
from spectronorm.kernels.fft import Frames
from spectronorm.monitor import Monitor
from spectronorm.nn import ClipDataset, Preprocess, Spectrogram

FRONT_END = sn.preset("torchaudio")
ONE = ThreadEngine(1)


@pytest.fixture
def kernels(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Number of frames of each call of the kernels, while the plain transforms are forbidden."""
    counted: list[int] = []
    power_spectra = blocks.power_spectra

    def count(cut: Frames, stft: STFT, first: int, frames: int, *rest: object) -> np.ndarray:
        counted.append(frames)
        return power_spectra(cut, stft, first, frames, *rest)  # type: ignore[arg-type]

    def plain(*_: object, **__: object) -> None:
        raise AssertionError("the plain array code ran")

    monkeypatch.setattr(blocks, "power_spectra", count)
    monkeypatch.setattr(STFT, "__call__", plain)
    monkeypatch.setattr(torch, "stft", plain)
    monkeypatch.setattr(torch.fft, "rfft", plain)
    return counted


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four clips of two labels, each of 21 frames."""
    for index in range(4):
        sound = 0.1 * np.random.default_rng(index).standard_normal(4000)
        path = tmp_path / "clips" / f"label{index % 2}" / f"{index}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, sound, FRONT_END.sample_rate)
    return tmp_path / "clips"


BATCH = (0.1 * np.random.default_rng(0).standard_normal((2, 3, 4000))).astype(np.float32)
PIPELINE = sn.Pipeline(FRONT_END, sn.Fixed(-14.0, 28.0).for_front_end(FRONT_END))
CALLS: dict[str, Callable[[], object]] = {
    "front end": lambda: FRONT_END(BATCH),
    "front end, torch": lambda: FRONT_END(torch.from_numpy(BATCH)),
    "front end, float32": lambda: FRONT_END(BATCH, precision="float32"),
    "pipeline": lambda: PIPELINE(BATCH),
    "pipeline, torch": lambda: PIPELINE(torch.from_numpy(BATCH)),
    "pipeline, float32": lambda: PIPELINE(BATCH, precision="float32"),
    "Spectrogram": lambda: Spectrogram(FRONT_END)(torch.from_numpy(BATCH)),
    "Preprocess": lambda: Preprocess(PIPELINE)(torch.from_numpy(BATCH)),
}


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_call_takes_the_kernels(name: str, kernels: list[int]) -> None:
    """Each of six clips of 21 frames is computed once."""
    CALLS[name]()
    assert sum(kernels) == 6 * 21


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_takes_the_kernels(name: str, kernels: list[int]) -> None:
    """NumPy and torch, both precisions; no setting of a preset leaves the kernels."""
    front_end = sn.preset(name)
    wave = BATCH.reshape(-1)[:8000]
    for call in (
        lambda: front_end(wave),
        lambda: front_end(torch.from_numpy(wave)),
        lambda: front_end(wave, precision="float32"),
        lambda: Spectrogram(front_end)(torch.from_numpy(wave)),
    ):
        kernels.clear()
        call()
        assert sum(kernels) == front_end.frames(len(wave))


def test_passes_and_modules_take_the_kernels(kernels: list[int], folder: Path, tmp_path: Path) -> None:
    """fit, apply, images, the clips of a comparison, a data set's batch and a monitor: 21 frames of every clip."""
    source = sn.open_source(folder)
    profile = sn.fit(folder, FRONT_END, engine=ONE)
    batch = torch.stack([ClipDataset(source, FRONT_END)[index].wave for index in range(4)])
    monitor = Monitor(profile)
    ways: dict[str, Callable[[], object]] = {
        "fit": lambda: sn.fit(folder, FRONT_END, engine=ONE),
        "apply": lambda: sn.apply(folder, PIPELINE, tmp_path / "levels", engine=ONE),
        "images": lambda: sn.images.export(
            folder, ImageCodec(FRONT_END, LevelRange.extremes(profile)), tmp_path / "images", engine=ONE
        ),
        "compare": lambda: Waves(source, 0.25, tmp_path / "cache").levels(FRONT_END),
        "ClipDataset": lambda: Preprocess(PIPELINE)(batch),
        "watch": lambda: [monitor.add(sn.read(clip.path, FRONT_END.sample_rate)) for clip in source],
    }
    for name, way in ways.items():
        kernels.clear()
        way()
        assert sum(kernels) == 4 * 21, name


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_the_plain_code_stays_on_the_waveform_s_device(name: str) -> None:
    """On another device than the CPU nothing is copied to the host: `meta` has no numbers, and no device is mixed."""
    front_end = sn.preset(name)
    pipeline = sn.Pipeline(front_end, sn.Fixed(-3.0, 7.0).for_front_end(front_end))
    wave = torch.empty(2, front_end.sample_rate, device="meta")
    ways = (front_end, pipeline, Spectrogram(front_end).to("meta"), Preprocess(pipeline).to("meta"))
    for way in ways:
        found = way(wave)
        assert found.device.type == "meta"
        assert found.shape == (2, front_end.n_bands, front_end.frames(front_end.sample_rate))
        assert found.dtype == wave.dtype
