"""A waveform that comes in pieces gives the frames of the whole waveform, or the reason why it cannot."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from copy import copy, deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st
from tests.test_fast_calls import LEVELS, transforms, waves

import spectronorm as sn
from spectronorm.errors import ArgumentError, ShapeError
from spectronorm.front_end import (
    PCEN,
    PRESETS,
    AsRecorded,
    Decibel,
    FrontEnd,
    Linear,
    Ln,
    Log1p,
    Mel,
    PreEmphasis,
    Root,
    ScaleWaveform,
    SlidingStandardizeWaveform,
)
from spectronorm.front_end.waveform.waveform_level import WaveformLevel

CAUSAL_LEVELS = (
    AsRecorded(),
    ScaleWaveform(32768.0),
    PreEmphasis(0.97),
    PreEmphasis(0.9, first="keep"),
    PreEmphasis(first="drop"),
    SlidingStandardizeWaveform(length=300, center=False),
    SlidingStandardizeWaveform(length=50, min_length=20, center=False),
)
CAUSAL_COMPRESSIONS = (Decibel(), Decibel(floor_db=-40.0), Ln(), Log1p(), Root(), PCEN())


@st.composite
def causal_front_ends(draw: st.DrawFn) -> FrontEnd:
    """Front ends of any settings that a stream takes."""
    return FrontEnd(
        sample_rate=16_000,
        level=draw(st.sampled_from(CAUSAL_LEVELS)),
        stft=draw(transforms()),
        bands=draw(st.sampled_from([Linear(), Mel(3, norm=None)])),
        compress=draw(st.sampled_from(CAUSAL_COMPRESSIONS)),
    )


def pieces(wave: np.ndarray, cuts: list[int]) -> list[np.ndarray]:
    """A waveform cut anywhere, into empty pieces and single samples too."""
    return np.split(wave, sorted(min(cut, wave.shape[-1]) for cut in cuts), axis=-1)


CUTS = st.lists(st.integers(0, 1500), max_size=12)


@given(
    front_end=causal_front_ends(),
    seed=st.integers(0, 999),
    more=st.integers(0, 1200),
    cuts=CUTS,
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_all_pieces_give_the_bits_of_the_whole(
    front_end: FrontEnd, seed: int, more: int, cuts: list[int], dtype: type
) -> None:
    """Frames and flush together are the call on the whole waveform, to the last bit and in its dtype."""
    wave = waves(front_end, seed, 1, more)[0].astype(dtype)
    stream = front_end.stream()
    levels = [stream.add(piece) for piece in pieces(wave, cuts)]
    levels.append(stream.flush())
    found = np.concatenate(levels, axis=-1)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, front_end(wave))


@pytest.mark.parametrize("level", CAUSAL_LEVELS)
@pytest.mark.parametrize("channels", [None, 2])
def test_long_waveforms_too(level: WaveformLevel, channels: int | None) -> None:
    """Buffers that are used again and pieces of many frames change no bit."""
    front_end = replace(sn.preset("torchaudio"), level=level, channels="mean" if channels is None else "stack:2")
    wave = (0.1 * np.random.default_rng(0).standard_normal((channels or 1, 60_000))).astype(np.float32)
    wave = wave[0] if channels is None else wave
    stream = front_end.stream()
    found = [stream.add(piece) for piece in pieces(wave, [*range(0, 40_000, 320), 57_000])]
    np.testing.assert_array_equal(np.concatenate([*found, stream.flush()], axis=-1), front_end(wave))


@pytest.mark.parametrize("name", sorted(PRESETS))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_presets_in_pieces_of_few_frames_and_of_many(name: str, dtype: type) -> None:
    """Pieces of 10 ms to 0.2 s, in any order, give the bits of each preset's call, the clip's floor aside."""
    front_end = sn.preset(name)
    if front_end.level.needs_statistics:
        front_end = replace(front_end, level=AsRecorded())
    if not front_end.compress.causal:
        front_end = replace(front_end, compress=Decibel())
    rate = front_end.sample_rate
    wave = (0.1 * np.random.default_rng(0).standard_normal(2 * rate + 77)).astype(dtype)
    lengths = np.random.default_rng(1).choice([rate // 100, rate // 50, rate // 30, rate // 5], 60)
    stream = front_end.stream()
    found = [stream.add(piece) for piece in np.split(wave, np.cumsum(lengths))]
    np.testing.assert_array_equal(np.concatenate([*found, stream.flush()], axis=-1), front_end(wave))


def test_pieces_that_cannot_be_written_or_have_gaps() -> None:
    """Read-only pieces and every second sample of an array are read like others."""
    front_end = sn.preset("torchaudio")
    wide = (0.1 * np.random.default_rng(0).standard_normal(8000)).astype(np.float32)
    wide.flags.writeable = False
    stream = front_end.stream()
    found = [stream.add(piece) for piece in np.array_split(wide[::2], 5)]
    np.testing.assert_array_equal(np.concatenate([*found, stream.flush()], axis=-1), front_end(wide[::2].copy()))


@given(
    seed=st.integers(0, 999),
    cuts=CUTS,
    name=st.sampled_from(["fixed", "band", "causal", "causal-mean", "causal-data-set"]),
    channels=st.sampled_from([None, 2]),
)
def test_pipelines_too(seed: int, cuts: list[int], name: str, channels: int | None) -> None:
    """A pipeline's stream gives its call's bits, with maps of the data set, and with windows that end at a frame."""
    front_end = replace(
        sn.preset("torchaudio"), bands=Mel(5), channels="mean" if channels is None else f"stack:{channels}"
    )
    random = np.random.default_rng(seed)
    shape = front_end.level_shape
    fitted = sn.Fixed(random.normal(size=shape), random.uniform(1, 9, shape)).for_front_end(front_end)
    sliding = sn.normalize.SlidingStandardize(length=9, min_length=4, center=False)
    if name == "causal":
        fitted = replace(fitted, normalizer=sliding, affine=None)
    elif name == "causal-mean":
        fitted = replace(fitted, normalizer=replace(sliding, scale="none"), affine=None)
    elif name == "causal-data-set":
        fitted = replace(fitted, normalizer=replace(sliding, scale="data_set"))
    pipeline = sn.Pipeline(front_end, fitted)
    wave = (0.1 * random.standard_normal((channels or 1, 4000))).astype(np.float32)
    wave = wave[0] if channels is None else wave
    stream = pipeline.stream()
    found = [stream.add(piece) for piece in pieces(wave, [3 * cut for cut in cuts])]
    np.testing.assert_array_equal(np.concatenate([*found, stream.flush()], axis=-1), pipeline(wave))


def test_frames_come_as_early_as_they_can_in_constant_memory() -> None:
    """A frame is there once the sample is that `latency` names, and what is kept does not grow."""
    front_end = sn.preset("torchaudio")
    stream, given = front_end.stream(), 0
    assert stream.latency == pytest.approx(200 / 16_000)
    for seconds in range(1, 40):
        given += stream.add(np.zeros(1600, np.float32)).shape[1]
        assert given == (1600 * seconds - 200) // 200 + 1
    assert stream._parts[0].queue.samples.size <= 1 << 14


def test_pieces_at_another_rate_are_resampled() -> None:
    """Frames of pieces at 44.1 kHz are those of the whole resampled waveform, within float32."""
    front_end = sn.preset("logmel")
    wave = (0.1 * np.random.default_rng(0).standard_normal(44_100)).astype(np.float32)
    stream = front_end.stream(resample=44_100)
    levels = [stream.add(piece) for piece in np.array_split(wave, 50)]
    found = np.concatenate([*levels, stream.flush()], axis=-1)
    expected = front_end(soxr.resample(wave, 44_100, 22_050, quality="HQ"))
    np.testing.assert_allclose(found, expected, atol=1e-3)
    same = front_end.stream(resample=22_050)
    np.testing.assert_array_equal(same.add(wave), front_end.stream().add(wave))


@pytest.mark.parametrize(
    ("front_end", "message"),
    [
        (sn.preset("whisper"), "floor_db"),
        (sn.preset("fastaudio"), "AsRecorded"),
        *((replace(sn.preset("torchaudio"), level=level), "whole clip") for level in LEVELS if level.needs_statistics),
        (replace(sn.preset("torchaudio"), level=SlidingStandardizeWaveform()), "center=False"),
    ],
)
def test_what_looks_at_a_whole_clip_is_refused(front_end: FrontEnd, message: str) -> None:
    """Per-clip waveform levels, `top_db` and centred windows are refused, with the nearest causal choice."""
    with pytest.raises(ArgumentError, match=message):
        front_end.stream()


@pytest.mark.parametrize("name", ["clip", "clip-band", "sliding"])
def test_normalizers_that_look_at_a_whole_clip_are_refused(name: str) -> None:
    """So are normalizers; each says by `causal` if it is one that a stream takes."""
    front_end = sn.preset("logmel")
    fixed = sn.Fixed(0.0, 1.0).for_front_end(front_end)
    assert fixed.normalizer.causal
    pipeline = sn.Pipeline(front_end, replace(fixed, normalizer=sn.normalizer(name), affine=None))
    assert not pipeline.normalizer.normalizer.causal
    with pytest.raises(ArgumentError, match="center=False"):
        pipeline.stream()


def test_every_preset_is_a_stream_or_is_refused() -> None:
    """Every preset without a look at the whole clip is a stream with its call's bits."""
    taken = set()
    for name, preset in PRESETS.items():
        front_end = preset.front_end
        wave = (0.1 * np.random.default_rng(0).standard_normal(front_end.sample_rate)).astype(np.float32)
        try:
            stream = front_end.stream()
        except ArgumentError:
            continue
        taken.add(name)
        levels = [stream.add(piece) for piece in np.array_split(wave, 50)]
        np.testing.assert_array_equal(np.concatenate([*levels, stream.flush()], axis=-1), front_end(wave))
    fronts = {name: preset.front_end for name, preset in PRESETS.items()}
    looking = {name for name, one in fronts.items() if not one.compress.causal or one.level.needs_statistics}
    assert set(PRESETS) - taken == looking


