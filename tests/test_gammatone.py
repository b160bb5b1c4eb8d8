"""Gammatone bands are Slaney's filters, as Ellis gathers them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gammatone.fftweight import fft_gtgram, fft_weights, specgram
from gammatone.filters import erb_space

import spectronorm as sn
from spectronorm.cli.fit import remarks


@pytest.mark.parametrize(
    ("sample_rate", "n_fft", "n_bands", "f_min", "f_max", "width"),
    [
        (16_000, 1024, 64, 50.0, 8000.0, 1.0),
        (44_100, 2048, 40, 20.0, 16_000.0, 1.0),
        (8000, 256, 16, 100.0, 4000.0, 0.5),
        (22_050, 512, 1, 300.0, 11_025.0, 2.0),
    ],
)
def test_equals_the_published_toolkit(
    sample_rate: int, n_fft: int, n_bands: int, f_min: float, f_max: float, width: float
) -> None:
    """Centres and weights are those of the gammatone toolkit (Ellis' fft2gammatonemx) to 11 digits."""
    bands = sn.bands.Gammatone(n_bands, f_min, f_max, width)
    centres = np.asarray(erb_space(f_min, f_max, n_bands))[::-1]
    np.testing.assert_allclose(bands.hz(sample_rate, n_fft), centres, rtol=1e-12)
    weights, _ = fft_weights(n_fft, sample_rate, n_bands, width, f_min, f_max, n_fft // 2 + 1)
    np.testing.assert_allclose(bands.runs(sample_rate, n_fft).matrix, weights, rtol=1e-10, atol=1e-14)


def test_a_front_end_gives_the_toolkits_gammatonegram() -> None:
    """Magnitudes gathered by the bands are the toolkit's whole gammatonegram."""
    wave = np.random.default_rng(0).standard_normal(16_000)
    theirs = fft_gtgram(wave, 16_000, 0.032, 0.010, 32, 50)
    magnitudes = np.abs(specgram(wave, 1024, 16_000, 512, 160))
    ours = sn.bands.Gammatone(32, 50.0)(magnitudes, 16_000, 1024) / 1024
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)


def test_a_tone_is_loudest_in_its_own_band() -> None:
    """A sine at a filter's centre comes out highest in that band, at the level that it has with weight 1."""
    front_end = sn.FrontEnd(16_000, stft=sn.STFT(2048, hop_length=512, power=1.0), bands=sn.bands.Gammatone(24, 200.0))
    t = np.arange(16_000) / 16_000
    for band in (3, 12, 20):
        tone = np.sin(2 * np.pi * front_end.band_hz()[band] * t)
        assert front_end(tone)[:, 10].argmax() == band


def test_torch_gives_the_same() -> None:
    """NumPy's own sums and torch's matrix product agree."""
    bins = np.random.default_rng(0).random((2, 257, 5))
    bands = sn.bands.Gammatone(20)
    np.testing.assert_allclose(bands(torch.from_numpy(bins), 16_000, 512).numpy(), bands(bins, 16_000, 512), rtol=1e-12)


@pytest.mark.parametrize("settings", [{"n_bands": 0}, {"n_bands": 2.0}, {"width": 0}, {"f_min": -1}, {"f_max": 40}])
def test_bad_settings_are_refused(settings: dict[str, float]) -> None:
    """Bands that cannot be are refused when they are made."""
    with pytest.raises(sn.errors.ArgumentError):
        sn.bands.Gammatone(**settings)  # type: ignore[arg-type]


def test_bands_above_half_the_rate_are_refused() -> None:
    """The front end says which frequency is too high for its sample rate."""
    with pytest.raises(sn.errors.ArgumentError, match="half of sample_rate"):
        sn.FrontEnd(8000, bands=sn.bands.Gammatone(8, f_max=5000.0))


@pytest.mark.parametrize(("power", "said"), [(1.0, False), (2.0, True)])
def test_the_power_that_the_weights_are_not_made_for_is_noted(power: float, said: bool) -> None:
    """A fit with gammatone bands of powers says that the weights are made for magnitudes."""
    front_end = sn.FrontEnd(stft=sn.STFT(power=power), bands=sn.bands.Gammatone(8))
    profile = sn.fit([(np.random.default_rng(0).standard_normal(16_000) / 8, 16_000)], front_end)
    assert any("Gammatone weights are made for --power 1" in remark for remark in remarks(profile)) == said
