"""The description of spectrograms made elsewhere, and numbers that somebody else fixed."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import spectronorm as sn

sklearn = pytest.importorskip("sklearn")
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.neighbors import KNeighborsClassifier  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import FunctionTransformer  # noqa: E402

from spectronorm.interop.scikit_learn import SpectrogramScaler  # noqa: E402

LEVELS = sn.Levels(64, "dB", -120, 60, channels=2, made_by="mine", settings={"n_fft": 400, "mel": {"norm": None}})


def test_levels_go_through_json_and_pickle(tmp_path: Path) -> None:
    """A description comes back from JSON, a file and pickle equal, with its fingerprint and its layout."""
    levels = sn.Levels(64, "dB", -120, 60, layout="tf", settings={"a": [1, 2]}, frame_rate=100)
    (tmp_path / "levels.json").write_text(levels.to_json())
    for same in (sn.Levels.load(tmp_path / "levels.json"), pickle.loads(pickle.dumps(levels))):  # noqa: S301
        assert same == levels
        assert same.layout == "tf"
        assert same.fingerprint == levels.fingerprint
    assert sn.Levels.from_dict(LEVELS.to_dict()) == LEVELS
    assert LEVELS.to_dict()["levels"]["settings"] == {"n_fft": 400, "mel.norm": None}


def test_the_layout_of_files_is_no_part_of_the_identity() -> None:
    """Levels that differ in the axes of their files only are the same; in any other field they are not."""
    assert sn.Levels(4, "dB", -9, 9, layout="tf") == sn.Levels(4, "dB", -9, 9)
    for other in (sn.Levels(4, "ln", -9, 9), sn.Levels(4, "dB", -9, 9, made_by="x"), sn.FrontEnd()):
        with pytest.raises(sn.errors.FrontEndMismatch):
            sn.Levels(4, "dB", -9, 9).require_same(other, "the profile")
        with pytest.raises(sn.errors.FrontEndMismatch):
            other.require_same(sn.Levels(4, "dB", -9, 9), "the profile")


def test_a_range_without_room_for_steps_is_refused() -> None:
    """A range far from zero beside its width, or far below the finest step, could not tell its values apart."""
    for low, high in ((1e6, 1e6 + 1e-3), (0.0, 1e-300), (1e-45, 2e-45)):
        with pytest.raises(sn.errors.ArgumentError, match="fewer than 256 steps"):
            sn.Levels(4, "x", low, high)


@given(st.floats(-1e4, 1e4), st.floats(1e-4, 1e3))
def test_every_range_has_a_grid_that_holds_it(low: float, share: float) -> None:
    """The range lies on the grid, whose integers stay below 2^25, as fine as that allows."""
    width = share * max(abs(low), 1e-2)
    grid = sn.Levels(1, "x", low, low + width).grid
    assert grid.low <= low < low + width <= grid.high
    assert max(abs(grid.low), abs(grid.high)) * grid.steps < 2**25
    assert grid.steps == 2**40 or max(abs(low), abs(low + width)) * grid.steps * 2.001 > 2**25


def test_a_range_is_proposed_from_a_batch() -> None:
    """The proposed range holds the batch with room to spare, in its unit, with its bands and channels."""
    x = np.random.default_rng(0).normal(-40, 10, (5, 2, 100, 8)).astype(np.float32)
    levels = sn.Levels.like(x, unit="dB", layout="bctf", made_by="mine")
    assert (levels.bands, levels.channels, levels.layout, levels.made_by) == (8, 2, "ctf", "mine")
    assert levels.low < x.min() - np.ptp(x)
    assert levels.high > x.max() + np.ptp(x)
    assert sn.Levels.like(abs(x), unit="magnitude", layout="bctf").low == 0
    assert sn.Levels.like(x, unit="dB", layout="bctf", low=-100, high=50).low == -100


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sn.Levels(0, "dB", -1, 1), "bands=0"),
        (lambda: sn.Levels(True, "dB", -1, 1), "bands=True"),
        (lambda: sn.Levels(4, "", -1, 1), "unit=''"),
        (lambda: sn.Levels(4, "dB", 1, 1), "low must lie below high"),
        (lambda: sn.Levels(4, "dB", float("nan"), 1), "low=nan"),
        (lambda: sn.Levels(4, "dB", "0", 1), "low='0'"),
        (lambda: sn.Levels(4, "power", 0, 1e9), "take a logarithm"),
        (lambda: sn.Levels(4, "dB", -1, 1, floor=-2), "floor=-2"),
        (lambda: sn.Levels(4, "dB", -1, 1, layout="bft"), "layout='bft'"),
        (lambda: sn.Levels(4, "dB", -1, 1, settings={"f": print}), "JSON values"),
        (lambda: sn.Levels(4, "dB", -1, 1, settings=3), "JSON values"),
        (lambda: sn.Levels(4, "dB", -1, 1, frame_rate=0), "frame_rate=0"),
        (lambda: sn.Levels.from_json("{"), "not JSON"),
        (lambda: sn.Levels.from_json('{"levels": {"bands": 4}}'), "incomplete"),
        (lambda: sn.Levels.from_json('{"levels": {"bonds": 4}}'), "no field 'bonds'"),
        (lambda: sn.Levels.from_json("[]"), "must be an object"),
        (lambda: sn.Levels.load("nowhere.json"), "nowhere.json"),
        (lambda: sn.Levels.like(np.zeros((3, 4)), unit="dB", layout="bft"), "is not bft"),
        (lambda: sn.Levels.like(np.full((3, 4), np.nan), unit="dB", layout="ft"), "NaN"),
        (lambda: sn.Levels.like(np.zeros((3, 4), int), unit="dB", layout="ft"), "floating-point"),
        (lambda: sn.Levels.like([1.0], unit="dB", layout="ft"), "not ft"),
        (lambda: sn.Fixed([1.0, np.nan]), "shift=.*must be in"),
        (lambda: sn.Fixed(0.0, [1.0, 0.0]), "scale=.*must be in"),
        (lambda: sn.Fixed(0.0, 1.0, factor=-1.0), "factor"),
        (lambda: sn.Fixed("a"), "must be numbers"),
        (lambda: sn.Fixed([]), "must be one number"),
        (lambda: sn.Fixed([[[1.0]]]), "must be one number"),
        (lambda: sn.Fixed.of([1.0]), "none of them"),
        (lambda: sn.Fixed.of([1.0], std=[1.0], variance=[1.0]), "std, variance"),
        (lambda: sn.Fixed.of([1.0], variance=[-1.0]), "finite and positive"),
        (lambda: sn.Fixed([1.0, 2.0, 3.0]).for_front_end(LEVELS), "3 values"),
    ],
)
def test_a_bad_description_is_refused_by_name(make: object, message: str) -> None:
    """Every field that breaks its rule is refused in a sentence that names it."""
    with pytest.raises((sn.errors.ArgumentError, sn.errors.ShapeError), match=message):
        make()  # type: ignore[operator]


def test_fixed_numbers_per_band_and_channel() -> None:
    """Numbers per band, per channel and per both are put where they belong, whichever of std's relatives they are."""
    x = np.random.default_rng(1).normal(0, 10, (5, 2, 64, 7))
    mean, std = np.linspace(-8, 8, 128).reshape(2, 64), np.linspace(1, 3, 64)
    wanted = (x - mean[..., None]) / (2 * std[:, None])
    forms = [{"std": std}, {"variance": std**2}, {"inverse_std": 1 / std}]
    for form in forms:
        fixed = sn.Fixed.of(mean, **{k: np.broadcast_to(v, (2, 64)) for k, v in form.items()}, factor=2)
        fitted = fixed.for_front_end(LEVELS)
        assert np.allclose(fitted(x), wanted, atol=1e-12)
        assert np.allclose(fitted.inverse_transform(fitted.transform(x)), x)
        assert "factor=2" in repr(fixed)
        assert len(repr(fixed)) < 200
    by_channel = sn.Fixed([[1.0], [2.0]], 2.0).for_front_end(LEVELS)
    assert np.allclose(by_channel(x), (x - np.array([1.0, 2.0])[:, None, None]) / 2)


