"""Statistics of adversarial sequences, against Python's exact rational arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

import spectronorm as sn
from spectronorm.profile import LevelCounter, Measurement, RunningSum
from spectronorm.profile.statistics import Statistics

from .bad_inputs import tone

GRID = sn.FrontEnd().grid
FLOOR = -100.0
Levels = list[np.ndarray]


def _block(level: np.ndarray) -> tuple[int, int, np.ndarray]:
    return 0, level.shape[1], np.ascontiguousarray(level)


def measured(clips: Levels, parts: int = 1) -> Measurement:
    """Levels `(band, frame)` counted as a pass counts them, by so many workers."""
    front_end = SimpleNamespace(
        n_bands=clips[0].shape[0],
        level_shape=clips[0].shape[:1],
        grid=GRID,
        stft=SimpleNamespace(power=2.0),
        compress=SimpleNamespace(clip_floor=lambda *_: FLOOR, unit="dB"),
        floor=FLOOR,
        floor_follows_highest=False,
        frames=lambda samples: clips[samples // 2].shape[1],
        clip_blocks=lambda samples, workspace: iter([_block(clips[len(samples) // 2])]),
    )
    running = RunningSum()
    for part in range(parts):
        counter = LevelCounter(front_end)  # type: ignore[arg-type]
        for index in range(part, len(clips), parts):
            counter.add(np.zeros(2 * index + 1, dtype=np.float32), flat=False)  # its length says which clip it is
        measurement = counter.measurement()
        assert measurement is not None
        running.add(measurement)
    return running.total()


def adversarial() -> dict[str, Levels]:
    """Sequences on which sums in floating point lose most of their digits."""
    random = np.random.default_rng(5)

    def clips(make: object, lengths: list[int], bands: int = 3) -> Levels:
        return [make((bands, length)) for length in lengths]  # type: ignore[operator]

    equal, unequal = [500] * 12, [1, 2, 3, 1999, 1, 700, 40, 1, 5_000, 1]
    half = lambda shape: np.where(random.random(shape) < 0.5, FLOOR, random.normal(-20, 15, shape))  # noqa: E731
    return {
        "log-mel mixture": clips(lambda s: random.normal(-30, 20, s).clip(FLOOR, 190), equal),
        "mean 1e6 std 1e-3 on the grid": clips(lambda s: 199 + random.normal(0, 1e-3, s), equal),
        "half at the floor": clips(half, equal),
        "sorted, half at the floor": clips(lambda s: np.sort(half(s), axis=1), equal),
        "unequal lengths": clips(lambda s: random.normal(-40, 10, s).clip(FLOOR, 190), unequal),
        "last clip of one frame": [*clips(lambda s: random.normal(0, 1, s), equal), np.full((3, 1), 150.0)],
        "one frame in all": clips(lambda s: random.normal(0, 1, s), [1]),
        "constant": clips(lambda s: np.full(s, 12.345678), equal),
        "all at the floor": clips(lambda s: np.full(s, FLOOR), unequal),
        "extremes of the grid": clips(lambda s: np.where(random.random(s) < 0.5, FLOOR, 200.0), equal),
        "cancelling": clips(lambda s: np.where(np.arange(s[1]) % 2, 100.0, -99.999) + np.zeros(s), equal),
        "one band of three at the floor": [
            np.concatenate([half((2, n)), np.full((1, n), FLOOR)]) for n in (100, 1, 700, 30)
        ],
    }


SEQUENCES = adversarial()


def gridded(clips: Levels, band: int) -> list[int]:
    """The integers of one band, or of all bands (-1)."""
    rows = clips if band < 0 else [clip[band] for clip in clips]
    return [int(q) for row in rows for q in np.rint(np.asarray(row) * GRID.steps).ravel()]


def exact(values: list[int]) -> tuple[Fraction, Fraction]:
    """Mean and variance as rational numbers, in the level's unit."""
    mean = Fraction(sum(values), len(values))
    variance = Fraction(sum(v * v for v in values), len(values)) - mean * mean
    return mean / GRID.steps, variance / GRID.steps**2


def close(figure: float, square: Fraction) -> bool:
    """Whether a root is right within two units in the last place."""
    low, high = Fraction(figure) * (1 - Fraction(1, 2**51)), Fraction(figure) * (1 + Fraction(1, 2**51))
    return low * low <= square <= high * high


