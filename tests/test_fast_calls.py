"""Every call goes through the kernels, and gives what the plain array code gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import spectronorm as sn
from spectronorm.errors import ArgumentError
from spectronorm.front_end import (
    PCEN,
    PRESETS,
    STFT,
    AsRecorded,
    Decibel,
    FrontEnd,
    Linear,
    Ln,
    Log1p,
    Mel,
    PeakLevel,
    PreEmphasis,
    RMSLevel,
    Root,
    ScaleWaveform,
    StandardizeWaveform,
)
from spectronorm.front_end.compress import Compression

COMPRESSIONS = (
    Decibel(),
    Decibel(top_db=20.0),
    Decibel(amin=1e-6, ref=0.5, floor_db=-30.0, top_db=60.0),
    Decibel(floor_db=-40.0),
    Ln(),
    Ln(offset=0.0, amin=1e-6),
    Log1p(gain=1e4),
    Root(),
    Root(exponent=0.5),
    PCEN(),
)
LEVELS = (
    AsRecorded(),
    StandardizeWaveform(),
    ScaleWaveform(32768.0),
    RMSLevel(),
    PeakLevel(),
    PreEmphasis(0.97),
    PreEmphasis(0.9, first="keep"),
    PreEmphasis(first="drop"),
)


@st.composite
def transforms(draw: st.DrawFn) -> STFT:
    """Transforms of any length, odd ones too, with any padding, hop (beyond the frame too) and power."""
    n_fft = draw(st.integers(2, 40) | st.sampled_from([64, 75, 98, 127, 160, 200]))
    by = draw(st.sampled_from(["n_fft", "win_length"]))
    ways = [(True, "fit"), (False, "fit"), (True, "floor"), (False, "ceil"), (True, "hop"), (True, "round")]
    center, count = draw(st.sampled_from(ways))
    win_length = draw(st.integers(max(1, n_fft // 3), n_fft))
    longest = (n_fft if by == "n_fft" else win_length) if count in ("hop", "round") else 2 * n_fft
    return STFT(
        n_fft=n_fft,
        win_length=win_length,
        hop_length=draw(st.integers(1, longest)),
        window=draw(st.sampled_from(["hann", "povey", "hamming_symmetric", "boxcar"])),
        center=center,
        pad_mode=draw(st.sampled_from(["reflect", "constant", "edge", "symmetric"])),
        power=draw(st.sampled_from([1.0, 2.0, 1.5])),
        frame_by=by,
        frame_count=count,
        remove_dc_offset=draw(st.booleans()),
        preemphasis=draw(st.sampled_from([0.0, 0.97])),
    )


@st.composite
def front_ends(draw: st.DrawFn) -> FrontEnd:
    """Front ends of any settings, and the presets."""
    if draw(st.integers(0, 3)) == 0:
        return PRESETS[draw(st.sampled_from(sorted(PRESETS)))].front_end
    stft = draw(transforms())
    return FrontEnd(
        sample_rate=16_000,
        level=draw(st.sampled_from(LEVELS)),
        stft=stft,
        bands=draw(st.sampled_from([Linear(), Mel(3, norm=None)])),
        compress=draw(st.sampled_from(COMPRESSIONS)),
    )


def waves(front_end: FrontEnd, seed: int, clips: int, more: int) -> np.ndarray:
    """Noise of different loudness, in clips from one window on."""
    random = np.random.default_rng(seed)
    loudness = 10.0 ** random.uniform(-4, 0, (clips, 1))
    samples = front_end.min_samples + front_end.stft.padding + more
    return np.clip(loudness * random.standard_normal((clips, samples)), -8, 8)


@given(front_end=front_ends(), seed=st.integers(0, 999), clips=st.integers(1, 3), more=st.integers(0, 3000))
def test_the_kernels_give_what_the_plain_code_gives(front_end: FrontEnd, seed: int, clips: int, more: int) -> None:
    """Levels in float64 are within 1e-12 of their range of the plain array code's, whatever the settings."""
    batch = waves(front_end, seed, clips, more)
    plain = front_end.working_level(batch)

    span = max(1.0, float(np.ptp(plain)), float(np.abs(plain).max()))
    np.testing.assert_allclose(front_end(batch), plain, rtol=0, atol=1e-12 * span)


