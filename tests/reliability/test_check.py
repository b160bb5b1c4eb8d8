"""`check` finds every held-out sound that was measured, under whatever name, and nothing else."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.cli.app import app

from .attack import FRONT_END
from .conftest import write_clips


@pytest.fixture
def folds(clips: Path) -> Path:
    """Forty clips in four folds, as a table."""
    return table(clips)


def table(folder: Path) -> Path:
    """A table of all clips below a folder; the fold is the index modulo 4, copies go to fold 3."""
    with (folder / "clips.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "fold"])
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".wav", ".flac"):
                fold = 3 if "copy" in path.name else int(path.stem) % 4
                rows.writerow([path.relative_to(folder), fold])
    return folder / "clips.csv"


def test_clean_folds_have_no_leak(folds: Path) -> None:
    """Forty different sounds."""
    found = sn.check(sn.fit(folds, FRONT_END), folds, hold_out={"fold": 1})
    assert (found.checked, found.leaks, found.duplicates, found.flat, found.bad) == (10, (), (), 0, ())


def test_copies_across_folds_are_found_and_named(clips: Path) -> None:
    """A copy under another name, and one in another lossless format, in other folds than their originals."""
    shutil.copy(clips / "low" / "001.wav", clips / "low" / "copy.wav")
    samples, rate = soundfile.read(clips / "low" / "005.wav", dtype="int16")
    soundfile.write(clips / "copy5.flac", samples, rate)
    source = table(clips)
    profile = sn.fit(source, FRONT_END)
    found = sn.check(profile, source, hold_out={"fold": 1})
    assert {twins.clips for twins in found.leaks} == {("low/001.wav", "low/copy.wav"), ("copy5.flac", "low/005.wav")}
    assert {twins.groups for twins in found.leaks} == {("fold=3",)}
    assert {twins.groups for twins in found.duplicates} == {("fold=1", "fold=3")}
    assert sn.check(profile, source, hold_out={"fold": 2}).leaks == ()


def test_a_test_set_that_was_measured_is_found(clips: Path) -> None:
    """Without groups: any sound of the source that the profile measured is a leak."""
    profile = sn.fit(sn.open_source(clips).select(label="low"), FRONT_END)
    found = sn.check(profile, clips)
    assert len(found.leaks) == 20
    assert all(twins.clips[0].startswith("low/") for twins in found.leaks)
    assert sn.check(profile, sn.open_source(clips).without(label="low")).leaks == ()


def test_the_fold_of_a_profile_that_never_had_it_is_checked_against_all_of_it(folds: Path) -> None:
    """Fitted without fold 1, no leak; fitted on all without groups, ten."""
    without = sn.fit(sn.open_source(folds).without(fold=1), FRONT_END)
    assert without.left_out == ("fold=1",)
    assert sn.check(without, folds, hold_out={"fold": 1}).leaks == ()
    everything = sn.fit(folds, FRONT_END, group_by=[])
    assert len(sn.check(everything, folds, hold_out={"fold": 1}).leaks) == 10


def test_silent_clips_are_no_leak(clips: Path) -> None:
    """All silence of one length is equal, which says nothing; an unreadable clip is listed."""
    for name in ("100", "101", "102"):
        soundfile.write(clips / f"{name}.wav", np.zeros(4_000), 8_000)
    (clips / "201.wav").write_bytes(b"no audio")
    source = table(clips)
    found = sn.check(sn.fit(source, FRONT_END, max_bad=0.1), source, hold_out={"fold": 1}, max_bad=0.5)
    assert (found.leaks, found.duplicates, found.flat) == ((), (), 1)
    assert [bad.path for bad in found.bad] == ["201.wav"]


def test_the_command_line_says_it_with_its_exit_code(clips: Path) -> None:
    """0 without a leak, 1 with one, 2 for a column that does not exist; JSON names everything."""
    runner, source = CliRunner(), table(clips)
    profile = clips / "profile.safetensors"
    sn.fit(source, FRONT_END, output=profile)
    arguments = ["check", str(profile), str(source), "--hold-out"]
    assert runner.invoke(app, [*arguments, "fold=1"]).exit_code == 0
    assert runner.invoke(app, [*arguments, "fold=9"]).exit_code == 2
    shutil.copy(clips / "low" / "001.wav", clips / "low" / "copy.wav")
    sn.fit(table(clips), FRONT_END, output=profile)
    result = runner.invoke(app, [*arguments, "fold=1", "--json"])
    assert result.exit_code == 1
    plain = json.loads(result.stdout)
    assert plain["leaks"] == [{"clips": ["low/001.wav", "low/copy.wav"], "groups": ["fold=3"]}]
    pipeline = clips / "pipeline.safetensors"
    sn.Pipeline(FRONT_END, sn.Standardize().fit(sn.Profile.load(profile))).save(pipeline)
    assert runner.invoke(app, ["check", str(pipeline), str(source)]).exit_code == 2


def test_a_pipeline_says_what_it_was_fitted_on_and_without(folds: Path, tmp_path: Path) -> None:
    """Groups, what was left out, and a fingerprint of the very sounds survive saving."""
    profile = sn.fit(folds, FRONT_END)
    fitted = {fold: sn.Standardize().fit(profile.without(fold=fold)).fitted_on for fold in (0, 1)}
    assert fitted[1].left_out == ("fold=1",)
    assert fitted[1].groups == ("fold=0", "fold=2", "fold=3")
    assert len({on.data for on in fitted.values()}) == 2
    pipeline = sn.Pipeline(FRONT_END, sn.Standardize().fit(profile.without(fold=1)))
    pipeline.save(tmp_path / "pipeline")
    assert sn.Pipeline.load(tmp_path / "pipeline").normalizer.fitted_on == fitted[1]


def test_more_than_one_value_can_be_held_out(folds: Path, tmp_path: Path) -> None:
    """A saved profile remembers what was left out of it."""
    profile = sn.fit(folds, FRONT_END).without(fold=1).without(fold=2)
    profile.save(tmp_path / "profile")
    assert sn.Profile.load(tmp_path / "profile").left_out == ("fold=1", "fold=2")


def test_write_clips_are_all_different(tmp_path: Path) -> None:
    """What the tests above rest on."""
    write_clips(tmp_path, 8)
    assert len({path.read_bytes() for path in tmp_path.rglob("*.wav")}) == 8