@pytest.mark.parametrize("name", SEQUENCES)
@pytest.mark.parametrize("exclude_floor", [False, True])
def test_mean_and_std_equal_exact_fractions(name: str, exclude_floor: bool) -> None:
    """Mean correctly rounded, std within two units in the last place, extremes exact; per band and pooled."""
    clips = SEQUENCES[name]
    measurement, floor = measured(clips), GRID.integer(FLOOR) if exclude_floor else None
    bands = Statistics(measurement, GRID, without_floor=floor)
    pooled = Statistics(measurement.pooled(), GRID, pooled=True, without_floor=floor)
    for band in range(-1, clips[0].shape[0]):
        values = gridded(clips, band)
        kept = [v for v in values if floor is None or v > floor] or values
        mean, variance = exact(kept)
        statistics, at = (pooled, ()) if band < 0 else (bands, band)
        assert np.asarray(statistics.mean)[at] == float(mean)
        assert close(float(np.asarray(statistics.std)[at]), variance)
        assert np.asarray(statistics.min)[at] == min(kept) / GRID.steps
        assert np.asarray(statistics.max)[at] == max(kept) / GRID.steps
        assert np.asarray(statistics.floor_share)[at] == sum(v <= GRID.integer(FLOOR) for v in values) / len(values)


@pytest.mark.parametrize("name", SEQUENCES)
def test_figures_are_within_1e_5_of_those_of_the_floats(name: str) -> None:
    """Putting levels on the grid moves mean and std by less than a hundred thousandth of a dB."""
    clips = SEQUENCES[name]
    statistics = Statistics(measured(clips), GRID)
    for band in range(clips[0].shape[0]):
        values = [Fraction(float(v)) for clip in clips for v in clip[band]]
        mean = sum(values) / len(values)
        std = math.sqrt(sum((v - mean) ** 2 for v in values) / len(values))
        assert abs(statistics.mean[band] - float(mean)) < 1e-5
        assert abs(statistics.std[band] - std) < 1e-5


@pytest.mark.parametrize("name", SEQUENCES)
def test_neither_order_nor_workers_change_a_number(name: str) -> None:
    """Backwards, by one worker or five: equal integers."""
    clips = SEQUENCES[name]
    backwards = measured(clips[::-1])
    for parts in (1, min(5, len(clips))):
        measurement = measured(clips, parts)
        for field in ("count", "total", "squares", "products", "histogram", "lowest_above", "on_floor"):
            np.testing.assert_array_equal(getattr(measurement, field), getattr(backwards, field))


@pytest.mark.parametrize("name", SEQUENCES)
@pytest.mark.parametrize("exclude_floor", [False, True])
def test_standard_errors_are_those_of_clusters_of_clips(name: str, exclude_floor: bool) -> None:
    """The linearized formulas, computed clip by clip in floating point, over the cells that count."""
    clips = SEQUENCES[name]
    if len(clips) < 2:
        assert Statistics(measured(clips), GRID).mean_se[0] == math.inf
        return
    statistics = Statistics(measured(clips), GRID, without_floor=GRID.integer(FLOOR) if exclude_floor else None)
    for band in range(clips[0].shape[0]):
        rows = [np.rint(clip[band] * GRID.steps) / GRID.steps for clip in clips]
        kept = [row[row > FLOOR] for row in rows] if exclude_floor else rows
        kept = rows if sum(map(len, kept)) == 0 else kept
        n, s, q = (np.array([f(row) for row in kept]) for f in (len, np.sum, lambda r: np.sum(r * r)))
        mean, count = s.sum() / n.sum(), len(clips)
        variance = q.sum() / n.sum() - mean**2
        clustered = count / (count - 1)
        mean_se = math.sqrt(clustered * np.sum((s - mean * n) ** 2)) / n.sum()
        assert statistics.mean_se[band] == pytest.approx(mean_se, rel=1e-3, abs=2e-4)
        if variance > 1e-4:
            v = q - 2 * mean * s + (mean**2 - variance) * n
            std_se = math.sqrt(clustered * np.sum(v**2)) / n.sum() / (2 * math.sqrt(variance))
            assert statistics.std_se[band] == pytest.approx(std_se, rel=1e-2, abs=1e-3)


