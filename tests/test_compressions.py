"""What holds for every compression and normalizer: known values, inverses, gradients, and a grid to count on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import spectronorm as sn
from spectronorm.front_end.compress.compression import Compression
from spectronorm.normalize import normalizer_names
from spectronorm.profile import LevelCounter

COMPRESSIONS: dict[str, Compression] = {
    "decibel": sn.Decibel(),
    "decibel, top_db": sn.Decibel(top_db=30.0),
    "decibel, floor_db": sn.Decibel(floor_db=-40.0),
    "ln": sn.Ln(1e-3),
    "ln, amin": sn.Ln(offset=0.0, amin=1e-3),
    "log1p": sn.compress.Log1p(gain=50.0),
    "root": sn.compress.Root(),
    "pcen": sn.PCEN(b=0.2, scale=1.0),
}


@pytest.mark.parametrize("name", COMPRESSIONS)
@pytest.mark.parametrize("power", [1.0, 2.0])
class TestEveryCompression:
    """The contract."""

    def test_gradients(self, name: str, power: float) -> None:
        """Autograd agrees with finite differences."""
        values = 0.05 + torch.rand(3, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        compress = COMPRESSIONS[name]
        assert torch.autograd.gradcheck(lambda v: compress(v, power), (values.requires_grad_(),))

    def test_gradients_at_silence_are_finite(self, name: str, power: float) -> None:
        """Where a band is silent the gradient is a number."""
        values = torch.zeros(3, 6, dtype=torch.float64, requires_grad=True)
        COMPRESSIONS[name](values, power).sum().backward()
        assert values.grad is not None
        assert torch.isfinite(values.grad).all()

    @given(values=hnp.arrays(np.float64, (2, 3, 4), elements=st.floats(0, 1e4)))
    def test_levels_stay_between_floor_and_grid(self, name: str, power: float, values: np.ndarray) -> None:
        """No level lies below the floor, and every level of sound in [-1, 1] can be counted."""
        compress = COMPRESSIONS[name]
        level, grid = compress(values, power), compress.grid(power)
        assert level.min() >= compress.floor(power) - 1e-12
        assert grid.low <= level.min()
        assert level.max() <= grid.high

    @given(values=hnp.arrays(np.float64, (3, 4), elements=st.floats(0, 1e4)))
    def test_the_inverse_gives_the_same_level(self, name: str, power: float, values: np.ndarray) -> None:
        """Compressing what the inverse gives is the same level again, clipped or not."""
        compress = COMPRESSIONS[name]
        level = compress(values, power)
        np.testing.assert_allclose(compress(compress.inverse(level, power), power), level, rtol=1e-6, atol=1e-6)

    def test_silence_is_the_floor(self, name: str, power: float) -> None:
        """The floor is the level of zero, and the clip's floor is not below it."""
        compress = COMPRESSIONS[name]
        np.testing.assert_allclose(compress(np.zeros((2, 3)), power), compress.floor(power), atol=1e-12)
        assert compress.clip_floor(50.0, power) >= compress.floor(power)


def test_known_values() -> None:
    """Each formula at values that can be worked out by hand."""
    values = np.array([[0.0, 1.0, 8.0]])
    np.testing.assert_allclose(sn.compress.Root(1 / 3)(values, 2.0), [[0, 1, 2]])
    np.testing.assert_allclose(sn.compress.Log1p(2.0)(values, 2.0), [[0, np.log(3), np.log(17)]])
    np.testing.assert_allclose(sn.Ln(0.0, amin=0.5)(values, 2.0), [[np.log(0.5), 0, np.log(8)]])
    np.testing.assert_allclose(sn.compress.Root(0.5).inverse(np.array([[-1.0, 0.0, 3.0]]), 2.0), [[0, 0, 9]])


@pytest.mark.parametrize(
    ("make", "settings"),
    [
        (sn.compress.Root, {"exponent": 0}),
        (sn.compress.Root, {"exponent": 1.5}),
        (sn.compress.Log1p, {"gain": 0}),
        (sn.compress.Log1p, {"gain": float("nan")}),
        (sn.Ln, {"offset": 0.0}),
        (sn.Ln, {"amin": -1.0}),
        (sn.Fixed, {"scale": 0.0}),
        (sn.Fixed, {"shift": float("inf")}),
    ],
)
def test_bad_settings_are_refused(make: type, settings: dict[str, float]) -> None:
    """A setting that breaks its rule is refused when the thing is made."""
    with pytest.raises(sn.errors.ArgumentError):
        make(**settings)


@pytest.mark.parametrize("name", ["log1p", "root", "pcen"])
def test_in_a_profile(name: str) -> None:
    """The new units are measured exactly: the profile's mean and deviation are NumPy's, to a step of the grid."""
    front_end = sn.FrontEnd(8000, stft=sn.STFT(64, hop_length=32), bands=sn.Mel(6), compress=COMPRESSIONS[name])
    wave = (0.2 * np.random.default_rng(0).standard_normal(8000)).astype(np.float32)
    level, counter = front_end.clip_level(wave), LevelCounter(front_end)
    counter.add(wave)
    measurement = counter.measurement()
    assert measurement is not None
    profile = sn.Profile(front_end, {(): measurement})
    step = 1 / front_end.grid.steps
    np.testing.assert_allclose(profile.band.mean, level.mean(axis=1), atol=step)
    np.testing.assert_allclose(profile.band.std, level.std(axis=1), atol=step)
    np.testing.assert_allclose(profile.band.quantile([0.5])[0], np.median(level, axis=1), atol=0.05)


@pytest.mark.parametrize("name", [*normalizer_names(), "fixed"])
def test_normalizers_have_gradients(name: str) -> None:
    """Autograd through every fitted normalizer agrees with finite differences."""
    front_end = sn.FrontEnd(8000, stft=sn.STFT(64, hop_length=32), bands=sn.Mel(6))
    counter = LevelCounter(front_end)
    counter.add((0.2 * np.random.default_rng(0).standard_normal(8000)).astype(np.float32))
    measurement = counter.measurement()
    assert measurement is not None
    normalizer = sn.Fixed(-3.0, 2.0) if name == "fixed" else sn.normalizer(name)
    fitted = normalizer.fit(sn.Profile(front_end, {(): measurement}))
    level = torch.randn(6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(fitted, (level,))
