"""An audit names planted mistakes, and calls right numbers right, similar ones consistent and unknown ones unknown."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.planted_statistics import UNKNOWN, Data, data_of, halves, moments, planted_in
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.audio import random_sample
from spectronorm.audit.audit import audit, audit_sums
from spectronorm.audit.level_sums import LevelSums
from spectronorm.audit.likelihood import log_bayes_factor
from spectronorm.audit.measure_sums import measure_sums
from spectronorm.cli.app import app
from spectronorm.errors import ArgumentError

Numbers = tuple[Any, Any]


@pytest.fixture(scope="module", params=["esc10", "digits"])
def data(request: pytest.FixtureRequest, esc10: Path) -> Data:
    return data_of(request.param, esc10.parent)


@pytest.mark.real_data
@pytest.mark.parametrize("axis", [None, 1], ids=["pooled", "per-band"])
def test_planted_mistakes_are_named(data: Data, axis: int | None) -> None:
    """Each of the mistakes, made on the levels as a script would make it, is named: pooled and for each band."""
    planted = planted_in(data, axis)
    verdicts = {name: audit_sums(one, data.sums, data.front_end).verdict for name, one in planted.items()}
    assert verdicts == {name: name for name in planted}
    assert len(planted) >= 15


@pytest.mark.real_data
@pytest.mark.parametrize("axis", [None, 1], ids=["pooled", "per-band"])
def test_right_numbers_and_unknown_ones(data: Data, axis: int | None) -> None:
    """Float32 numbers are exact, those of a random half consistent, as averages too; made-up ones are unknown."""
    mean, std = moments(data.levels, axis)
    right = mean, np.maximum(std, 1e-8)
    exact = audit_sums((np.float32(right[0]), np.float32(right[1])), data.sums, data.front_end)
    assert exact.verdict == "exact"
    of_half, of_other, averaged = map(set, zip(*halves(data, axis, 3), strict=True))
    assert of_half == of_other == {"consistent"}
    assert averaged <= {"consistent", "mean of batch stds"}
    for name, change in UNKNOWN.items():
        audited = audit_sums(change(*right), data.sums, data.front_end)
        assert audited.verdict == "unknown", (name, audited.findings[:2])
        assert "none of the known mistakes" in audited.sentence


def test_a_mistake_is_not_named_for_a_close_coincidence() -> None:
    """Numbers that another sample could have are of a mistake only if they are that mistake's to four digits."""
    rng = np.random.default_rng(0)
    names = tuple(f"{i:03d}" for i in range(200))
    centre = rng.normal(0.0, 1.0, 200)
    sums = LevelSums(names, np.full(200, 10.0), 10 * centre[:, None], 10 * (centre**2 + 1.0)[:, None],
                     np.zeros((200, 1)), 0.0)  # fmt: skip
    front_end = sn.FrontEnd(stft=sn.STFT(2), bands=sn.Mel(1, f_max=8000))
    mean, std = (one[0] for one in sums.of(slice(0, 100)).moments())
    assert audit_sums((mean, std), sums, front_end).verdict == "first files only"
    assert audit_sums((mean + 1e-3, std), sums, front_end).verdict == "consistent"


def clips_of(count: int, seed: int) -> LevelSums:
    """Sums of clips of 200 frames whose means and spreads differ, so that averages over batches are off."""
    rng = np.random.default_rng(seed)
    centre, spread = rng.normal(0.0, 1.0, count), rng.uniform(0.5, 1.5, count)
    frames = np.full(count, 200.0)
    squares = frames * (centre**2 + spread**2)
    names = tuple(f"{i:04d}" for i in range(count))
    return LevelSums(names, frames, (frames * centre)[:, None], squares[:, None], np.zeros((count, 1)), 0.0)


ONE_BAND = sn.FrontEnd(stft=sn.STFT(2), bands=sn.Mel(1, f_max=8000))


def test_halves_are_not_called_averages_over_batches() -> None:
    """Right numbers of random halves are never called averages, beside all clips and the other half."""
    sums, rng = clips_of(120, 0), np.random.default_rng(1)
    verdicts = []
    for number in range(40):
        order = rng.permutation(120)
        beside = sums if number % 4 else sums.of(np.sort(order[60:]))
        verdicts.append(audit_sums(sums.of(np.sort(order[:60])).moments(), beside, ONE_BAND).verdict)
    assert verdicts == ["consistent"] * 40


