"""Figures of the explorer: statistics under a higher floor, oddness, and settings that can be taken along."""

from __future__ import annotations

import shlex
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

import spectronorm as sn
from explore.cases import collection, measured, options, tones
from spectronorm.audio import ClipReference, Windows, open_source
from spectronorm.cli.app import app
from spectronorm.explore.clip_view import TimeAxis
from spectronorm.explore.collection import Collection, Explored
from spectronorm.explore.distance import Usual
from spectronorm.explore.raised_floor import LevelCounts
from spectronorm.explore.settings import Places, Settings, as_code, export, with_floor
from spectronorm.features import open_for
from spectronorm.front_end import PRESETS

FRONT_ENDS = {
    "decibel": sn.FrontEnd(16_000, bands=sn.Mel(16)),
    "ln": sn.FrontEnd(16_000, bands=sn.Mel(16), compress=sn.Ln(offset=1e-9)),
    "clamped ln": sn.FrontEnd(16_000, bands=sn.Mel(16), compress=sn.Ln(offset=0.0, amin=1e-9)),
    "log10": sn.FrontEnd(16_000, bands=sn.Mel(16), compress=sn.compress.Log10(amin=1e-9)),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tones(tmp_path / "tones")
    (found / "low" / "broken.wav").unlink()
    return found


@pytest.mark.parametrize("exclude_floor", [False, True])
@pytest.mark.parametrize("floor", [-200.0, -70.0, -55.3, -40.0, 10.0])
def test_a_raised_floor_is_what_a_new_measurement_finds(noise_folder: Path, floor: float, exclude_floor: bool) -> None:
    """Mean and deviation under a higher floor are those of a fit with that floor, to a thousandth of a dB."""
    front_end = FRONT_ENDS["decibel"]
    profile = sn.fit(noise_folder, front_end)
    raised = front_end if floor < front_end.floor else with_floor(front_end, floor)
    assert raised is not None
    truth = sn.fit(noise_folder, raised)
    truth = truth.excluding_floor() if exclude_floor else truth
    for pooled in (False, True):
        found = LevelCounts.of(profile, pooled=pooled).raised(floor, exclude_floor=exclude_floor)
        wanted = truth.overall if pooled else truth.band
        np.testing.assert_allclose(found.mean, np.atleast_1d(wanted.mean), atol=2e-3)
        np.testing.assert_allclose(found.std, np.atleast_1d(wanted.std), atol=4e-3)
        np.testing.assert_allclose(found.floor_share, np.atleast_1d(wanted.floor_share), atol=2e-3)
        np.testing.assert_allclose(found.max, np.atleast_1d(wanted.max), atol=1e-4)


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_the_own_floor_changes_no_bit(folder: Path, name: str) -> None:
    """At the profile's own floor, and below, the figures are the profile's own."""
    front_end = FRONT_ENDS[name]
    profile = sn.fit(folder, front_end)
    for floor in (front_end.floor, front_end.floor - 5):
        found = LevelCounts.of(profile).raised(floor)
        assert np.array_equal(found.mean, profile.band.mean)
        assert np.array_equal(found.std, profile.band.std)
        assert np.array_equal(found.floor_share, profile.band.floor_share)


def test_leaving_the_floor_out_is_exact(tmp_path: Path, write: object) -> None:
    """Half of a clip is silent: without the floor its figures are those of `excluding_floor`."""
    rng = np.random.default_rng(0)
    write("a/half.wav", np.r_[np.zeros(8000), 0.1 * rng.standard_normal(8000)])  # type: ignore[operator]
    profile = sn.fit(tmp_path / "a", FRONT_ENDS["decibel"])
    found = LevelCounts.of(profile).raised(-1000, exclude_floor=True)
    truth = profile.excluding_floor().band
    np.testing.assert_allclose(found.mean, truth.mean, atol=1e-9)
    np.testing.assert_allclose(found.std, truth.std, atol=1e-9)


def test_a_clip_like_the_others_is_near(folder: Path) -> None:
    """Clips drawn from one distribution lie at a distance of about one deviation; a far one is told with its band."""
    profile = sn.fit(folder, FRONT_ENDS["decibel"])
    rng = np.random.default_rng(0)
    means = -50 + 3 * rng.standard_normal((400, 16))
    usual = Usual.of_clips(means.astype(np.float32))
    distances = [usual.oddness(one).distance for one in means]
    assert 0.95 < np.sqrt(np.mean(np.square(distances))) < 1.05
    far = np.full(16, -50.0)
    far[5] -= 30
    odd = usual.oddness(far)
    assert (odd.band, round(odd.deviation)) == (5, -10)
    assert Usual.of_profile(profile).oddness(profile.band.mean).distance == 0


@pytest.mark.parametrize(
    ("stft", "first"),
    [
        (sn.STFT(400, hop_length=100), 0.0),
        (sn.STFT(400, hop_length=100, center=False), 200.0),
        (sn.STFT(512, win_length=400, hop_length=100, center=False, frame_by="win_length"), 200.0),
        (sn.STFT(400, hop_length=100, frame_count="hop"), 50.0),
    ],
)
def test_frames_lie_at_the_time_of_their_sound(stft: sn.STFT, first: float) -> None:
    """A click is loudest in the frame whose centre is nearest to it."""
    front_end = sn.FrontEnd(8000, stft=stft)
    axis = TimeAxis.of(front_end)
    assert axis.first == first / 8000
    wave = np.zeros(8000)
    wave[4020] = 1.0
    loudest = int(np.argmax(front_end(wave).sum(axis=0)))
    assert axis.step is not None
    assert abs(axis.first + loudest * axis.step - 4020 / 8000) <= axis.step / 2 + 1e-9


@pytest.mark.parametrize("name", PRESETS)
def test_a_front_end_is_written_as_code_and_as_options(name: str) -> None:
    """The expression gives the same front end, and so do the options of `fit`."""
    front_end = sn.preset(name)
    assert eval(as_code(front_end), {"sn": sn}) == front_end  # noqa: S307
    words = shlex.join(options(front_end))
    assert "--" in words or front_end == sn.FrontEnd()


@pytest.mark.parametrize("name", ["fastaudio", "whisper", "kaldi", "hifigan"])
def test_the_options_measure_with_the_front_end(folder: Path, tmp_path: Path, name: str) -> None:
    """`fit` with the written options makes a profile of that front end."""
    front_end = replace(sn.preset(name), sample_rate=16_000)
    output = tmp_path / "profile.safetensors"
    run = CliRunner().invoke(app, ["fit", str(folder), "-o", str(output), *options(front_end)])
    assert run.exit_code == 0, run.output
    assert sn.Profile.load(output).front_end == front_end


@pytest.mark.parametrize(("name", "floor"), [("decibel", -60.0), ("ln", -10.0), ("clamped ln", -15.0), ("log10", -6.5)])
def test_a_floor_becomes_a_setting(name: str, floor: float) -> None:
    """The front end with the floor gives the levels that the page shows."""
    front_end = FRONT_ENDS[name]
    raised = with_floor(front_end, floor)
    assert raised is not None
    wave = 0.01 * np.random.default_rng(0).standard_normal(8000)
    np.testing.assert_allclose(raised(wave), np.maximum(front_end(wave), floor), atol=1e-9)


def test_a_floor_that_is_no_setting_is_said() -> None:
    """A compression without such a setting keeps its floor, and the remark says so."""
    root = sn.FrontEnd(16_000, bands=sn.Mel(16), compress=sn.compress.Root())
    found = export(root, Settings("band", 0.5), Places("sounds", None, ClipReference("a.wav", "a.wav")), options)
    assert found.remark is not None
    assert "root has no setting for a floor of 0.5" in found.remark
    with pytest.raises(sn.errors.ArgumentError, match="below -100"):
        with_floor(FRONT_ENDS["decibel"], -120)


def test_the_settings_run_as_they_stand(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program and the commands make one normalization, of the floor and the names that were chosen."""
    found = collection(folder, FRONT_ENDS["decibel"]).settings(3, Settings("band", -60.0, exclude_floor=True), None)
    names: dict[str, object] = {}
    exec(found.python, names)  # noqa: S102
    monkeypatch.chdir(tmp_path)
    for command in found.commands.splitlines():
        words = shlex.split(command)
        assert words[0] == "spectronorm"
        run = CliRunner().invoke(app, words[1:])
        assert run.exit_code == 0, run.output
    written = np.load(tmp_path / "normalized" / "low" / "3.npy")
    np.testing.assert_allclose(written, names["x"], atol=1e-5)


@pytest.mark.parametrize("kind", ["archive", "windows", "windows of an archive", "each channel"])
def test_the_program_reads_any_clip(tmp_path: Path, kind: str) -> None:
    """A member of an archive, a window and a channel are read by the program as the page shows them."""
    rng = np.random.default_rng(0)
    for number in range(3):
        soundfile.write(tmp_path / f"{number}.wav", 0.1 * rng.standard_normal((16_000, 2)), 16_000)
    place = tmp_path / "all.zip"
    with zipfile.ZipFile(place, "w") as file:
        for number in range(3):
            file.write(tmp_path / f"{number}.wav", f"in/{number}.wav")
    (tmp_path / "plain").mkdir()
    for number in range(3):
        (tmp_path / f"{number}.wav").rename(tmp_path / "plain" / f"{number}.wav")
    source = place if "archive" in kind else tmp_path / "plain"
    front_end = replace(FRONT_ENDS["decibel"], channels="each") if kind == "each channel" else FRONT_ENDS["decibel"]
    windows = Windows(0.25, 0.125) if "windows" in kind else None
    opened = open_source(source) if windows is None else windows.cut(open_source(source))
    clips = open_for(opened, front_end)
    found = Collection(Explored(str(source), clips, front_end, {}, options, windows))
    names: dict[str, object] = {}
    exec(found.settings(3 if len(clips) > 3 else 1, Settings("none"), None).python, names)  # noqa: S102
    shown = found._view(3 if len(clips) > 3 else 1)
    np.testing.assert_array_equal(names["wave"], shown.samples)
    np.testing.assert_allclose(names["x"], shown.level, atol=1e-5)


def test_a_profile_of_cropped_clips_measures_cropped_clips(folder: Path) -> None:
    """The source is measured with the profile's duration, so that both can be compared."""
    profile = sn.fit(folder, FRONT_ENDS["decibel"], duration=0.2)
    with measured(collection(folder, FRONT_ENDS["decibel"], {"p": profile})) as found:
        assert found.listener.profile is not None
        assert found.listener.profile.total == profile.total
        assert found.listener.profile.duration == 0.2


def test_odd_names_are_quoted_in_the_settings() -> None:
    """No name leaves its quotes, in Python or in the shell, and marks of direction are escaped in both."""
    places = Places("a'; rm -rf ~ #\n\u202e", None, ClipReference("a", '"); import os\n'))
    found = export(sn.FrontEnd(), Settings("none"), places, options)
    for text in (found.python, found.commands):
        assert "\u202e" not in text
    compile(found.python, "settings", "exec")
    assert found.python.count("\n") == 7
    assert found.commands.count("\n") == 2
    assert r"$'a\x27; rm -rf ~ #\x0a\xe2\x80\xae'" in found.commands