def _near_the_plain_code(front_end: FrontEnd, batch: np.ndarray) -> None:
    plain = front_end.working_level(batch)
    span = max(1.0, float(np.ptp(plain)), float(np.abs(plain).max()))
    np.testing.assert_allclose(front_end(batch), plain, rtol=0, atol=1e-12 * span)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_gives_what_the_plain_code_gives(name: str) -> None:
    """The shortest clip and longer ones, alone, in a batch of two axes and broadcast."""
    front_end = sn.preset(name)
    for more in (0, 1, 777):
        batch = waves(front_end, more, 4, more)
        shortest = batch[:, : front_end.min_samples]
        for wave in (batch[0], batch.reshape(2, 2, -1), np.broadcast_to(batch[:2, None], (2, 3, batch.shape[-1]))):
            _near_the_plain_code(front_end, wave)
        _near_the_plain_code(front_end, shortest)
        broadcast = front_end(np.broadcast_to(batch[0], (2, 3, batch.shape[-1])))
        np.testing.assert_array_equal(broadcast, np.broadcast_to(front_end(batch[0]), broadcast.shape))


@pytest.mark.parametrize("pad_mode", ["reflect", "constant", "edge", "symmetric"])
@pytest.mark.parametrize("compress", COMPRESSIONS, ids=repr)
def test_each_compression_and_padding_gives_what_the_plain_code_gives(compress: Compression, pad_mode: str) -> None:
    """Odd lengths, of factors with a plan and without, and hops up to beyond the frame; one frame, and several."""
    for n_fft, hop in ((75, 25), (77, 30), (64, 100), (45, 99)):
        stft = STFT(n_fft=n_fft, hop_length=hop, pad_mode=pad_mode)
        front_end = FrontEnd(stft=stft, bands=Mel(3, norm=None), compress=compress)
        one = waves(front_end, n_fft, 2, 0)[:, : front_end.min_samples]
        _near_the_plain_code(front_end, one)
        _near_the_plain_code(front_end, waves(front_end, hop, 3, 500))
        assert hop <= n_fft or front_end.frames(one.shape[-1]) == 1


@given(front_end=front_ends(), seed=st.integers(0, 999), more=st.integers(0, 2000))
def test_one_result_for_clips_batches_and_libraries(front_end: FrontEnd, seed: int, more: int) -> None:
    """Clips, batches of any leading axes, threads, NumPy and torch give the same bits, in the dtype of the input."""
    for dtype in (np.float32, np.float64):
        batch = waves(front_end, seed, 4, more).astype(dtype)
        alone = np.stack([front_end(wave) for wave in batch])
        assert alone.dtype == dtype
        np.testing.assert_array_equal(front_end(batch), alone)
        np.testing.assert_array_equal(front_end(batch[::2].copy()[:, None]), alone[::2, None])
        np.testing.assert_array_equal(front_end(np.asfortranarray(batch), threads=2), alone)
        np.testing.assert_array_equal(front_end(torch.from_numpy(batch)).numpy(), alone)
        rounded = np.stack([front_end.clip_level(wave) for wave in batch]).astype(dtype)
        np.testing.assert_array_equal(rounded, alone)


@given(
    front_end=front_ends(),
    seed=st.integers(0, 999),
    normalizer=st.sampled_from(["global", "band", "clip", "clip-band", "sliding", "fixed"]),
)
def test_a_pipeline_is_its_front_end_and_its_normalizer(front_end: FrontEnd, seed: int, normalizer: str) -> None:
    """A map that is applied while levels are written gives the bits of the two steps, for clips and for batches."""
    batch = waves(front_end, seed, 3, 400).astype(np.float32)
    fitted = _fitted(front_end, normalizer, seed)
    pipeline = sn.Pipeline(front_end, fitted)

    found = pipeline(batch)

    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, fitted(front_end(batch)))
    np.testing.assert_array_equal(found, np.stack([pipeline(wave) for wave in batch]))
    if normalizer in {"global", "band", "fixed"}:
        np.testing.assert_array_equal(pipeline(torch.from_numpy(batch)).numpy(), found)


