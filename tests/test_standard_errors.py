"""Standard errors by clip and by group are those of the textbook, and intervals by group cover."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.cli.app import app
from spectronorm.errors import ArgumentError
from spectronorm.passes.fit import Sample
from spectronorm.passes.fit_until import Tolerance
from spectronorm.profile import error_remarks, standard_errors

LEVELS = sn.Levels(bands=3, unit="dB", low=-200.0, high=200.0, made_by="a test")


def measured(values: np.ndarray, groups: list[str]) -> sn.Profile:
    """Return the profile of clips `(clip, band, frame)` in groups."""
    meter = sn.Meter(LEVELS, layout="bft")
    meter.add(values, groups={"speaker": groups})
    return meter.profile()


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 6), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_errors_by_group_are_the_ratio_estimator_s(groups: int, clips: int, seed: int) -> None:
    """Mean and std of cells have the errors that NumPy computes from the residuals of whole groups."""
    generator = np.random.default_rng(seed)
    offsets = 10 * generator.standard_normal(groups)
    values = (offsets[:, None, None, None] + generator.standard_normal((groups, clips, 3, 5))).reshape(-1, 3, 5)
    profile = measured(values, np.repeat(np.arange(groups), clips).astype(str).tolist())
    _, found = standard_errors(profile)
    x = values.reshape(groups, -1)
    mean, variance, n = x.mean(), x.var(), x.size
    of_mean = (x - mean).sum(axis=1)
    of_std = ((x - mean) ** 2 - variance).sum(axis=1)
    factor = groups / (groups - 1)
    assert (found.unit, found.units) == ("speaker", groups)
    assert found.mean_se == pytest.approx(math.sqrt(factor * (of_mean**2).sum()) / n, rel=1e-3)
    assert found.std_se == pytest.approx(
        math.sqrt(factor * (of_std**2).sum()) / n / (2 * math.sqrt(variance)), rel=1e-3
    )


def test_each_clip_alone_has_the_error_by_clip() -> None:
    """With one clip in each group both errors are equal."""
    values = np.random.default_rng(0).normal(size=(12, 3, 5))
    by_clip, by_group = standard_errors(measured(values, [str(i) for i in range(12)]))
    assert by_group.mean_se == pytest.approx(by_clip.mean_se, rel=1e-3)
    assert by_group.std_se == pytest.approx(by_clip.std_se, rel=1e-3)


def test_few_groups_and_larger_errors_are_said() -> None:
    """Six speakers are few, and an error by speaker that is far larger than by clip is told."""
    generator = np.random.default_rng(1)
    speakers = np.repeat(np.arange(6), 20)
    values = 5 * generator.standard_normal(6)[speakers][:, None, None] + generator.standard_normal((120, 3, 5))
    said = list(error_remarks(measured(values, speakers.astype(str).tolist())))
    assert any("if speaker is the unit of sampling" in line for line in said)
    assert any("6 groups by speaker are few" in line for line in said)


def test_the_number_of_clips_reaches_the_tolerance() -> None:
    """With as many clips as said, the interval of new samples is of the asked half-width within a tenth."""
    generator = np.random.default_rng(2)
    profile = measured(4 * generator.standard_normal((200, 1, 1)) + np.zeros((200, 3, 5)), ["a"] * 200)
    needed = standard_errors(profile)[0].units_for(0.5)
    again = measured(4 * generator.standard_normal((needed, 1, 1)) + np.zeros((needed, 3, 5)), ["a"] * needed)
    assert standard_errors(again)[0].mean_half_width == pytest.approx(0.5, rel=0.1)
    with pytest.raises(ArgumentError, match="positive and finite"):
        standard_errors(profile)[0].units_for(0.0)
    with pytest.raises(ArgumentError, match="shows no variation"):
        standard_errors(profile)[1].units_for(0.5)


def test_a_sample_knows_its_population(tmp_path: Path) -> None:
    """The interval of a sample of half the clips is narrower by the root of one half than of an endless population."""
    generator = np.random.default_rng(3)
    for number in range(40):
        wave = 10 ** (generator.normal(-20, 6) / 20) * generator.standard_normal(4000)
        soundfile.write(tmp_path / f"{number}.wav", np.clip(wave, -1, 1), 8000)
    front_end = sn.FrontEnd(sample_rate=8000, bands=sn.Mel(8))
    found = standard_errors(sn.fit(tmp_path, front_end, sample=Sample(0.5, 0)))[0]
    assert (found.units, found.represents) == (20, 40)
    assert found.mean_half_width == pytest.approx(2.093 * found.mean_se * math.sqrt(0.5), rel=1e-3)


def test_the_command_shows_errors_and_numbers(tmp_path: Path) -> None:
    """`show` prints the errors by clip and by group, and the clips and groups that a tolerance takes."""
    generator = np.random.default_rng(4)
    speakers = np.repeat(np.arange(6), 5)
    values = 5 * generator.standard_normal(6)[speakers][:, None, None] + generator.standard_normal((30, 3, 5))
    measured(values, speakers.astype(str).tolist()).save(tmp_path / "p.safetensors")
    result = CliRunner().invoke(app, ["show", str(tmp_path / "p.safetensors"), "--clips-for", "0.5"])
    assert result.exit_code == 0, result.output
    assert "Errors by unit of sampling" in result.stdout
    assert "groups by speaker" in result.stdout
    assert "if speaker is the unit of sampling" in result.stderr


@pytest.mark.real_data
def test_intervals_by_speaker_cover_the_mean_of_all(esc10: Path, tmp_path: Path) -> None:
    """Of all choices of three to five of six speakers, the interval by speaker holds the mean of all in 85 % or more.

    The interval by clip holds it in less than half.
    """
    digits = sorted((esc10.parent / "fsdd" / "recordings").glob("*.wav"))
    if not digits:
        pytest.skip("there are no spoken digits beside ESC-10")
    table = tmp_path / "digits.csv"
    rows = (f"{path.absolute()},{path.stem.split('_')[1]}" for path in digits)
    table.write_text("\n".join(["path,speaker", *rows]) + "\n")
    profile = sn.fit(table, sn.preset("logmel"), group_by="speaker")
    speakers = sorted({dict(key)["speaker"] for key in profile.groups})
    true = profile.overall.mean
    covered: dict[str, list[bool]] = {"clip": [], "speaker": []}
    for size in (3, 4, 5):
        for chosen in itertools.combinations(speakers, size):
            part = profile.only(speaker=list(chosen))
            for found in standard_errors(part):
                covered[found.unit].append(abs(part.overall.mean - true) <= found.mean_half_width)
    assert np.mean(covered["speaker"]) >= 0.85
    assert np.mean(covered["clip"]) < 0.5


def varied(folder: Path, clips: int = 160) -> Path:
    """Noise at levels that differ by 6 dB from clip to clip, by twenty speakers."""
    generator = np.random.default_rng(3)
    rows = ["path,speaker"]
    folder.mkdir()
    for number in range(clips):
        level = 10 ** (generator.normal(-30.0, 6.0) / 20)
        soundfile.write(folder / f"{number:03d}.wav", level * generator.standard_normal(2000), 8000, subtype="FLOAT")
        rows.append(f"{number:03d}.wav,s{number % 20}")
    (folder / "clips.csv").write_text("\n".join(rows) + "\n")
    return folder / "clips.csv"


def test_a_sample_is_as_large_as_the_tolerance_takes(tmp_path: Path) -> None:
    """`fit --until` measures some of the clips, its interval is within the tolerance, and a tighter one takes more."""
    table, sizes = varied(tmp_path / "clips"), []
    for tolerance in ("2dB", "1dB", "0.001sd"):
        out = tmp_path / f"{tolerance}.safetensors"
        arguments = ["fit", str(table), "-o", str(out), "--sample-rate", "8000", "--until", tolerance]
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output
        profile = sn.load(out)
        assert isinstance(profile, sn.Profile)
        sizes.append(profile.clips)
        if tolerance != "0.001sd":
            assert standard_errors(profile)[0].mean_half_width <= float(tolerance[:1])
        else:
            assert "still uncertain" in done.output
    assert 40 <= sizes[0] < sizes[1] < sizes[2] == 160
    grouped = tmp_path / "g.safetensors"
    by_speaker = ["--group-by", "speaker", "--until", "2dB"]
    CliRunner().invoke(app, ["fit", str(table), "-o", str(grouped), "--sample-rate", "8000", *by_speaker])
    profile = sn.load(grouped)
    assert isinstance(profile, sn.Profile)
    assert all(found.mean_half_width <= 2.0 for found in standard_errors(profile))


@pytest.mark.parametrize("text", ["often", "0dB", "-1sd", "0.5nats", "dB", "nan"])
def test_a_tolerance_that_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    """Each is one error, for `fit` and for `show`."""
    table = varied(tmp_path / "clips", 12)
    out = tmp_path / "p.safetensors"
    refused = CliRunner().invoke(app, ["fit", str(table), "-o", str(out), "--sample-rate", "8000", "--until", text])
    assert refused.exit_code == 2
    CliRunner().invoke(app, ["fit", str(table), "-o", str(out), "--sample-rate", "8000"])
    assert CliRunner().invoke(app, ["show", str(out), "--clips-for", text]).exit_code == 2
    assert CliRunner().invoke(app, ["show", str(out), "--clips-for", "0.1sd"]).exit_code == 0


def test_one_clip_and_few_clips_are_told_as_such(tmp_path: Path) -> None:
    """One clip shows no variation, so no number of clips is said and no infinite error is printed; two are rough."""
    for count in (1, 2):
        table = varied(tmp_path / f"clips{count}", count)
        out = str(tmp_path / f"{count}.safetensors")
        fitted = CliRunner().invoke(app, ["fit", str(table), "-o", out, "--sample-rate", "8000"])
        shown = CliRunner().invoke(app, ["show", out, "--clips-for", "0.5dB"])
        assert "inf" not in fitted.stdout.replace(str(tmp_path), "")
        assert "inf" not in shown.stdout
        if count == 1:
            assert "cannot be said, because one clip shows no variation" in shown.stdout
            plain = json.loads(CliRunner().invoke(app, ["show", out, "--clips-for", "0.5dB", "--json"]).stdout)
            assert plain["clips_for"] == {"clip": None}
        else:
            assert "(rough, because it rests on 2 clips)" in shown.stdout


def test_a_tolerance_has_the_unit_of_the_levels(tmp_path: Path) -> None:
    """Capitals do not matter; another unit is refused before anything is measured or printed; silence has no sd."""
    table, out = varied(tmp_path / "clips", 3), tmp_path / "p.safetensors"
    wrong = CliRunner().invoke(app, ["fit", str(table), "-o", str(out), "--sample-rate", "8000", "--until", "1nats"])
    assert wrong.exit_code == 2
    assert not out.exists()
    profile = sn.fit(str(table), sn.FrontEnd(8000))
    profile.save(out)
    shown = CliRunner().invoke(app, ["show", str(out), "--clips-for", "1nats"])
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert Tolerance.parse("0.5DB").of(profile) == 0.5
    assert Tolerance.parse("0.1SD").of(profile) == Tolerance.parse("0.1sd").of(profile)
    with pytest.raises(ArgumentError, match="all levels are equal"):
        Tolerance.parse("0.1sd").of(sn.fit([(np.zeros(4000), 8000)], sn.FrontEnd(8000)))