def test_bad_pieces_get_one_clear_error() -> None:
    """NaN, another dtype, integers, axes, and anything after the flush; the stream goes on after a refused piece."""
    front_end = sn.preset("torchaudio")
    stream = front_end.stream()
    wave = (0.1 * np.random.default_rng(0).standard_normal(4000)).astype(np.float32)
    levels = [stream.add(wave[:2000])]
    for bad, kind, message in (
        (np.full(10, np.nan, np.float32), ArgumentError, "NaN"),
        (np.full(10, 3e4, np.float32), ArgumentError, "full scale"),
        (np.zeros(10), ShapeError, "float64.*float32"),
        (np.zeros(10, np.int16), ShapeError, "int16"),
        (np.zeros(10, np.float16), ShapeError, "float16"),
        ([0.0], ShapeError, "list"),
        (np.zeros((2, 10), np.float32), ShapeError, "shape"),
        (np.float32(0.5), ShapeError, "float32"),
    ):
        with pytest.raises(kind, match=message):
            stream.add(bad)  # type: ignore[arg-type]
    levels += [stream.add(wave[2000:]), stream.flush()]
    np.testing.assert_array_equal(np.concatenate(levels, axis=-1), front_end(wave))
    for call in (lambda: stream.add(wave), stream.flush):
        with pytest.raises(ArgumentError, match="flushed"):
            call()


