"""An audit names planted mistakes, and calls right numbers right, similar ones consistent and unknown ones unknown."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.audio import random_sample
from spectronorm.audit.audit import audit, audit_sums
from spectronorm.audit.level_sums import LevelSums
from spectronorm.audit.measure_sums import measure_sums
from spectronorm.cli.app import app
from spectronorm.errors import ArgumentError

Levels = list[np.ndarray]
Numbers = tuple[Any, Any]
LN_TO_DB = 10.0 / math.log(10.0)


class Data:
    """Levels of every clip, kept whole, so that a mistake can be made on them as a script would make it."""

    def __init__(self, source: sn.audio.Source, front_end: sn.FrontEnd) -> None:
        self.source, self.front_end = source, front_end
        self.waves = [
            source.reader.read(one, front_end.sample_rate).valid for one in sorted(source, key=lambda c: c.name)
        ]
        self.levels = [front_end(wave.astype(np.float64)) for wave in self.waves]
        self.sums, _ = measure_sums(source, front_end)

    @property
    def longest(self) -> int:
        return max(level.shape[1] for level in self.levels)


def moments(levels: Levels, axis: int | None) -> Numbers:
    whole = np.concatenate(levels, axis=1)
    return whole.mean(axis=axis), whole.std(axis=axis)


def averaged(levels: Levels, size: int, axis: int | None) -> Numbers:
    order = np.random.default_rng(77).permutation(len(levels))
    batches = [[levels[i] for i in order[k : k + size]] for k in range(0, len(levels), size)]
    found = [moments(batch, axis) for batch in batches]
    return np.mean([mean for mean, _ in found], axis=0), np.mean([std for _, std in found], axis=0)


def padded(data: Data, frames: int, value: float) -> Levels:
    return [np.pad(one, ((0, 0), (0, frames - one.shape[1])), constant_values=value) for one in data.levels]


def _length(data: Data) -> int:
    return 1024 if data.longest > 200 else data.longest


def _of_right(change: Callable[[Any, Any], Numbers]) -> Callable[[Data, int | None], Numbers]:
    return lambda data, axis: change(*moments(data.levels, axis))


def _above_floor(data: Data, axis: int | None) -> Numbers:
    whole = np.concatenate(data.levels, axis=1)
    masked = np.ma.masked_less_equal(whole, data.front_end.floor + 1e-6)
    return np.asarray(masked.mean(axis=axis)), np.asarray(masked.std(axis=axis))


BOTH: Mapping[str, Callable[[Data, int | None], Numbers]] = {
    "zero padding was counted": lambda d, axis: moments(padded(d, _length(d), 0.0), axis),
    "padding with the floor was counted": lambda d, axis: moments(padded(d, _length(d), d.front_end.floor), axis),
    "mean of clip stds": lambda d, axis: averaged(d.levels, 1, axis),
    "zero padding was counted, mean of clip stds": lambda d, axis: averaged(padded(d, _length(d), 0.0), 1, axis),
    "2·std": _of_right(lambda m, s: (m, 2 * s)),
    "half the std": _of_right(lambda m, s: (m, s / 2)),
    "variance taken for std": _of_right(lambda m, s: (m, s**2)),
    "inverse std": _of_right(lambda m, s: (m, 1 / np.maximum(s, 1e-6))),
    "mean not subtracted": _of_right(lambda m, s: (m, np.sqrt(m**2 + s**2))),
    "negative mean": _of_right(lambda m, s: (-m, s)),
    "dB for ln": _of_right(lambda m, s: (LN_TO_DB * m, LN_TO_DB * s)),
    "log10 for ln": _of_right(lambda m, s: (m / math.log(10), s / math.log(10))),
    "first files only": lambda d, axis: moments(d.levels[: len(d.levels) // 10], axis),
    "normalized already": _of_right(lambda m, s: (0 * m + 1e-3, 0 * s + 0.999)),
    "numbers of AudioSet, published with AST": _of_right(lambda m, s: (0 * m - 4.27, 0 * s + 4.57)),
}
POOLED: Mapping[str, Callable[[Data, int | None], Numbers]] = {
    "mean of batch stds": lambda d, axis: averaged(d.levels, 4, axis),
    "mean and std swapped": _of_right(lambda m, s: (s, abs(m))),
    "mean of band stds": lambda d, axis: (moments(d.levels, None)[0], moments(d.levels, 1)[1].mean()),
}
UNKNOWN: Mapping[str, Callable[[Any, Any], Numbers]] = {
    "mean too high, std too small": lambda m, s: (m + s, 0.8 * s),
    "mean too low, std too large": lambda m, s: (m - 0.3 * s, 1.3 * s),
    "both too large": lambda m, s: (1.7 * m, 1.2 * s),
    "far away": lambda m, s: (m + 7 * s, 3.3 * s),
}


@pytest.fixture(scope="module", params=["esc10", "digits"])
def data(request: pytest.FixtureRequest, esc10: Path) -> Data:
    if request.param == "esc10":
        return Data(sn.open_source(esc10), sn.preset("ast"))
    mel = sn.FrontEnd(8000, stft=sn.STFT(256, hop_length=80), bands=sn.Mel(40), compress=sn.Ln(0.0, amin=1e-8))
    return Data(random_sample(sn.open_source(esc10.parent / "fsdd"), 0.1, 3), mel)


@pytest.mark.real_data
@pytest.mark.parametrize("axis", [None, 1], ids=["pooled", "per-band"])
def test_planted_mistakes_are_named(data: Data, axis: int | None) -> None:
    """Each of the mistakes, made on the levels as a script would make it, is named: pooled and for each band."""
    planted = {**BOTH, **(POOLED if axis is None else {})}
    if (data.sums.on_floor.sum() / (data.sums.frames.sum() * data.front_end.n_bands)) > 0.01:
        planted["floor left out"] = _above_floor
    verdicts = {}
    for name, make in planted.items():
        mean, std = make(data, axis)
        verdicts[name] = audit_sums((mean, np.maximum(std, 1e-8)), data.sums, data.front_end).verdict
    assert verdicts == {name: name for name in planted}
    assert len(planted) >= 15


@pytest.mark.real_data
@pytest.mark.parametrize("axis", [None, 1], ids=["pooled", "per-band"])
def test_right_numbers_and_unknown_ones(data: Data, axis: int | None) -> None:
    """Float32 numbers of the data are exact; a random half is consistent; made-up numbers are unknown."""
    mean, std = moments(data.levels, axis)
    right = mean, np.maximum(std, 1e-8)
    exact = audit_sums((np.float32(right[0]), np.float32(right[1])), data.sums, data.front_end)
    assert exact.verdict == "exact"
    rng = np.random.default_rng(5)
    for _ in range(4):
        half = rng.permutation(len(data.levels))[: len(data.levels) // 2]
        mean, std = moments([data.levels[i] for i in half], axis)
        audited = audit_sums((mean, np.maximum(std, 1e-8)), data.sums, data.front_end)
        assert audited.verdict == "consistent", audited.findings[:2]
        assert 0 < audited.right.errors < 2.5
    for name, change in UNKNOWN.items():
        audited = audit_sums(change(*right), data.sums, data.front_end)
        assert audited.verdict == "unknown", (name, audited.findings[:2])
        assert "none of the known mistakes" in audited.sentence


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