def _fitted(front_end: FrontEnd, name: str, seed: int) -> sn.FittedNormalizer:
    random = np.random.default_rng(seed)
    bands = front_end.n_bands
    fixed = sn.Fixed(random.normal(size=bands), random.uniform(0.5, 30.0, bands)).for_front_end(front_end)
    if name in {"fixed", "band"}:
        return fixed
    if name == "global":
        return sn.Fixed(-3.0, 7.0).for_front_end(front_end)
    return replace(fixed, normalizer=sn.normalizer(name), affine=None)


def test_gradients_and_transforms_take_the_plain_code() -> None:
    """A tensor that wants a gradient gets one from the front end and the pipeline, within float32 of the kernels."""
    front_end = sn.preset("logmel")
    wave = (0.1 * torch.randn(2, 8000, generator=torch.Generator().manual_seed(0))).requires_grad_()
    level = front_end(wave)
    level.sum().backward()
    assert wave.grad is not None
    assert torch.isfinite(wave.grad).all()
    assert (level.detach() - front_end(wave.detach())).abs().max() < 1e-3
    batched = torch.func.vmap(front_end)(wave.detach())
    assert (batched - level.detach()).abs().max() < 1e-5


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 40_000.0])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_bad_wave_gets_one_error_whichever_path(bad: float, dtype: type) -> None:
    """NaN, infinity and integers taken for floats are refused in NumPy and torch alike, in any clip of a batch."""
    front_end = sn.preset("fastaudio")
    batch = np.zeros((3, 1600), dtype)
    batch[1, 700] = bad
    for wave in (batch, torch.from_numpy(batch)):
        with pytest.raises(ArgumentError, match="NaN or infinite|full scale"):
            front_end(wave)


@pytest.mark.parametrize("shape", [(0, 1600), (2, 0, 1600), (1600,), (2, 3, 1600)])
def test_any_leading_axes(shape: tuple[int, ...]) -> None:
    """Leading axes stay, empty ones too."""
    front_end = sn.preset("torchaudio")
    expected = (*shape[:-1], 128, 9)
    assert front_end(np.zeros(shape, np.float32)).shape == expected
    assert tuple(front_end(torch.zeros(shape)).shape) == expected


def test_half_precision_is_computed_in_more() -> None:
    """Half-precision waves give the level of their exact values, rounded."""
    wave = (0.1 * np.random.default_rng(0).standard_normal(4000)).astype(np.float16)
    front_end = sn.preset("logmel")
    expected = front_end(wave.astype(np.float64))
    assert front_end(wave).dtype == np.float16
    np.testing.assert_allclose(front_end(wave), expected, rtol=2e-3)
    np.testing.assert_allclose(front_end(torch.from_numpy(wave).bfloat16()).double().numpy(), expected, atol=0.2)


@given(front_end=front_ends(), seed=st.integers(0, 999), dtype=st.sampled_from([np.float32, np.float64]))
def test_float32_has_one_result_for_clips_and_batches(front_end: FrontEnd, seed: int, dtype: type) -> None:
    """Clips, batches and a pipeline agree to the last bit in float32 too, and are near the plain code."""
    batch = waves(front_end, seed, 3, 700).astype(dtype)
    fitted = _fitted(front_end, "band", seed)

    found = front_end(batch, precision="float32")

    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.stack([front_end(wave, precision="float32") for wave in batch]))
    np.testing.assert_array_equal(sn.Pipeline(front_end, fitted)(batch, precision="float32"), fitted(found))
    plain = front_end.working_level(batch.astype(np.float64))
    assert np.isfinite(found).all()
    assert np.median(np.abs(found - plain)) <= 1e-4 * max(1.0, float(np.abs(plain).max()))


def test_options_are_checked_and_gradients_ignore_them() -> None:
    """An unknown precision or number of threads is refused; the plain code has the precision of the tensor."""
    front_end = sn.preset("logmel")
    wave = np.zeros(4000, np.float32)
    for options in ({"precision": "float16"}, {"precision": None}, {"threads": 0}, {"threads": 1.5}):
        with pytest.raises(ArgumentError, match="precision|threads"):
            front_end(wave, **options)
    wanting = torch.from_numpy(wave).requires_grad_()
    assert front_end(wanting, precision="float32").requires_grad