@pytest.mark.parametrize("name", SEQUENCES)
def test_quantiles_above_the_floor_are_those_of_the_cells_above_it(name: str) -> None:
    """Within one histogram cell."""
    clips = SEQUENCES[name]
    statistics = Statistics(measured(clips), GRID, without_floor=GRID.integer(FLOOR))
    for q in (0.0, 0.05, 0.5, 0.95, 1.0):
        for band in range(clips[0].shape[0]):
            values = np.concatenate([clip[band] for clip in clips])
            above = np.sort(values[values > FLOOR + 1e-9]) if (values > FLOOR + 1e-9).any() else np.sort(values)
            low, high = above[max(0, math.ceil(q * len(above)) - 1)], above[min(len(above) - 1, int(q * len(above)))]
            found = statistics.quantile(q)[band]
            assert low - GRID.cell_width - 1e-4 <= found <= high + GRID.cell_width + 1e-4


def write(path: Path, samples: np.ndarray) -> None:
    """A float WAV at 16 kHz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, 16_000, subtype="FLOAT")


def test_padding_is_never_counted(tmp_path: Path) -> None:
    """With a duration longer than the clips, the integers are those without one."""
    for index in range(3):
        write(tmp_path / f"{index}.wav", tone(0.3 + 0.1 * index, seed=index))
    assert sn.fit(tmp_path, duration=2.0).total == sn.fit(tmp_path).total


def test_excluding_the_floor_finds_the_sound_under_the_silence(tmp_path: Path) -> None:
    """Digital silence between sounds moves mean and std by decibels; without the floor they stay."""
    for index in range(4):
        write(tmp_path / "plain" / f"{index}.wav", tone(1.0, seed=index))
        gaps = np.concatenate([tone(1.0, seed=index), np.zeros((16_000, 1), np.float32)])
        write(tmp_path / "gaps" / f"{index}.wav", gaps)
    plain, gaps = sn.fit(tmp_path / "plain"), sn.fit(tmp_path / "gaps", exclude_floor=True)
    assert gaps.exclude_floor
    assert abs(sn.fit(tmp_path / "gaps").overall.mean - plain.overall.mean) > 10
    assert abs(gaps.overall.mean - plain.overall.mean) < 0.5
    assert gaps.overall.floor_share > 0.4
    assert sn.fit(tmp_path / "gaps").excluding_floor() == gaps
    gaps.save(tmp_path / "saved")
    assert sn.Profile.load(tmp_path / "saved") == gaps
    fitted = sn.Standardize().fit(gaps).fitted_on
    assert fitted.left_out == ("floor",)


def test_a_floor_of_each_clips_own_cannot_be_excluded(tmp_path: Path) -> None:
    """With top_db the floor's cells cannot be told afterwards: an error before the pass, not after it."""
    write(tmp_path / "a.wav", tone())
    front_end = sn.FrontEnd(compress=sn.Decibel(top_db=60))
    seen: list[int] = []
    with pytest.raises(sn.errors.ArgumentError, match="top_db"):
        sn.fit(tmp_path, front_end, exclude_floor=True, progress=lambda done, _: seen.append(done))
    assert seen == []


def test_silent_and_constant_clips_are_flagged_and_their_effect_is_shown(tmp_path: Path) -> None:
    """They are counted, listed with their reason, and what they do to mean and std is what leaving them out does."""
    for index in range(4):
        write(tmp_path / f"{index}.wav", tone(1.0, seed=index))
    write(tmp_path / "dc.wav", np.full((16_000, 1), 0.25))
    write(tmp_path / "silent.wav", np.zeros((32_000, 1)))
    profile = sn.fit(tmp_path)
    assert [(file.path, file.reason.value) for file in profile.flagged] == [
        ("dc.wav", "constant"),
        ("silent.wav", "silent"),
    ]
    assert (profile.clips, profile.total.flat, profile.bad) == (6, 2, ())
    skipped = sn.fit(sn.open_source(tmp_path, sn.audio.Reader(skip_flat=True)), max_bad=0.5)
    assert {file.path: file.reason.value for file in skipped.bad} == {"dc.wav": "constant", "silent.wav": "silent"}
    effect = profile.flat_effect()
    assert effect is not None
    assert effect["mean"] == pytest.approx(profile.overall.mean - skipped.overall.mean, abs=1e-9)
    assert effect["std"] == pytest.approx(profile.overall.std - skipped.overall.std, abs=1e-9)
    assert skipped.flat_effect() is None
    summary = profile.summary()
    assert summary["flat_effect"] == effect
    assert [entry["reason"] for entry in summary["flagged"]] == ["constant", "silent"]
    assert skipped.summary()["bad_reasons"] == {"constant": 1, "silent": 1}
