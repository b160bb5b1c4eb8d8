"""Every normalizer maps as it says, inverts exactly, and refuses levels of another front end."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import spectronorm as sn
from spectronorm.normalize import normalizer_names
from spectronorm.profile import LevelCounter

FRONT_END = sn.FrontEnd(8000, stft=sn.STFT(64, hop_length=32), bands=sn.Mel(6))


def profile_of(clips: list[np.ndarray], front_end: sn.FrontEnd = FRONT_END) -> sn.Profile:
    counter = LevelCounter(front_end)
    for clip in clips:
        counter.add(clip.astype(np.float32))
    measurement = counter.measurement()
    assert measurement is not None
    return sn.Profile(front_end, {(): measurement})


RNG = np.random.default_rng(0)
CLIPS = [0.1 * (i + 1) * RNG.standard_normal(2000) for i in range(5)]
PROFILE = profile_of(CLIPS)
LEVELS = np.concatenate([FRONT_END.clip_level(clip.astype(np.float32)) for clip in CLIPS], axis=1)


@pytest.mark.parametrize("name", sorted(normalizer_names()))
class TestContract:
    """What holds for every normalizer, by name."""

    @given(level=hnp.arrays(np.float64, (2, 6, 5), elements=st.floats(-100, 60)))
    def test_inverse_in_float64(self, name: str, level: np.ndarray) -> None:
        """`inverse(normalize(x)) = x` to 1e-12 of the range."""
        fitted = sn.normalizer(name).fit(PROFILE)
        again = fitted.inverse(fitted(level), fitted.affine_of(level))
        np.testing.assert_allclose(again, level, rtol=0, atol=1e-12 * 160)

    @given(level=hnp.arrays(np.float32, (6, 5), elements=st.floats(-100, 60, width=32)))
    def test_inverse_in_float32(self, name: str, level: np.ndarray) -> None:
        """In float32, to 1e-5 of the range, and the dtype stays."""
        fitted = sn.normalizer(name).fit(PROFILE)
        x = fitted(level)
        again = fitted.inverse(x, fitted.affine_of(level))
        assert x.dtype == again.dtype == np.float32
        np.testing.assert_allclose(again, level, rtol=0, atol=1e-5 * 160)

    def test_numpy_and_torch_agree(self, name: str) -> None:
        """torch in, torch out, the same numbers, both ways."""
        fitted = sn.normalizer(name).fit(PROFILE)
        level = torch.as_tensor(LEVELS)
        x = fitted(level)
        assert isinstance(x, torch.Tensor)
        np.testing.assert_allclose(x.numpy(), fitted(LEVELS), atol=1e-12)
        back = fitted.inverse(x, fitted.affine_of(level))
        np.testing.assert_allclose(back.numpy(), LEVELS, atol=1e-9)

    def test_batch_is_its_items(self, name: str) -> None:
        """A clip's result does not depend on the batch."""
        fitted = sn.normalizer(name).fit(PROFILE)
        batch = np.stack([LEVELS[:, :40], LEVELS[:, 40:80], np.full((6, 40), -100.0)])
        for item, x in zip(batch, fitted(batch), strict=True):
            np.testing.assert_allclose(fitted(item), x, atol=1e-12)

    def test_gradients_flow(self, name: str) -> None:
        """The map is differentiable in torch."""
        fitted = sn.normalizer(name).fit(PROFILE)
        level = torch.as_tensor(LEVELS[None, :, :3]).requires_grad_()
        assert torch.autograd.gradcheck(fitted, (level,))

    def test_a_silent_training_set_gives_finite_numbers(self, name: str) -> None:
        """Statistics of digital silence normalize silence to something finite, and sound too."""
        silent = sn.normalizer(name).fit(profile_of([np.zeros(500)]))
        assert np.isfinite(silent(np.full((6, 3), -100.0))).all()
        assert np.isfinite(silent(LEVELS)).all()

    def test_other_bands_are_refused(self, name: str) -> None:
        """A level with another number of bands, or without bands, is one clear error."""
        fitted = sn.normalizer(name).fit(PROFILE)
        for shape in [(7, 3), (6,), ()]:
            with pytest.raises(sn.errors.ShapeError, match="6 bands"):
                fitted(np.zeros(shape))