def test_a_stream_that_ends_early() -> None:
    """Nothing at all gives no frames; less than a window is refused as the call refuses it."""
    front_end = sn.preset("torchaudio")
    assert front_end.stream().flush().shape == (128, 0)
    short = front_end.stream()
    assert short.add(np.zeros(399, np.float32)).shape == (128, 0)
    with pytest.raises(ShapeError, match="399 samples"):
        short.flush()
    with pytest.raises(ArgumentError, match="overlap_save"):
        replace(front_end, resampler="overlap_save").stream(resample=44_100)


@pytest.mark.parametrize("n_fft", [16, 20, 32, 36, 48, 100, 120, 225, 256, 400, 512, 640, 1024, 2048])
@pytest.mark.parametrize("hops", [1, 2, 3, 4, 5, 9])
def test_frames_by_ones_and_twos(n_fft: int, hops: int) -> None:
    """A transform of few frames has the bits of one of many, for every last radix and any number of frames."""
    front_end = FrontEnd(sample_rate=16_000, level=AsRecorded(), stft=sn.STFT(n_fft, hop_length=n_fft // 2))
    wave = (0.1 * np.random.default_rng(n_fft).standard_normal(40 * n_fft)).astype(np.float32)
    for one in (front_end, replace(front_end, stft=replace(front_end.stft, power=1.0, preemphasis=0.9))):
        stream = one.stream()
        cuts = [n_fft, *range(2 * n_fft, 30 * n_fft, hops * n_fft // 2)]
        found = [stream.add(piece) for piece in pieces(wave, cuts)]
        np.testing.assert_array_equal(np.concatenate([*found, stream.flush()], axis=-1), one(wave))


def _read_only(piece: np.ndarray) -> np.ndarray:
    piece.flags.writeable = False
    return piece


def test_kinds_of_pieces_may_change() -> None:
    """Read-only pieces, every second sample, subclasses and usual ones follow one another, with equal bits."""
    front_end = sn.preset("torchaudio")
    wave = (0.1 * np.random.default_rng(0).standard_normal(8000)).astype(np.float32)
    stream, found = front_end.stream(), []
    kinds = (
        lambda piece: piece,
        _read_only,
        lambda piece: np.repeat(piece, 2)[::2],
        lambda piece: piece.view(np.memmap),
    )
    for number, piece in enumerate(np.array_split(wave, 40)):
        found.append(stream.add(kinds[number % 4](piece)))
    np.testing.assert_array_equal(np.concatenate([*found, stream.flush()], axis=-1), front_end(wave))


def _unpickled(stream: Any) -> Any:
    return pickle.loads(pickle.dumps(stream))  # noqa: S301 - our own bytes, just made


@pytest.mark.parametrize("again", [copy, deepcopy, _unpickled])
@pytest.mark.parametrize(
    "front_end",
    [
        sn.preset("torchaudio"),
        replace(sn.preset("torchaudio"), channels="stack:2", level=PreEmphasis()),
        FrontEnd(stft=sn.STFT(202, hop_length=101), level=SlidingStandardizeWaveform(300, center=False)),
        FrontEnd(bands=Mel(20), compress=PCEN()),
    ],
)
@pytest.mark.parametrize("sliding", [False, True])
def test_copies_and_pickles_continue_by_themselves(
    again: Callable[[Any], Any], front_end: FrontEnd, sliding: bool
) -> None:
    """A stream and its copies, taken at any time and fed in turn, each give the bits of the call on the whole."""
    fitted = sn.Fixed(-3.0, 7.0).for_front_end(front_end)
    if sliding:
        fitted = replace(fitted, normalizer=sn.normalize.SlidingStandardize(9, 4, center=False), affine=None)
    pipeline = sn.Pipeline(front_end, fitted)
    shape = (*front_end.level_shape[:-1], 9000)
    waves = (0.1 * np.random.default_rng(0).standard_normal((3, *shape))).astype(np.float32)
    waves[1:, ..., :2000] = waves[0, ..., :2000]
    waves[2, ..., :5000] = waves[1, ..., :5000]
    streams: list[Any] = [pipeline.stream()]
    found: list[list[np.ndarray]] = [[]]
    for at in range(0, 9000, 250):
        if at in (2000, 5000):
            streams.append(again(streams[-1]))
            found.append(list(found[-1]))
        for wave, stream, levels in zip(waves, streams, found, strict=False):
            levels.append(stream.add(wave[..., at : at + 250]))
    for wave, stream, levels in zip(waves, streams, found, strict=True):
        np.testing.assert_array_equal(np.concatenate([*levels, stream.flush()], axis=-1), pipeline(wave))
        with pytest.raises(ArgumentError, match="flushed"):
            again(stream).flush()


def test_a_resampler_that_has_begun_is_not_copied() -> None:
    """Copies share no state: a stream that resamples is copied before its first piece, and refused after it."""
    stream = sn.preset("logmel").stream(resample=44_100)
    deepcopy(stream).add(np.zeros(4410, np.float32))
    assert _unpickled(stream).flush().shape == (128, 0)
    stream.add(np.zeros(4410, np.float32))
    for call in (copy, deepcopy, pickle.dumps):
        with pytest.raises(ArgumentError, match="44100 Hz to 22050 Hz cannot be copied"):
            call(stream)