def averaged(sums: LevelSums, size: int, order: np.ndarray, last: str = "kept") -> tuple[np.ndarray, np.ndarray]:
    """Mean of the means and of the variances of batches of clips in this order."""
    if last == "dropped":
        order = order[: len(order) // size * size]
    mean, variance, clips = sums.batches(size, order)
    weights = clips if last == "weighed" else None
    return np.average(mean, axis=0, weights=weights), np.average(variance, axis=0, weights=weights)


def stds_averaged(sums: LevelSums, size: int, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, variance, _ = sums.batches(size, order)
    return mean.mean(axis=0), np.sqrt(variance).mean(axis=0)


@pytest.mark.parametrize("size", [2, 3, 4])
def test_averages_over_small_batches_are_named(size: int) -> None:
    """The mean of the stds of batches in an order of its own is named for each of the small sizes."""
    sums = clips_of(120, 0)
    for seed in range(5):
        numbers = stds_averaged(sums, size, np.random.default_rng(100 + seed).permutation(120))
        audited = audit_sums(numbers, sums, ONE_BAND)
        assert audited.verdict == "mean of batch stds", (size, audited.findings[:3])


@pytest.mark.parametrize("size", [8, 16, 32, 64])
def test_averages_in_the_order_of_the_files_are_named(size: int) -> None:
    """At every common batch size the mean of stds in file order is named with its size."""
    sums = clips_of(300, 3)
    audited = audit_sums(stds_averaged(sums, size, np.arange(300)), sums, ONE_BAND)
    assert audited.verdict == "mean of batch stds", audited.findings[:3]
    assert f"batches of {size} clips in the order of their names" in audited.sentence
    assert audited.right.errors < 2.5


@pytest.mark.parametrize("last", ["kept", "dropped", "weighed"])
def test_averages_of_variances_and_the_last_batch_are_told(last: str) -> None:
    """The root of the mean variance is told from the mean of stds, and each way to treat the last, smaller batch."""
    sums = clips_of(300, 3)
    mean, variance = averaged(sums, 32, np.arange(300), last)
    audited = audit_sums((mean, np.sqrt(variance)), sums, ONE_BAND)
    assert audited.verdict == "mean of batch variances"
    said = {
        "kept": "names",
        "dropped": "the last, smaller batch was left out",
        "weighed": "batches count by their clips",
    }
    assert audited.sentence.endswith(said[last])


def test_files_may_be_ordered_by_the_numbers_in_their_names() -> None:
    """A loader that sorts 2 before 10 makes other batches than one that sorts names, and both are recognized."""
    plain = clips_of(300, 3)
    sums = replace(plain, names=tuple(sorted(f"dog-{i}.wav" for i in range(300))))
    order = np.argsort([int(name[4:-4]) for name in sums.names])
    audited = audit_sums(stds_averaged(sums, 16, order), sums, ONE_BAND)
    assert audited.verdict == "mean of batch stds"
    assert "in the order of the numbers in their names" in audited.sentence


def test_zeros_that_pad_batches_are_recognized() -> None:
    """Each batch padded with zeros to its longest clip, and the padding counted."""
    rng = np.random.default_rng(5)
    frames = rng.integers(100, 300, 200).astype(float)
    centre, names = rng.normal(-5.0, 1.0, 200), tuple(f"{i:03d}" for i in range(200))
    squares = frames * (centre**2 + 1.0)
    sums = LevelSums(names, frames, (frames * centre)[:, None], squares[:, None], np.zeros((200, 1)), -20.0)
    longest = np.repeat(frames.reshape(-1, 20).max(axis=1), 20)
    numbers = stds_averaged(sums.padded(longest, 0.0), 20, np.arange(200))
    assert audit_sums(numbers, sums, ONE_BAND).verdict == "zero padding was counted, mean of batch stds"


def test_a_right_mean_beside_an_averaged_std_is_recognized() -> None:
    """Batches in a random order leave a trace in the std alone; the exact mean says whose clips they were."""
    sums = clips_of(300, 3)
    for seed in range(5):
        numbers = sums.moments()[0], stds_averaged(sums, 8, np.random.default_rng(seed).permutation(300))[1]
        assert audit_sums(numbers, sums, ONE_BAND).verdict == "mean of batch stds"


def test_rounded_numbers_are_judged_by_their_digits() -> None:
    """Two decimals are too few to name a batch size that differs by less."""
    sums = clips_of(300, 3)
    mean, std = stds_averaged(sums, 64, np.arange(300))
    assert audit_sums((mean, std), sums, ONE_BAND).verdict == "mean of batch stds"
    assert audit_sums((np.round(mean, 2), np.round(std, 2)), sums, ONE_BAND).verdict == "consistent"


def test_a_bayes_factor_is_bounded_under_another_sample() -> None:
    """Right numbers of another sample exceed a factor of 20 in at most one of twenty draws."""
    rng, errors = np.random.default_rng(2), (np.full(1, 0.1), np.full(1, 0.05))
    right, scale = (np.zeros(1), np.ones(1)), np.ones(1)
    orders = [
        ((np.zeros(1), np.full(1, 1 - 0.4 / size)), (np.full(1, 1e-3), np.full(1, 0.02))) for size in range(2, 20)
    ]
    factors = []
    for _ in range(2000):
        mean, std = rng.normal(0.0, math.sqrt(2) * 0.1, 1), 1 + rng.normal(0.0, math.sqrt(2) * 0.05, 1)
        factors.append(log_bayes_factor((mean, std), orders, right, errors, scale))
    assert np.mean(np.array(factors) > math.log(20)) <= 0.05
    assert log_bayes_factor((np.zeros(1), np.full(1, 0.8)), orders[:1], right, errors, scale) > math.log(20)


def test_a_band_that_is_always_on_the_floor_says_nothing() -> None:
    """A band without spread changes no likelihood, and divides by nothing."""
    one = (np.zeros(1), np.ones(1)), (np.full(1, 0.01), np.full(1, 0.02)), np.ones(1)
    two = tuple(tuple(np.append(x, 0.0) for x in pair) for pair in one[:2])
    with_dead = log_bayes_factor(two[0], [(two[0], two[1])], two[0], two[1], np.array([1.0, 0.0]))
    assert with_dead == pytest.approx(log_bayes_factor(one[0], [(one[0], one[1])], one[0], one[1], one[2]))


@pytest.mark.real_data
def test_another_resampler_is_found_by_a_further_pass(esc10: Path) -> None:
    """Numbers with another resampler, mel scale or scale of samples are named once the right front end is tried."""
    source = random_sample(sn.open_source(esc10), 0.1, 1)
    bins = sn.FrontEnd(16_000, stft=sn.STFT(400, hop_length=160), compress=sn.Ln(0.0, amin=1e-10))
    sums, _ = measure_sums(source, replace(bins, resampler="overlap_save"))
    audited = audit(sums.moments(), source, bins)
    assert audited.verdict == "another resampler"
    assert "overlap_save, not soxr_hq" in audited.sentence
    front_end = replace(bins, bands=sn.Mel(40))
    sums, _ = measure_sums(source, replace(front_end, bands=sn.Mel(40, mel_scale="htk")))
    assert audit(sums.moments(), source, front_end).verdict == "another mel scale"
    sums, _ = measure_sums(source, replace(front_end, level=sn.waveform.ScaleWaveform(32768.0)))
    assert audit(sums.moments(), source, front_end).verdict == "16-bit scale"
    assert audit(sums.moments(), source, front_end, one_pass_only=True).verdict in ("unknown", "consistent")


def test_standard_errors_follow_the_clips() -> None:
    """Standard errors of independent clips are those of the textbook, and frames of a clip add nothing."""
    rng = np.random.default_rng(0)
    clips, frames = 2000, 50
    centre = rng.normal(0.0, 2.0, clips)
    sums = LevelSums(
        tuple(f"{i:04d}" for i in range(clips)),
        np.full(clips, float(frames)),
        (frames * centre)[:, None],
        (frames * (centre**2 + 1.0))[:, None],
        np.zeros((clips, 1)),
        0.0,
    )
    audited = audit_sums((0.3, 5.0**0.5), sums, sn.FrontEnd(stft=sn.STFT(2), bands=sn.Mel(1, f_max=8000)))
    assert audited.mean_se == pytest.approx(2.0 / math.sqrt(clips), rel=0.4)
    assert audited.right.std == pytest.approx(5.0**0.5, rel=0.05)


def test_the_command_says_what_is_wrong(noise_table: Path, tmp_path: Path) -> None:
    """Exit code 0 for exact numbers and 1 for wrong ones, as text and as JSON; a pipeline needs no front end."""
    front_end = sn.FrontEnd(bands=sn.Mel(16), compress=sn.Ln(0.0, amin=1e-10))
    profile = sn.fit(noise_table, front_end)
    (tmp_path / "fe.json").write_text(front_end.to_json())
    right, wrong = tmp_path / "right.json", tmp_path / "wrong.json"
    right.write_text(json.dumps({"mean": profile.band.mean.tolist(), "std": profile.band.std.tolist()}))
    wrong.write_text(json.dumps({"mean": profile.band.mean.tolist(), "std": (profile.band.std**2).tolist()}))
    sn.Pipeline(front_end, sn.Standardize().fit(profile)).save(tmp_path / "p.safetensors")
    named = ["--front-end", tmp_path / "fe.json"]

    def run(*arguments: object) -> Any:
        return CliRunner().invoke(app, ["audit", *map(str, arguments)])

    done = run(right, noise_table, *named)
    assert (done.exit_code, done.stdout.split(":")[0]) == (0, "exact")
    done = run(wrong, noise_table, *named, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["verdict"] == "variance taken for std"
    assert run(tmp_path / "p.safetensors", noise_table).stdout.startswith("exact")
    assert run(right, noise_table).exit_code == 2
    assert run(tmp_path / "p.safetensors", noise_table, *named).exit_code == 2
    profile.save(tmp_path / "profile.safetensors")
    assert "measured exactly" in run(tmp_path / "profile.safetensors", noise_table).output


MODEL = """
import torch

class Loudness(torch.nn.Module):
    def forward(self, x):
        mean = x.mean(dim=(1, 2, 3))
        return torch.stack([mean, -mean], dim=1)

model = Loudness()
"""


def test_the_effect_on_a_model_is_that_of_sensitivity(
    noise_table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--effect MODEL` gives accuracy over a grid of errors with intervals; a missing model or label is one error."""
    pytest.importorskip("torch")
    (tmp_path / "loud_model.py").write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    front_end = sn.FrontEnd(bands=sn.Mel(16), compress=sn.Ln(0.0, amin=1e-10))
    profile = sn.fit(noise_table, front_end)
    sn.Pipeline(front_end, sn.Standardize("global").fit(profile)).save(tmp_path / "p.safetensors")

    def run(*more: object) -> Any:
        return CliRunner().invoke(app, ["audit", str(tmp_path / "p.safetensors"), str(noise_table), *map(str, more)])

    done = run("--effect", "loud_model:model", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["effect"]
    assert {one["kind"] for one in found["effects"]} >= {"mean", "std"}
    assert all(one["low"] <= one["change"] <= one["high"] for one in found["effects"])
    assert "With the shipped statistics" in run("--effect", "loud_model:model").stdout
    assert run("--effect", "no_such_model:model").exit_code == 2
    assert run("--effect", "loud_model:model", "--label", "species").exit_code == 2


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        (([1.0, 2.0], 1.0), "neither one number nor one for each of the 16 bands"),
        ((math.nan, 1.0), "finite"),
        ((0.0, 0.0), "positive std"),
        (("a", 1.0), "must be numbers"),
    ],
)
def test_odd_numbers_are_refused_before_the_pass(numbers: Numbers, message: str, noise_table: Path) -> None:
    """Numbers that cannot be statistics are one clear error, and nothing is read."""
    with pytest.raises(ArgumentError, match=message):
        audit(numbers, noise_table, sn.FrontEnd(bands=sn.Mel(16)))
