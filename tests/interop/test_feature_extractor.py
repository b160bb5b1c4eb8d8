"""The Hugging Face feature extractor is the pipeline: equal numbers, saved, loaded, padded and refused."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import spectronorm as sn
from spectronorm.errors import ArgumentError, FileFormatError, ShapeError

pytest.importorskip("transformers")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from transformers import AutoFeatureExtractor

    from spectronorm.interop.feature_extractor import SpectronormFeatureExtractor


@pytest.fixture
def pipeline(noise_table: Path) -> sn.Pipeline:
    profile = sn.fit(noise_table, sn.FrontEnd(bands=sn.Mel(16)))
    return sn.Pipeline(profile.front_end, sn.Standardize().fit(profile))


def waves() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [0.1 * rng.standard_normal(length) for length in (8000, 5000, 6100)]


def test_numbers_mask_and_padding_are_the_pipelines(pipeline: sn.Pipeline) -> None:
    """Each clip of a padded batch is the pipeline's result, then zeros; the mask counts its frames."""
    found = SpectronormFeatureExtractor(pipeline)(waves(), sampling_rate=16_000, return_tensors="np")
    assert found["input_values"].dtype == np.float32
    for wave, values, mask in zip(waves(), found["input_values"], found["attention_mask"], strict=True):
        alone = pipeline(wave).T
        assert mask.sum() == len(alone)
        np.testing.assert_allclose(values[: len(alone)], alone, atol=2e-6)
        assert not values[len(alone) :].any()


def test_it_is_saved_and_found_by_name(pipeline: sn.Pipeline, tmp_path: Path) -> None:
    """`from_pretrained`, directly and by AutoFeatureExtractor, gives an equal pipeline and equal bits."""
    extractor = SpectronormFeatureExtractor(pipeline)
    extractor.save_pretrained(tmp_path)
    first = extractor(waves(), sampling_rate=16_000, return_tensors="np")["input_values"]
    for loader in (SpectronormFeatureExtractor, AutoFeatureExtractor):
        again = loader.from_pretrained(tmp_path)
        assert isinstance(again, SpectronormFeatureExtractor)
        np.testing.assert_array_equal(again(waves(), sampling_rate=16_000, return_tensors="np")["input_values"], first)
    assert again.sampling_rate == 16_000
    assert again.feature_size == 16


@pytest.mark.parametrize("name", ["minmax", "clip", "clip-band", "robust"])
def test_every_normalizer_goes_through(name: str, noise_table: Path, tmp_path: Path) -> None:
    """Normalizers of clips and of data sets, with their own padding."""
    profile = sn.fit(noise_table, sn.FrontEnd(bands=sn.Mel(16)))
    pipeline = sn.Pipeline(profile.front_end, sn.normalizer(name).fit(profile))
    SpectronormFeatureExtractor(pipeline).save_pretrained(tmp_path)
    found = SpectronormFeatureExtractor.from_pretrained(tmp_path)(waves(), sampling_rate=16_000)
    for wave, values in zip(waves(), found["input_values"], strict=True):
        level = pipeline.front_end(wave)
        np.testing.assert_allclose(values.T, pipeline.normalizer.padded(level, values.shape[0]), atol=2e-6)


def test_inputs_and_padding(pipeline: sn.Pipeline) -> None:
    """One wave, a matrix, lists and torch tensors; fixed lengths and none."""
    torch = pytest.importorskip("torch")
    extractor = SpectronormFeatureExtractor(pipeline)
    wave = waves()[0]
    whole = extractor(wave, sampling_rate=16_000, return_tensors="np")["input_values"]
    for same in (wave.tolist(), [wave], torch.from_numpy(wave), wave[None]):
        np.testing.assert_array_equal(extractor(same, sampling_rate=16_000, return_tensors="np")["input_values"], whole)
    fixed = extractor(wave, sampling_rate=16_000, padding="max_length", max_length=90, return_tensors="pt")
    assert tuple(fixed["input_values"].shape) == (1, 90, 16)
    single = extractor(waves(), sampling_rate=16_000, padding=False, return_attention_mask=False)
    assert [len(one) for one in single["input_values"]] == [pipeline.front_end.frames(len(one)) for one in waves()]
    assert "attention_mask" not in single


WRONG: list[tuple[Any, dict[str, Any], type[Exception]]] = [
    (np.zeros(8000), {"sampling_rate": 8000}, ArgumentError),
    (np.zeros(8000), {"sampling_rate": None}, ArgumentError),
    (np.zeros(8000, dtype=np.int16), {}, ShapeError),
    (np.zeros((2, 3, 8000)), {}, ShapeError),
    ([], {}, ShapeError),
    (np.zeros(8000), {"padding": "shortest"}, ArgumentError),
    (np.zeros(8000), {"padding": "max_length", "max_length": 3}, ShapeError),
    (np.zeros(8000), {"padding": "max_length"}, ShapeError),
    (np.zeros(10), {}, ShapeError),
    (np.full(8000, np.nan), {}, ArgumentError),
]


@pytest.mark.parametrize(("wave", "settings", "error"), WRONG, ids=range(len(WRONG)))
def test_misuse_is_one_error(
    wave: Any, settings: dict[str, Any], error: type[Exception], pipeline: sn.Pipeline
) -> None:
    """Another rate, integers, empty, short or NaN waves, and unknown or impossible padding."""
    with pytest.raises(error):
        SpectronormFeatureExtractor(pipeline)(wave, **{"sampling_rate": 16_000, **settings})


def test_a_damaged_configuration_is_one_error(pipeline: sn.Pipeline, tmp_path: Path) -> None:
    """A configuration whose pipeline was changed is refused."""
    SpectronormFeatureExtractor(pipeline).save_pretrained(tmp_path)
    path = tmp_path / "preprocessor_config.json"
    plain = json.loads(path.read_text())
    for change in (
        lambda p: p["pipeline"]["tensors"].update(scale=[[0.0]] * 16),
        lambda p: p["pipeline"]["header"].update(fingerprint="0" * 16),
        lambda p: p.update(pipeline=[1]),
        lambda p: p["pipeline"].pop("header"),
    ):
        changed = json.loads(json.dumps(plain))
        change(changed)
        path.write_text(json.dumps(changed))
        with pytest.raises(FileFormatError):
            SpectronormFeatureExtractor.from_pretrained(tmp_path)
    with pytest.raises(ArgumentError, match="give a pipeline"):
        SpectronormFeatureExtractor()
    levels = sn.Levels(bands=4, unit="dB", low=-100, high=50)
    with pytest.raises(ArgumentError, match="front end of one channel"):
        SpectronormFeatureExtractor(sn.Pipeline(levels, sn.Fixed(0.0, 1.0).for_front_end(levels)))
