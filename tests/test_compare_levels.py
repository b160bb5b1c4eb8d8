"""Comparisons of files of levels and of stacks of channels: the experiment of audio, on what is there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.cli.app import app
from spectronorm.features import open_features

torch = pytest.importorskip("torch")
from spectronorm.augment import SpecAugment  # noqa: E402
from spectronorm.experiment import Design, Training, labelled_clips, parse_arms, prepare  # noqa: E402
from spectronorm.experiment.arms.arm import Arm  # noqa: E402
from spectronorm.experiment.results import SETTINGS  # noqa: E402
from spectronorm.experiment.running.prepare import arm_inputs  # noqa: E402

RATE = 8_000
FRONT_END = sn.FrontEnd(RATE, stft=sn.STFT(n_fft=256, hop_length=80), bands=sn.Mel(12))
LEVELS = sn.Levels(12, "dB", -200, 200, frame_rate=RATE / 80, made_by="a test")
QUICK = ["--seeds", "1", "--epochs", "1", "--folds", "2", "--hold-out", "1", "--arms", "none,band", "--json"]


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    """Two classes of recordings of two channels, in unequal lengths."""
    rng = np.random.default_rng(0)
    for label, gain in (("low", 0.01), ("high", 0.1)):
        (tmp_path / "sounds" / label).mkdir(parents=True)
        for number in range(10):
            wave = gain * rng.standard_normal((3_000 + 200 * number, 2))
            soundfile.write(tmp_path / "sounds" / label / f"{number}.wav", wave, RATE, subtype="FLOAT")
    return tmp_path / "sounds"


@pytest.fixture
def features(sounds: Path, tmp_path: Path) -> Path:
    """The levels of these recordings, as files."""
    for path in sounds.rglob("*.wav"):
        out = tmp_path / "features" / path.parent.name / f"{path.stem}.npy"
        out.parent.mkdir(parents=True, exist_ok=True)
        np.save(out, FRONT_END.clip_level(sn.read(path, RATE)).astype(np.float32))
    (tmp_path / "levels.json").write_text(LEVELS.to_json())
    return tmp_path / "features"


def prepared(source: sn.audio.Source, arms: Any, folder: Path, **settings: Any) -> Any:
    """A comparison that is ready to begin."""
    design = Design(arms, Training("tiny", 1, 4), 1, **settings)
    return prepare(labelled_clips(source, folds=2), design, folder)


def test_files_of_levels_are_the_inputs_that_audio_gives(sounds: Path, features: Path, tmp_path: Path) -> None:
    """One length for all, the median; short clips are repeated; statistics without the held-out fold."""
    arms = parse_arms("none,band,clip", LEVELS)
    ready = prepared(open_features(features), arms, tmp_path / "run")
    x = ready.waves.levels(LEVELS)
    assert x.shape[:2] == (20, 12)
    lengths = [np.load(clip.path).shape[1] for clip in ready.clips.source]
    assert x.shape[2] == round(float(np.median(lengths)))
    for index, clip in enumerate(ready.clips.source):
        there = np.load(clip.path)
        assert np.array_equal(x[index, :, : there.shape[1]], there[:, : x.shape[2]])
        assert np.array_equal(x[index], there[:, np.arange(x.shape[2]) % there.shape[1]])
    (fold, *_) = ready.clips.held_out
    fitted = ready.normalizer(arms[1], fold)
    training = [np.load(ready.clips.source.clips[i].path)[:, : x.shape[2]] for i in ready.clips.train_clips(fold)]
    mean = np.concatenate(training, axis=1).mean(axis=1)
    assert np.abs(fitted.affine.shift[:, 0] - mean).max() < 1e-4


def test_the_command_compares_files_of_levels(features: Path, tmp_path: Path) -> None:
    """`compare --levels` trains, answers and resumes; the default arms leave out what needs audio."""
    command = ["compare", str(features), "--levels", str(tmp_path / "levels.json"), "-o", str(tmp_path / "run"), *QUICK]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["answer"]
    assert CliRunner().invoke(app, command).exit_code == 0
    settings = json.loads((tmp_path / "run" / SETTINGS).read_text())
    assert settings["arms"][0]["front_end"]["levels"]["made_by"] == "a test"


def test_a_stack_goes_into_the_model_as_channels(sounds: Path, tmp_path: Path) -> None:
    """Inputs are `(clip, channel, band, frame)`, normalized per channel and band, and the model has two channels."""
    front_end = replace(FRONT_END, channels="stack:2")
    arms = parse_arms("none,band", front_end)
    ready = prepared(sn.open_source(sounds), arms, tmp_path / "run")
    inputs = arm_inputs(ready, arms[1], ready.clips.held_out[0])
    x = inputs.evaluated(np.arange(4))
    assert x.shape[:3] == (4, 2, 12)
    first = ready.clips.source.clips[0]
    wave = sn.read(first.path, RATE, channels="stack")
    there = front_end(wave.astype(np.float64))
    count = min(there.shape[-1], x.shape[-1]) - 4  # the last frames of a cropped clip see its end
    assert np.abs(ready.waves.levels(front_end)[0][..., 4:count] - there[..., 4:count]).max() < 1e-3
    command = [
        "compare",
        str(sounds),
        "--channels",
        "stack",
        "--sample-rate",
        "8000",
        "--n-fft",
        "256",
        "--n-mels",
        "12",
    ]
    done = CliRunner().invoke(app, [*command, "-o", str(tmp_path / "stereo"), *QUICK])
    assert done.exit_code == 0, done.output


def test_what_needs_waves_or_one_channel_is_refused(sounds: Path, features: Path, tmp_path: Path) -> None:
    """Simulated devices, augmentations of waves, other front ends, a duration without frame rate: one sentence each."""
    opened = open_features(features)
    plain = parse_arms("none,band", LEVELS)
    with pytest.raises(sn.errors.ArgumentError, match="made elsewhere"):
        prepared(opened, plain, tmp_path / "a", train_on="muffle")
    with pytest.raises(sn.errors.ArgumentError, match="made elsewhere"):
        parse_arms("none,pcen", LEVELS)
    (tmp_path / "arms.toml").write_text(
        '[[arm]]\nname = "a"\nnormalize = "none"\n[[arm]]\nname = "b"\nbands = {kind = "mel", n_mels = 8}\n'
    )
    with pytest.raises(sn.errors.ArgumentError, match="bands"):
        parse_arms(str(tmp_path / "arms.toml"), LEVELS)
    with pytest.raises(sn.errors.ArgumentError, match="frame_rate"):
        design = Design(parse_arms("none,band", replace(LEVELS, frame_rate=None)), Training("tiny", 1, 4), 1)
        prepare(labelled_clips(opened, folds=2), design, tmp_path / "b", duration=0.2)
    stack = replace(FRONT_END, channels="stack:2")
    arms = (
        Arm("none", stack, sn.normalize.Unchanged(), (SpecAugment(),)),
        Arm("band", stack, sn.Standardize(per="band")),
    )
    with pytest.raises(sn.errors.ArgumentError, match="each channel by itself"):
        prepared(sn.open_source(sounds), arms, tmp_path / "c")
