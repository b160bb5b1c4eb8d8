"""PCEN is librosa's, in one piece and in a stream, in NumPy and in torch."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import spectronorm as sn


def energies(seed: int, frames: int = 60) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.random((2, 4, frames)) ** 6 * (rng.random((2, 4, frames)) < 0.9)


@given(
    seed=st.integers(0, 2**32 - 1),
    b=st.floats(0.005, 1),
    gain=st.floats(0, 0.99),
    bias=st.floats(0.1, 10),
    exponent=st.floats(0.05, 1),
)
def test_equals_librosa(seed: int, b: float, gain: float, bias: float, exponent: float) -> None:
    """Every parameter means what it means in librosa.pcen, and torch gives the same."""
    values = energies(seed)
    pcen = sn.PCEN(b, gain, bias, exponent)
    expected = librosa.pcen(values * 2.0**31, b=b, gain=gain, bias=bias, power=exponent, eps=1e-6)
    np.testing.assert_allclose(pcen(values, 2.0), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(pcen(torch.from_numpy(values), 2.0).numpy(), expected, rtol=1e-9, atol=1e-12)


def test_librosas_defaults() -> None:
    """With librosa's time constant, sample rate and hop the whole function is equal."""
    values = energies(0)
    b = sn.PCEN.smoothing(0.4, 22_050, 512)
    np.testing.assert_allclose(sn.PCEN(b)(values, 1.0), librosa.pcen(values * 2.0**31), rtol=1e-10)


@given(seed=st.integers(0, 2**32 - 1), cuts=st.lists(st.integers(1, 59), max_size=4, unique=True))
@pytest.mark.parametrize("library", [np.asarray, torch.from_numpy])
def test_a_stream_is_the_whole(library: object, seed: int, cuts: list[int]) -> None:
    """Pieces with the smoother's state handed on give what the whole gives, and librosa's state is ours."""
    values = energies(seed)
    pcen, state, levels = sn.PCEN(0.1), None, []
    for piece in np.split(values, sorted(cuts), axis=-1):
        level, state = pcen.stream(library(piece), 2.0, state)  # type: ignore[operator]
        levels.append(np.asarray(level))
    np.testing.assert_allclose(np.concatenate(levels, axis=-1), pcen(values, 2.0), rtol=1e-9, atol=1e-12)
    _, librosas = librosa.pcen(values * 2.0**31, b=0.1, return_zf=True)
    np.testing.assert_allclose((1 - 0.1) * np.asarray(state), librosas, rtol=1e-9)


@given(seed=st.integers(0, 2**32 - 1), b=st.floats(0.01, 1), gain=st.floats(0, 0.98))
def test_inverts(seed: int, b: float, gain: float) -> None:
    """The values come back from the level alone, silence included, although each frame needs all before it."""
    values = energies(seed, frames=20)
    pcen = sn.PCEN(b, gain)
    np.testing.assert_allclose(pcen.inverse(pcen(values, 2.0), 2.0), values, rtol=1e-6, atol=1e-12)


def test_takes_a_slow_gain_out() -> None:
    """A recording that is 40 dB quieter settles at the same level: that is what PCEN is for."""
    values = np.random.default_rng(0).random((4, 800)) ** 2
    pcen = sn.PCEN()
    loud, quiet = pcen(values, 2.0), pcen(1e-4 * values, 2.0)
    assert np.abs(loud - quiet)[:, 400:].max() < 0.2 * loud[:, 400:].std() + 0.3


def test_a_long_clip_keeps_its_precision_in_torch() -> None:
    """10000 frames in float32 drift from float64 by rounding only."""
    values = torch.rand(2, 10_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    exact, single = (sn.PCEN()(v, 2.0) for v in (values, values.float()))
    np.testing.assert_allclose(single.numpy(), exact.numpy(), atol=2e-4)


def test_in_a_front_end_and_a_profile(noise_folder) -> None:
    """PCEN levels are measured, grouped and mapped like any others."""
    front_end = sn.FrontEnd(16_000, bands=sn.Mel(8), compress=sn.PCEN())
    profile = sn.fit(noise_folder, front_end)
    levels = [front_end.clip_level(sn.read(path, 16_000)) for path in sorted(noise_folder.rglob("*.wav"))]
    np.testing.assert_allclose(profile.band.mean, np.concatenate(levels, axis=1).mean(axis=1), atol=1e-5)
    assert front_end.floor == 0.0


@pytest.mark.parametrize(
    "settings", [{"b": 0}, {"b": 1.1}, {"gain": 1}, {"gain": -0.1}, {"bias": 0}, {"exponent": 0}, {"scale": np.inf}]
)
def test_bad_settings_are_refused(settings: dict[str, float]) -> None:
    """Parameters that make no PCEN are refused when it is made."""
    with pytest.raises(sn.errors.ArgumentError):
        sn.PCEN(**settings)
    with pytest.raises(sn.errors.ArgumentError):
        sn.PCEN.smoothing(0.0, 16_000, 160)
