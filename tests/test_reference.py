"""The statistics of real recordings equal a float64 reference that shares no code with the library."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

import spectronorm as sn


@pytest.fixture(scope="module")
def reference(esc10: Path) -> np.ndarray:
    """All levels of ESC-10, `(frame, band)`, by soundfile, soxr HQ and NumPy's FFT alone."""
    with (esc10 / "meta" / "esc50.csv").open() as file:
        names = [row["filename"] for row in csv.DictReader(file)]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    levels = []
    for name in names:
        samples, rate = soundfile.read(esc10 / "audio" / name, dtype="float32")
        wave = soxr.resample(samples, rate, 16_000, quality="HQ").astype(np.float64)
        wave = wave - wave.mean()
        wave /= wave.std() or 1.0
        padded = np.concatenate([wave[200:0:-1], wave, wave[-2:-202:-1]])
        frames = np.stack([padded[start : start + 400] for start in range(0, len(padded) - 399, 200)])
        power = np.abs(np.fft.rfft(frames * window)) ** 2
        levels.append(10 * np.log10(np.maximum(power, 1e-10)))
    return np.concatenate(levels)


def close(value: np.ndarray, reference: np.ndarray, tolerance: float) -> bool:
    """Relative where the magnitude is above 1, absolute below."""
    return bool((np.abs(value - reference) <= tolerance * np.maximum(1.0, np.abs(reference))).all())


def test_band_statistics_match_to_1e5(esc10_profile: sn.Profile, reference: np.ndarray) -> None:
    """Mean, std, min and max of each band within 1e-5."""
    assert esc10_profile.frames == len(reference)
    assert close(esc10_profile.band.mean, reference.mean(axis=0), 1e-5)
    assert close(esc10_profile.band.std, reference.std(axis=0), 1e-5)
    assert close(esc10_profile.band.min, reference.min(axis=0), 1e-5)
    assert close(esc10_profile.band.max, reference.max(axis=0), 1e-5)


def test_global_statistics_match_to_1e6(esc10_profile: sn.Profile, reference: np.ndarray) -> None:
    """Global mean and std within 1e-6."""
    pooled = esc10_profile.overall
    assert close(np.array([pooled.mean, pooled.std]), np.array([reference.mean(), reference.std()]), 1e-6)


def test_quantiles_and_floor_share_match(esc10_profile: sn.Profile, reference: np.ndarray) -> None:
    """Quantiles within a histogram cell, the floor share within a thousandth."""
    shares = [0.01, 0.25, 0.5, 0.75, 0.99]
    expected = np.quantile(reference, shares, axis=0)
    assert np.abs(esc10_profile.band.quantile(shares) - expected).max() <= esc10_profile.front_end.grid.cell_width
    np.testing.assert_allclose(esc10_profile.band.floor_share, (reference <= -100.0).mean(axis=0), atol=1e-3)


def test_leaving_a_fold_out_is_measuring_the_others(esc10: Path, esc10_profile: sn.Profile) -> None:
    """`without(fold=k)` equals a direct fit of the other folds, to the last integer, for every fold."""
    source = sn.open_source(esc10)
    for fold in range(1, 6):
        assert esc10_profile.without(fold=fold) == sn.fit(source.without(fold=fold), sn.preset("fastaudio"))


def test_workers_and_order_do_not_change_a_byte(esc10: Path, esc10_profile: sn.Profile, tmp_path: Path) -> None:
    """One worker, three workers and a shuffled table write the same bytes."""
    with (esc10 / "meta" / "esc50.csv").open() as file:
        rows = list(csv.DictReader(file))
    np.random.default_rng(1).shuffle(rows)
    table = tmp_path / "shuffled.csv"
    with table.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["path", "fold"])
        writer.writerows([str(esc10 / "audio" / row["filename"]), row["fold"]] for row in rows)
    front_end = sn.preset("fastaudio")
    runs = {
        "default": esc10_profile,
        "one": sn.fit(esc10, front_end, engine=sn.engines.ThreadEngine(1)),
        "three": sn.fit(esc10, front_end, engine=sn.engines.ThreadEngine(3)),
        "shuffled": sn.fit(table, front_end),
    }
    for name, profile in runs.items():
        profile.save(tmp_path / name)
    assert len({(tmp_path / name).read_bytes() for name in runs}) == 1
