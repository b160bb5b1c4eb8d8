"""Every preset is its origin: run beside it, or beside its stored output, and safe in batches."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from benchmarks.agreement.measure import agreement
from benchmarks.agreement.sounds import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st

import spectronorm as sn
from spectronorm.front_end import PRESETS

NAMES = sorted(PRESETS)
LOOKS_AT_THE_CLIP = {"fastaudio", "librosa", "whisper"}  # its level or its peak


@pytest.mark.parametrize("name", NAMES)
def test_agrees_with_its_origin(name: str) -> None:
    """A preset differs from its origin by at most 1e-3 of its unit above the floor, on synthetic and real sound."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the origins' own
        figures = agreement(name)
    assert figures.cells > (1000 if figures.real else 500)  # of a second of synthetic sound, half of it silent
    assert figures.worst <= 1e-3
    if figures.arithmetic == "float64":
        assert figures.anywhere <= 1e-6


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=8)
@given(seed=st.integers(0, 2**32 - 1), clips=st.integers(1, 3))
def test_a_batch_is_its_clips(name: str, seed: int, clips: int) -> None:
    """Each clip of a batch comes out as if it were alone, whatever lies beside it, in NumPy and in torch."""
    front_end = sn.preset(name)
    rng = np.random.default_rng(seed)
    loudness = 10.0 ** rng.uniform(-5, 0, size=(clips, 1))
    batch = loudness * rng.standard_normal((clips, 3000)) * (rng.random((clips, 3000)) < 0.9)
    together = front_end(batch)
    tensors = front_end(torch.from_numpy(batch)).numpy()
    for wave, level, tensor in zip(batch, together, tensors, strict=True):
        np.testing.assert_array_equal(level, front_end(wave))
        np.testing.assert_allclose(tensor, level, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_the_measuring_path_gives_the_same(name: str) -> None:
    """What a pass measures is what the front end gives."""
    front_end = sn.preset(name)
    wave = synthetic(front_end.sample_rate)
    np.testing.assert_allclose(front_end.clip_level(wave), front_end(wave.astype(np.float64)), atol=1e-7)
    assert front_end(wave.astype(np.float64)).shape == (front_end.n_bands, front_end.frames(len(wave)))


@pytest.mark.parametrize("name", sorted(set(NAMES) - LOOKS_AT_THE_CLIP))
def test_padding_changes_no_earlier_frame(name: str) -> None:
    """Frames that end before the padding keep every bit when a clip is padded further."""
    front_end = sn.preset(name)
    wave = synthetic(front_end.sample_rate).astype(np.float64)[:8000]
    stft = front_end.stft
    inside = (len(wave) - stft.padding - stft.frame_samples) // stft.hop
    padded = front_end(np.pad(wave, (0, 5000)))
    np.testing.assert_array_equal(padded[:, :inside], front_end(wave)[:, :inside])


@pytest.mark.parametrize("name", NAMES)
def test_silence_and_constants_are_finite(name: str) -> None:
    """Digital silence lies at the floor, and a constant gives finite levels and gradients."""
    front_end = sn.preset(name)
    np.testing.assert_allclose(front_end(np.zeros(5000)), front_end.floor, atol=1e-9)
    wave = torch.full((5000,), 0.5, dtype=torch.float64, requires_grad=True)
    level = front_end(wave)
    level.sum().backward()
    assert torch.isfinite(level).all()
    assert wave.grad is not None
    assert torch.isfinite(wave.grad).all()


@pytest.mark.parametrize("name", NAMES)
def test_survives_json(name: str) -> None:
    """A preset is the same value after writing and reading."""
    front_end = sn.preset(name)
    assert sn.FrontEnd.from_json(front_end.to_json()) == front_end


def test_specgan_gives_square_spectrograms() -> None:
    """16384 samples give SpecGAN's 128 x 128, the last frame half zeros."""
    wave = np.random.default_rng(0).standard_normal(16_384)
    front_end = sn.preset("specgan")
    level = front_end(wave)
    assert level.shape == (128, 128)
    np.testing.assert_array_equal(level[:, -1:], front_end(np.pad(wave[-128:], (0, 128)))[:, :1])


def test_kaldi_takes_whole_windows_only() -> None:
    """`snip_edges`: as many frames as whole windows of 400 samples fit, none for less."""
    front_end = sn.preset("kaldi")
    assert [front_end.frames(n) for n in (399, 400, 559, 560)] == [0, 1, 1, 2]
    assert front_end.min_samples == 400


def test_ast_divides_by_two_deviations_and_pads_before() -> None:
    """AST's padding is 0.0 before normalization, so 0.467 after it, and one deviation becomes 0.5."""
    pipeline = sn.published("ast")
    level = sn.front_end.fix_frames(pipeline.front_end(np.zeros(16_000)), 1024)
    x = pipeline.normalizer(level)
    assert x.shape == (128, 1024)
    np.testing.assert_allclose(x[:, -1], 4.2677393 / (2 * 4.5689974))
    np.testing.assert_allclose(pipeline.normalizer(level + 4.5689974) - x, 0.5)
    np.testing.assert_allclose(pipeline.inverse(x), level, atol=1e-12)


def test_a_published_pipeline_is_saved_and_loaded(tmp_path: Path) -> None:
    """Fixed numbers survive saving, though they were fitted on nothing."""
    pipeline = sn.published("passt")
    pipeline.save(tmp_path / "passt.safetensors")
    assert sn.load(tmp_path / "passt.safetensors") == pipeline


@pytest.mark.parametrize("name", ["panns", "nothing"])
def test_what_has_no_fixed_numbers_says_so(name: str) -> None:
    """Asking for fixed numbers that do not exist says what does."""
    with pytest.raises(sn.errors.ArgumentError, match=r"only ast, beats, eat, passt, whisper|use one of"):
        sn.published(name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("wave", "says"),
    [
        (np.zeros(5000, dtype=np.int16), "floating point"),
        (np.zeros(0), "too short"),
        (np.zeros((2, 100)), "too short"),
        (np.array(0.5), "without axes"),
        ([0.0] * 5000, "list"),
        (np.full(5000, np.nan), "NaN"),
        (np.where(np.arange(5000) == 7, np.inf, 0.0), "1 values"),
    ],
)
def test_bad_waves_get_one_clear_error(name: str, wave: object, says: str) -> None:
    """Integers, too short waves, numbers, lists and NaN are refused in one sentence."""
    with pytest.raises((sn.errors.ShapeError, sn.errors.ArgumentError), match=says):
        sn.preset(name)(wave)


@pytest.mark.parametrize(
    "chosen",
    [
        {"frame_by": "hop"},
        {"frame_count": "most"},
        {"frame_count": "floor", "center": False},
        {"frame_count": "ceil"},
        {"preemphasis": 1.0},
        {"preemphasis": float("nan")},
        {"window": "povey_symmetric"},
        {"window": 3},
    ],
)
def test_bad_settings_are_refused(chosen: dict[str, object]) -> None:
    """A setting that breaks its rule is refused when the front end is made, not when it runs."""
    with pytest.raises(sn.errors.ArgumentError):
        sn.STFT(**chosen)  # type: ignore[arg-type]


@pytest.mark.parametrize("frames", [0, -1, 1.5, True])
def test_fix_frames_refuses_other_numbers(frames: object) -> None:
    """A number of frames is a positive whole number."""
    with pytest.raises(sn.errors.ArgumentError, match="whole number"):
        sn.front_end.fix_frames(np.zeros((2, 3)), frames)  # type: ignore[arg-type]


def test_fix_frames_crops_and_pads() -> None:
    """Levels come out with exactly the frames asked for, in their own library and dtype."""
    level = np.arange(6.0, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(sn.front_end.fix_frames(level, 2), level[:, :2])
    np.testing.assert_array_equal(sn.front_end.fix_frames(level, 5, -1.0)[:, 3:], -1.0)
    padded = sn.front_end.fix_frames(torch.from_numpy(level), 4)
    assert padded.dtype == torch.float32
    assert padded.shape == (2, 4)
    with pytest.raises(sn.errors.ShapeError, match="band, frame"):
        sn.front_end.fix_frames(np.zeros(3), 2)