def test_fixed_numbers_survive_a_pipeline(tmp_path: Path) -> None:
    """A pipeline with numbers per band and a factor is saved and loaded to the bit."""
    front_end = sn.FrontEnd(8_000, bands=sn.Mel(4))
    fixed = sn.Fixed.of([1, 2, 3, 4], variance=[1, 2, 3, 4], factor=2)
    pipeline = sn.Pipeline(front_end, fixed.for_front_end(front_end))
    pipeline.save(tmp_path / "p")
    loaded = sn.load(tmp_path / "p")
    assert loaded == pipeline
    assert loaded.normalizer.normalizer == fixed


def test_a_fitted_normalizer_is_a_step_of_scikit_learn() -> None:
    """Scikit-learn clones normalizers, and a fitted one transforms and inverts in its pipelines."""
    x = np.random.default_rng(2).normal(-20, 9, (6, 4, 30))
    meter = sn.Meter(sn.Levels(4, "dB", -120, 60), "bft").partial_fit(x, None)
    settings = (sn.Standardize(), sn.MinMax(), sn.Robust(), sn.PerClip(), sn.normalize.Unchanged(), sn.Fixed([1.0] * 4))
    for setting in (*settings, sn.normalize.SlidingStandardize()):
        assert sklearn.base.clone(setting) == setting
        fitted = setting.fit(meter.profile())
        assert sklearn.base.clone(fitted) == fitted
    fitted = sn.Standardize().fit(meter.profile())
    steps = make_pipeline(fitted, FunctionTransformer(lambda y: y.mean(axis=-1)))
    assert np.allclose(steps.fit_transform(x), fitted(x).mean(axis=-1))
    assert np.allclose(make_pipeline(fitted).inverse_transform(fitted(x)), x)


def test_a_scaler_is_chosen_by_grid_search() -> None:
    """The transformer measures inside a pipeline, batch by batch too, and its normalizer can be searched for."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(-20, 9, (24, 4, 10)), np.arange(24) % 2
    x[y == 1, 0] += 30
    levels = sn.Levels(4, "dB", -200, 200)
    scaler = SpectrogramScaler(levels)
    steps = make_pipeline(scaler, FunctionTransformer(lambda z: z.mean(axis=-1)), KNeighborsClassifier(1))
    grid = {"spectrogramscaler__normalizer": [sn.Standardize(), sn.MinMax()]}
    search = GridSearchCV(steps, grid, cv=2, error_score="raise").fit(x, y)
    assert search.best_score_ == 1.0
    whole = SpectrogramScaler(levels).fit(x)
    parts = SpectrogramScaler(levels).partial_fit(x[:10]).partial_fit(x[10:])
    assert np.array_equal(whole.transform(x), parts.transform(x))
    assert np.allclose(whole.inverse_transform(whole.transform(x)), x)
