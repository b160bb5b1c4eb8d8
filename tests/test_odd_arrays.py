"""Arrays of any kind are read or refused in one sentence, and no warning of another library escapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import spectronorm as sn
from spectronorm import nn
from spectronorm.errors import ArgumentError, AudioError, ShapeError
from spectronorm.kernels import jit
from spectronorm.monitor import Monitor, SampleStream
from spectronorm.profile import LevelCounter

FRONT_END = sn.FrontEnd(bands=sn.Mel(24))
PIPELINE = sn.Pipeline(FRONT_END, sn.Fixed(-40.0, 20.0).for_front_end(FRONT_END))


@pytest.fixture(scope="module")
def profile() -> sn.Profile:
    rng = np.random.default_rng(0)
    return sn.fit([(0.1 * rng.standard_normal(8000), 16_000) for _ in range(40)], FRONT_END)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("wave", [np.full(8000, 1e300), np.full(8000, -1e39), np.full(8000, np.longdouble("1e400"))])
def test_numbers_beyond_a_float_s_range_are_told_without_warnings(wave: np.ndarray, profile: sn.Profile) -> None:
    """One error for a call; a stream of clips counts such a clip as bad."""
    for call in (FRONT_END, PIPELINE, lambda x: FRONT_END(x, precision="float32")):
        with pytest.raises(ArgumentError, match="NaN or infinite|full scale"):
            call(wave)
    for add in (LevelCounter(FRONT_END).add, Monitor(profile).add):
        with pytest.raises(AudioError, match="NaN or infinite"):
            add(wave)
    stream = SampleStream(Monitor(profile), seconds=0.5)
    assert stream.add(wave) == []
    assert stream.monitor.bad == 1
    with pytest.raises(ArgumentError, match="not finite"):
        sn.play(wave, 16_000)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_counter_counts_nothing_of_a_clip_that_is_not_finite(bad: float) -> None:
    """A clip that is refused leaves the counter as it was."""
    counter, clip = LevelCounter(FRONT_END), 0.1 * np.random.default_rng(0).standard_normal(8000)
    counter.add(clip)
    with pytest.raises(AudioError, match="NaN or infinite"):
        counter.add(np.where(np.arange(8000) == 4000, bad, clip))
    alone = LevelCounter(FRONT_END)
    alone.add(clip)
    assert sn.Profile(FRONT_END, {(): counter.measurement()}) == sn.Profile(FRONT_END, {(): alone.measurement()})


def test_a_counter_takes_stacked_channels_and_no_other_axes() -> None:
    """Samples `(channel, sample)` are counted band by band of each channel."""
    stacked = sn.FrontEnd(bands=sn.Mel(24), channels="stack:2")
    clip = 0.1 * np.random.default_rng(0).standard_normal((2, 8000))
    counter, expected = LevelCounter(stacked), LevelCounter(stacked)
    counter.add(clip)
    expected.add_level(stacked.clip_level(clip), clip.astype(np.float32))
    assert sn.Profile(stacked, {(): counter.measurement()}) == sn.Profile(stacked, {(): expected.measurement()})
    for other in (clip[0], clip[:1], clip.T, clip > 0, clip + 0j, clip.tolist(), np.float64(0.5), None):
        with pytest.raises(ShapeError, match="2 channels, sample"):
            counter.add(other)


@pytest.mark.parametrize("dtype", [np.float16, ">f4", ">f8", np.longdouble])
def test_other_floats_give_up_no_kernel(dtype: Any, monkeypatch: pytest.MonkeyPatch, profile: sn.Profile) -> None:
    """Half precision and foreign byte order are converted, not left to a kernel that cannot be compiled for them."""
    told: list[str] = []
    monkeypatch.setattr(jit, "say_once", lambda topic, text: told.append(text))
    clip = (0.1 * np.random.default_rng(0).standard_normal(8000)).astype(dtype)
    counter = LevelCounter(FRONT_END)
    counter.add(clip)
    counter.add_level(FRONT_END.clip_level(clip).astype(dtype), clip)
    Monitor(profile).add(clip)
    assert FRONT_END(clip).dtype == dtype
    assert told == []


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float8_e4m3fn])
def test_floats_that_numpy_does_not_have_are_drawn_and_measured(dtype: torch.dtype, profile: sn.Profile) -> None:
    """Tensors of a model in lower precision are read as float32."""
    wave = torch.full((8000,), 0.5).to(dtype)
    assert sn.plot_wave(wave, 16_000).get_xlim() == (0.0, 0.5)
    assert sn.play(wave, 16_000).samples.shape == (1, 8000)
    assert sn.plot(FRONT_END(wave).to(dtype), FRONT_END).images[0].get_array().shape == (24, 41)
    assert sn.fit([(wave, 16_000)], FRONT_END).total.clips == 1
    assert len(sn.compare_normalizations(wave[None], profile, ("none",)).axes) == 3


def test_tensors_that_are_negated_lazily_are_read() -> None:
    """The imaginary part of a conjugate is a view whose signs are not applied yet."""
    part = torch.complex(torch.zeros(8000), 0.1 * torch.randn(8000)).conj().imag
    assert part.is_neg()
    plain = part.resolve_neg()
    for call in (FRONT_END, PIPELINE, nn.Spectrogram(FRONT_END), nn.Preprocess(PIPELINE)):
        assert torch.equal(call(part), call(plain))
    assert np.array_equal(sn.play(part, 16_000).samples, sn.play(plain, 16_000).samples)


@pytest.mark.parametrize(
    ("make", "remedy"),
    [
        (lambda: torch.zeros(8000).to_sparse(), "to_dense"),
        (lambda: torch.nested.nested_tensor([torch.zeros(8000)], layout=torch.jagged), "to_padded_tensor"),
    ],
    ids=["sparse", "nested"],
)
def test_tensors_without_strides_are_refused(make: Callable[[], torch.Tensor], remedy: str) -> None:
    """Front ends, pipelines and modules name the method that makes a dense tensor."""
    for call in (FRONT_END, PIPELINE, nn.Spectrogram(FRONT_END), nn.Preprocess(PIPELINE)):
        with pytest.raises(ShapeError, match=remedy):
            call(make())


def test_what_cannot_be_drawn_or_played_is_refused(profile: sn.Profile) -> None:
    """Paths, texts, complex numbers, ragged lists and tensors without values get one sentence, not a conversion."""
    calls: tuple[Callable[[Any], Any], ...] = (
        lambda x: sn.play(x, 16_000),
        lambda x: sn.plot_wave(x, 16_000),
        lambda x: sn.plot(x, FRONT_END),
    )
    for call in calls:
        with pytest.raises(ShapeError, match="not a path"):
            call("dog.wav")
        for other in (np.array("a"), np.ones(8000, complex), [[0.1], [0.1, 0.2]], None, torch.zeros(9, device="meta")):
            with pytest.raises(ShapeError):
                call(other)
    with pytest.raises(ShapeError):
        sn.compare_normalizations(np.ones(8000, complex), profile)
    for call in (PIPELINE.normalizer, PIPELINE.normalizer.inverse):
        with pytest.raises(ShapeError, match="got list"):
            call([[0.0]] * 24)


def test_a_stream_of_clips_checks_what_it_is_given(profile: sn.Profile) -> None:
    """The monitor, the length and each piece: one error each, before memory is allocated."""
    for other in (profile, "profile.safetensors", None):
        with pytest.raises(ArgumentError, match="Monitor"):
            SampleStream(other)  # type: ignore[arg-type]
    monitor = Monitor(profile)
    for seconds in (0, -1, np.nan, np.inf, "5", None, True, [1], 1e-5, 1e6, 1e12):
        with pytest.raises(ArgumentError, match="seconds="):
            SampleStream(monitor, seconds)  # type: ignore[arg-type]
    stream = SampleStream(monitor, np.float32(0.5))
    for piece in ([0.1], None, "a", torch.zeros(9), np.zeros((2, 9)), np.zeros(9, np.int16), np.zeros(9, complex)):
        with pytest.raises(ShapeError, match="piece of a stream"):
            stream.add(piece)  # type: ignore[arg-type]
    assert stream.held == 0


@pytest.mark.parametrize("other", [None, "train.safetensors", FRONT_END])
def test_what_is_no_profile_is_not_compared(other: object) -> None:
    """A path, a front end or nothing in the place of the profile."""
    with pytest.raises(ArgumentError, match="Profile"):
        sn.compare_normalizations(np.zeros(8000), other)  # type: ignore[arg-type]


def test_what_is_no_front_end_or_rate_draws_and_plays_nothing(profile: sn.Profile) -> None:
    """A profile in the place of its front end, and rates that are no numbers."""
    for other in (profile, "torchaudio", 3):
        with pytest.raises(ArgumentError, match="front_end"):
            sn.plot(np.zeros((24, 9)), other)  # type: ignore[arg-type]
    for rate in (0, -1, np.nan, np.inf, "16000", None, [1], True):
        for call in (sn.play, sn.plot_wave):
            with pytest.raises(ArgumentError, match="sample_rate="):
                call(np.zeros(100), rate)  # type: ignore[arg-type]
