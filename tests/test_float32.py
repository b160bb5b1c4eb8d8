"""Levels by float32 arithmetic are as near to float64 as a transform in float32 can be."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.fft
import torch
from hypothesis import given
from hypothesis import strategies as st

import spectronorm as sn
from spectronorm.front_end import PRESETS, STFT, Decibel, FrontEnd, Linear

NOISE, NOISE_OF_CHANGED_FRAMES, NOISE_OF_ANY = 1e-6, 1e-5, 3e-6
"""Error in dB at the depth 0, which grows tenfold with each 20 dB: for the sounds below, also if each frame's mean is
subtracted or the frame is pre-emphasized, and for any sound.
"""
ROUNDING = 3e-5
"""Error of a level's own float32 number and of the logarithm, in dB."""


def _bound(depth: np.ndarray, noise: float) -> np.ndarray:
    return ROUNDING + noise * 10.0 ** (depth / 20.0)


def _sounds(rate: int) -> dict[str, np.ndarray]:
    """Two seconds each of noise, a tone in quiet noise, a sweep from 300 Hz, and clicks in near silence."""
    random, t = np.random.default_rng(0), np.arange(2 * rate) / rate
    clicks = 1e-4 * random.standard_normal(len(t))
    clicks[:: rate // 7] += 0.5
    sounds = {
        "noise": 0.1 * random.standard_normal(len(t)),
        "tone": 0.3 * np.sin(2 * np.pi * 440.0 * t) + 1e-3 * random.standard_normal(len(t)),
        "sweep": 0.5 * np.sin(2 * np.pi * (300.0 + 0.05 * rate * t) * t),
        "clicks": clicks,
    }
    return {name: sound.astype(np.float32) for name, sound in sounds.items()}


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_float32_keeps_to_its_bound(name: str) -> None:
    """The error grows with the depth below a frame's highest cell: 1e-4 dB at 40 dB, 0.01 dB at 80 dB."""
    front_end = sn.preset(name)
    per_unit = front_end.compress.db_per_unit(front_end.stft.power)
    assert per_unit is not None
    noise = NOISE if front_end.stft.windowed_only else NOISE_OF_CHANGED_FRAMES
    for sound, wave in _sounds(front_end.sample_rate).items():
        exact, fast = front_end(wave.astype(np.float64)), front_end(wave, precision="float32")
        assert fast.dtype == np.float32
        depth = per_unit * (exact.max(axis=0) - exact)
        assert (per_unit * np.abs(exact - fast) <= _bound(depth, noise))[depth <= 80.0].all(), sound
        np.testing.assert_array_equal(front_end(torch.from_numpy(wave), precision="float32").numpy(), fast)


def _bare(n_fft: int, hop: int) -> FrontEnd:
    return FrontEnd(
        sample_rate=16_000,
        stft=STFT(n_fft=n_fft, hop_length=hop, center=False, power=2.0),
        bands=Linear(),
        compress=Decibel(amin=1e-28),
    )


@pytest.mark.parametrize(("n_fft", "hop"), [(400, 200), (512, 160), (1024, 256), (2048, 512)])
def test_float32_errs_as_scipy_does(n_fft: int, hop: int) -> None:
    """The error of deep cells is that of SciPy's transform in float32 of the same windowed frames."""
    front_end = _bare(n_fft, hop)
    window = front_end.stft.window_values().astype(np.float32)
    for name, wave in _sounds(16_000).items():
        frames = np.lib.stride_tricks.sliding_window_view(wave, n_fft)[::hop]
        spectrum = scipy.fft.rfft(frames * window, axis=-1).T
        assert spectrum.dtype == np.complex64
        exact = front_end(wave.astype(np.float64))
        depth = exact.max(axis=0) - exact
        weight = 10.0 ** (-depth / 20.0) * (depth > 20.0)

        def error(level: np.ndarray, weight: np.ndarray = weight, exact: np.ndarray = exact) -> float:
            return float(np.sqrt(np.mean((weight * (level - exact)) ** 2)))

        peer = 20.0 * np.log10(np.maximum(np.abs(spectrum.astype(np.complex128)), 1e-14))
        # A wave in float64 keeps the level's own rounding out of the comparison.
        ours = front_end(wave.astype(np.float64), precision="float32")
        assert error(ours) <= 1.5 * error(peer) + 1e-8, name


@given(
    n_fft=st.sampled_from([64, 75, 200, 256, 400, 480, 512, 1000, 1024]),
    frequency=st.floats(0.0, 0.5),
    quiet=st.floats(-120.0, 0.0),
    offset=st.floats(-0.5, 0.5),
    standardize=st.booleans(),
    seed=st.integers(0, 999),
)
def test_float32_keeps_to_its_bound_for_any_sound(
    n_fft: int, frequency: float, quiet: float, offset: float, standardize: bool, seed: int
) -> None:
    """A tone in noise of any level, with any offset, which standardizing takes away."""
    front_end = _bare(n_fft, max(1, n_fft // 3))
    if standardize:
        front_end = FrontEnd.from_dict(front_end.to_dict() | {"level": sn.preset("fastaudio").to_dict()["level"]})
    random = np.random.default_rng(seed)
    noise = 10.0 ** (quiet / 20.0) * random.standard_normal(3000)
    wave = (0.2 * np.sin(2 * np.pi * frequency * np.arange(3000)) + 0.1 * noise + offset).astype(np.float32)

    exact, fast = front_end(wave.astype(np.float64)), front_end(wave, precision="float32")

    depth = exact.max(axis=0) - exact
    near = (depth <= 80.0) & (exact > -250.0)
    assert (np.abs(exact - fast) <= _bound(depth, NOISE_OF_ANY))[near].all()
