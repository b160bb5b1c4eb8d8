"""The data set for training: every clip once, in one shape, the same for a seed, and decoded once with a cache."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch.utils.data import DataLoader

import spectronorm as sn
from spectronorm.audio import AudioCache
from spectronorm.audio import cache as cache_module
from spectronorm.augment import RandomCrop
from spectronorm.nn import ClipDataset, Preprocess, collate

FRONT_END = sn.FrontEnd(sample_rate=16_000)


def test_whole_clips_of_their_own_length(noise_folder: Path) -> None:
    """Without a duration clips keep their length; a batch is padded with zeros and says how much is real."""
    dataset = ClipDataset(noise_folder, FRONT_END)
    assert len(dataset) == 12
    assert dataset.classes == ("high", "low")
    item = dataset[3]
    np.testing.assert_array_equal(item.wave, sn.read(dataset.source.clips[3].path, 16_000))
    batch = next(iter(DataLoader(dataset, batch_size=12, collate_fn=collate)))
    assert batch.wave.shape == (12, int(batch.length.max()))
    assert batch.position.tolist() == list(range(12))
    assert [dataset.classes[i] for i in batch.label] == [clip.columns["label"] for clip in dataset.source]
    assert all((wave[length:] == 0).all() for wave, length in zip(batch.wave, batch.length, strict=True))


def test_duration_crops_and_pads(noise_folder: Path) -> None:
    """With a duration every clip has one length, and the default collation works."""
    batch = next(iter(DataLoader(ClipDataset(noise_folder, FRONT_END, duration=0.4), batch_size=12)))
    assert batch.wave.shape == (12, 6400)
    assert batch.length.min() == 4000
    assert batch.length.max() == 6400
    assert Preprocess(_pipeline())(batch.wave, batch.length).shape == (12, 201, 33)


def test_random_crops_are_the_same_for_any_workers_and_new_in_each_epoch(noise_folder: Path) -> None:
    """Crops depend on seed, epoch and clip alone, in workers that live through many epochs too."""

    def epochs(workers: int, seed: int) -> list[torch.Tensor]:
        dataset = ClipDataset(noise_folder, FRONT_END, crop=RandomCrop(2000), seed=seed)
        loader = DataLoader(dataset, batch_size=4, num_workers=workers, persistent_workers=workers > 0)
        seen = []
        for epoch in range(2):
            dataset.set_epoch(epoch)
            seen.append(torch.cat([batch.wave for batch in loader]))
        return seen

    here, there = epochs(0, seed=1), epochs(2, seed=1)
    assert torch.equal(here[0], there[0])
    assert torch.equal(here[1], there[1])
    assert not torch.equal(here[0], here[1])
    assert not torch.equal(here[0], epochs(0, seed=2)[0])


def test_the_second_epoch_decodes_nothing(noise_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a cache each file is decoded once, and gives the same samples to the last bit."""
    decoded: list[object] = []
    real = cache_module.read_clip
    monkeypatch.setattr(cache_module, "read_clip", lambda path, *a, **k: decoded.append(path) or real(path, *a, **k))
    dataset = ClipDataset(noise_folder, FRONT_END, duration=0.3, cache=tmp_path / "cache")
    plain = ClipDataset(noise_folder, FRONT_END, duration=0.3)
    for _ in range(2):
        for i in range(12):
            assert torch.equal(dataset[i].wave, plain[i].wave)
    assert len(decoded) == 12


def test_the_cache_notices_changed_and_damaged_files(tmp_path: Path) -> None:
    """A file that changed is decoded again, a damaged entry is made again, and rates are kept apart."""
    path, cache = tmp_path / "a.wav", AudioCache(tmp_path / "cache")
    soundfile.write(path, np.full(1000, 0.25), 16_000)
    first = cache.read(path, 16_000)
    assert (first == 0.25).all()
    assert len(cache.read(path, 8_000)) == 500
    entry = max((tmp_path / "cache").rglob("*.npy"), key=lambda file: file.stat().st_size)
    entry.write_bytes(entry.read_bytes()[:-100])
    np.testing.assert_array_equal(cache.read(path, 16_000), first)
    np.testing.assert_array_equal(np.load(entry), first)
    soundfile.write(path, np.full(1000, 0.5), 16_000)
    os.utime(path, ns=(1, 1))
    assert (cache.read(path, 16_000) == 0.5).all()


def test_a_cache_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    """A cache where a file stands in the way gets one clear error."""
    soundfile.write(tmp_path / "a.wav", np.full(1000, 0.25), 16_000)
    (tmp_path / "cache").write_text("not a folder")
    with pytest.raises(sn.errors.ArgumentError, match="cache cannot be written"):
        AudioCache(tmp_path / "cache").read(tmp_path / "a.wav", 16_000)


def test_bad_files_are_named_and_can_be_left_out(noise_folder: Path, tmp_path: Path) -> None:
    """A bad file raises one error that names it; `usable` counts and lists them within the limit."""
    (noise_folder / "low" / "broken.wav").write_bytes(b"RIFF")
    soundfile.write(noise_folder / "low" / "short.wav", np.full(100, 0.1), 16_000)
    dataset = ClipDataset(noise_folder, FRONT_END, cache=tmp_path / "cache")
    broken = [clip.name for clip in dataset.source].index("low/broken.wav")
    with pytest.raises(sn.errors.SourceError, match=r"low/broken.wav: unreadable.*usable"):
        dataset[broken]
    with pytest.raises(sn.errors.TooManyBad, match="2 of 14"):
        dataset.usable()
    good = dataset.usable(max_bad=0.2)
    assert [(bad.path, bad.reason.value) for bad in good.bad] == [
        ("low/broken.wav", "unreadable"),
        ("low/short.wav", "too-short"),
    ]
    assert len(good) == len(list(DataLoader(good))) == len(good.labels) == 12
    assert len(dataset) == 14


def test_it_pickles_and_counts_numbers_as_numbers(noise_table: Path) -> None:
    """The data set goes to spawned workers, and classes that are numbers stand in the order of numbers."""
    dataset = ClipDataset(noise_table, FRONT_END, label="fold")
    assert dataset.classes == ("1", "2", "3")
    again = pickle.loads(pickle.dumps(dataset))  # noqa: S301
    assert torch.equal(again[5].wave, dataset[5].wave)
    with pytest.raises(sn.errors.ArgumentError, match="label='nothing'"):
        ClipDataset(noise_table, FRONT_END, label="nothing")


def test_bad_settings(noise_folder: Path) -> None:
    """Contradicting or impossible lengths are refused."""
    with pytest.raises(sn.errors.ArgumentError, match="both"):
        ClipDataset(noise_folder, FRONT_END, duration=1.0, crop=RandomCrop(2000))
    with pytest.raises(sn.errors.ArgumentError, match="positive"):
        ClipDataset(noise_folder, FRONT_END, duration=0.0)
    with pytest.raises(sn.errors.ArgumentError, match="399.*400"):
        ClipDataset(noise_folder, FRONT_END, crop=RandomCrop(399))


def _pipeline() -> sn.Pipeline:
    return sn.Pipeline(FRONT_END, sn.Fixed(-40.0, 20.0).for_front_end(FRONT_END))