def test_standardize_gives_mean_0_and_std_1() -> None:
    """Over the training set itself, per band and global, to the grid's resolution."""
    per_band = sn.Standardize(per="band", min_scale=0).fit(PROFILE)(LEVELS)
    np.testing.assert_allclose(per_band.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(per_band.std(axis=1), 1, atol=1e-5)
    whole = sn.Standardize(per="global").fit(PROFILE)(LEVELS)
    np.testing.assert_allclose([whole.mean(), whole.std()], [0, 1], atol=1e-5)


def test_min_max_fills_its_range() -> None:
    """The training set's extremes map to low and high, per band and global."""
    whole = sn.MinMax(low=-1, high=2).fit(PROFILE)(LEVELS)
    np.testing.assert_allclose([whole.min(), whole.max()], [-1, 2], atol=1e-5)
    per_band = sn.MinMax(per="band").fit(PROFILE)(LEVELS)
    np.testing.assert_allclose(per_band.min(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(per_band.max(axis=1), 1, atol=1e-5)


def test_robust_centres_the_median() -> None:
    """Median 0 and a quantile range of 1, within a histogram cell."""
    x = sn.Robust(per="band", quantiles=(0.1, 0.9)).fit(PROFILE)(LEVELS)
    np.testing.assert_allclose(np.median(x, axis=1), 0, atol=0.02)
    np.testing.assert_allclose(np.quantile(x, 0.9, axis=1) - np.quantile(x, 0.1, axis=1), 1, atol=0.02)


def test_per_clip_needs_its_map_for_the_inverse() -> None:
    """Each clip gets mean 0 and std 1; the inverse without the clip's map is refused."""
    fitted = sn.PerClip(per="band").fit(PROFILE)
    x = fitted(LEVELS)
    np.testing.assert_allclose(x.mean(axis=-1), 0, atol=1e-12)
    np.testing.assert_allclose(x.std(axis=-1), 1, atol=1e-12)
    with pytest.raises(sn.errors.ArgumentError, match="affine_of"):
        fitted.inverse(x)
    assert not fitted(np.full((6, 9), -100.0)).any()


def test_dead_bands_cannot_blow_up() -> None:
    """A band that was silent in training counts with a quarter of the median band's std, or 1 if that is asked for."""
    tone = np.sin(2 * np.pi * 300 * np.arange(4000) / 8000) * np.hanning(4000)
    compress = sn.Decibel(amin=1e-4)
    linear = sn.FrontEnd(8000, stft=sn.STFT(64, hop_length=32), bands=sn.Mel(12), compress=compress)
    profile = profile_of([tone], linear)
    bound = 0.25 * np.median(profile.band.std[profile.band.std > 0])
    dead = profile.band.std < bound
    fitted = sn.Standardize().fit(profile)
    assert fitted.affine is not None
    assert dead.sum() >= 8
    np.testing.assert_allclose(fitted.affine.scale[dead, 0], bound)
    np.testing.assert_allclose(fitted.affine.scale[~dead, 0], profile.band.std[~dead])
    silent = sn.Standardize(min_scale=0.0).fit(profile_of([np.zeros(500)]))
    assert silent.affine is not None
    np.testing.assert_array_equal(silent.affine.scale, 1.0)


def test_statistics_are_of_the_training_groups_only() -> None:
    """A normalizer fitted without a fold does not know that fold."""
    key = (("fold", "1"),)
    loud = {key: next(iter(profile_of([0.9 * RNG.standard_normal(3000)]).groups.values()))}
    both = sn.Profile(FRONT_END, {**loud, (("fold", "2"),): next(iter(PROFILE.groups.values()))})
    assert sn.Standardize().fit(both.without(fold=1)).affine == sn.Standardize().fit(PROFILE).affine
    assert sn.Standardize().fit(both).affine != sn.Standardize().fit(PROFILE).affine
    assert sn.Standardize().fit(both.without(fold=1)).fitted_on.groups == ("fold=2",)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sn.Standardize(per="bin"), "per='bin'"),
        (lambda: sn.Standardize(min_scale=2), "min_scale=2"),
        (lambda: sn.MinMax(low=1, high=0), "low=1"),
        (lambda: sn.MinMax(high=float("inf")), "high=inf"),
        (lambda: sn.Robust(quantiles=(0.7, 0.2)), "quantiles="),
        (lambda: sn.PerClip(per="frame"), "per='frame'"),
        (lambda: sn.normalizer("bands"), "normalize='bands'"),
        (lambda: sn.normalize.Affine(np.zeros(1), np.zeros(1)), "positive"),
        (lambda: sn.normalize.Affine(np.full(1, np.nan), np.ones(1)), "finite"),
        (lambda: PROFILE.band.quantile(1.5), "0 … 1"),
    ],
)
def test_a_bad_setting_is_named(make: object, message: str) -> None:
    """Every setting that breaks its rule is refused by name."""
    with pytest.raises(sn.errors.ArgumentError, match=message):
        make()  # type: ignore[operator]


def test_integers_are_refused() -> None:
    """Integer levels are an error, not a silent truncation."""
    with pytest.raises(sn.errors.ShapeError, match="int64"):
        sn.Standardize().fit(PROFILE)(np.zeros((6, 3), np.int64))
