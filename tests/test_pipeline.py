"""A pipeline is one value: called, saved, loaded, and refused when it does not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import spectronorm as sn
from spectronorm.normalize import normalizer_names
from spectronorm.storage import atomic_write, container

WAVE = 0.1 * np.random.default_rng(0).standard_normal((2, 8000))


@pytest.fixture
def profile(noise_table: Path) -> sn.Profile:
    """Twelve noises in three folds."""
    return sn.fit(noise_table, sn.FrontEnd(bands=sn.Mel(16)))


@pytest.mark.parametrize("name", sorted(normalizer_names()))
def test_saved_and_loaded_it_computes_the_same(name: str, profile: sn.Profile, tmp_path: Path) -> None:
    """Loading gives an equal value with equal results, and saving is a pure function of it."""
    pipeline = sn.Pipeline(profile.front_end, sn.normalizer(name).fit(profile.without(fold=1)))
    pipeline.save(tmp_path / "a")
    again = sn.Pipeline.load(tmp_path / "a")
    again.save(tmp_path / "b")
    assert again == pipeline
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    np.testing.assert_array_equal(again(WAVE), pipeline(WAVE))
    assert (tmp_path / "a").stat().st_size < 4096
    assert again.normalizer.fitted_on.groups == profile_groups(profile)


def profile_groups(profile: sn.Profile) -> tuple[str, ...]:
    return tuple(f"fold={dict(k)['fold']},split={dict(k)['split']}" for k in profile.without(fold=1).groups)


def test_it_is_front_end_then_normalizer(profile: sn.Profile) -> None:
    """The call composes, and the inverse gives the level back; NumPy and torch alike."""
    pipeline = sn.Pipeline(profile.front_end, sn.Standardize().fit(profile))
    x = pipeline(WAVE)
    assert x.shape == (2, 16, 41)
    np.testing.assert_allclose(pipeline.inverse(x), profile.front_end(WAVE), atol=1e-9)
    tensor = pipeline(torch.as_tensor(WAVE))
    assert isinstance(tensor, torch.Tensor)
    np.testing.assert_allclose(tensor.numpy(), x, atol=1e-6)


def test_a_normalizer_of_another_front_end_is_refused_by_field(profile: sn.Profile) -> None:
    """The error names what differs."""
    other = sn.FrontEnd(bands=sn.Mel(16), stft=sn.STFT(400, hop_length=160))
    with pytest.raises(sn.errors.FrontEndMismatch, match="stft.hop_length: 160 here, 200 there"):
        sn.Pipeline(other, sn.Standardize().fit(profile))


DAMAGES = {
    "kind": lambda header, tensors: header.update(kind="profile"),
    "format": lambda header, tensors: header.update(format=0),
    "normalizer": lambda header, tensors: header["normalizer"].update(kind="batchnorm"),
    "setting": lambda header, tensors: header["normalizer"].update(eps=1e-5),
    "fingerprint": lambda header, tensors: header.update(fingerprint="f" * 16),
    "fitted on": lambda header, tensors: header["fitted_on"].update(clips=0),
    "negative scale": lambda header, tensors: tensors["scale"].__setitem__((0, 0), -1.0),
    "NaN": lambda header, tensors: tensors["shift"].__setitem__((0, 0), np.nan),
    "bands": lambda header, tensors: tensors.update(shift=np.zeros((7, 1))),
    "dtype": lambda header, tensors: tensors.update(scale=np.ones((16, 1), np.float32)),
    "no numbers": lambda header, tensors: tensors.clear(),
    "one tensor": lambda header, tensors: tensors.pop("scale"),
    "one too many": lambda header, tensors: tensors.update(more=np.ones(1)),
}


@pytest.mark.parametrize("name", sorted(DAMAGES))
def test_a_damaged_pipeline_is_refused(name: str, profile: sn.Profile, tmp_path: Path) -> None:
    """Whatever is untrue in the file, loading is one clear error."""
    sn.Pipeline(profile.front_end, sn.Standardize().fit(profile)).save(tmp_path / "good")
    header, tensors = container.load_tensors(tmp_path / "good")
    DAMAGES[name](header, tensors)
    container.save_tensors(tmp_path / "bad", header, tensors)
    with pytest.raises(sn.errors.FileFormatError):
        sn.Pipeline.load(tmp_path / "bad")


def test_an_interrupted_save_leaves_what_was_there(tmp_path: Path) -> None:
    """A write that fails in the middle leaves the old file and no other."""
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), atomic_write(target) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]
