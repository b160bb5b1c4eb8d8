"""Near copies: each way of copying is found with its gain and lag, and different sounds are not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from benchmarks.copied import COPIES
from typer.testing import CliRunner

import spectronorm as sn
from conftest import Write
from spectronorm.cleaning.fingerprint import MOST_WORDS, Fingerprint, FingerprintSums
from spectronorm.cleaning.same_sound import likeness
from spectronorm.cleaning.word_index import shared_words
from spectronorm.cli.app import app

RATE, COUNT = 22_050, 12


def wave(number: int, seconds: float = 1.5) -> np.ndarray:
    """Noise whose colour and loudness change all the time."""
    rng = np.random.default_rng(number)
    noise = rng.standard_normal((2, round(seconds * RATE)))
    colour = np.stack([noise[0], np.convolve(noise[1], np.ones(8) / 3, "same")])
    t = np.arange(noise.shape[1]) / RATE
    mix = 0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(1, 4) * t + rng.uniform(0, 6))
    return 0.1 * (mix * colour[0] + (1 - mix) * colour[1]) * (1.1 + np.sin(2 * np.pi * rng.uniform(0.5, 2) * t))


@pytest.fixture
def sounds(write: Write, tmp_path: Path) -> Path:
    """A folder of twelve different sounds."""
    for number in range(COUNT):
        write(f"sounds/{number:02d}.wav", wave(number), RATE)
    return tmp_path / "sounds"


def test_different_sounds_are_no_copies(sounds: Path) -> None:
    """No pair among sounds that share nothing."""
    assert sn.cleaning.inspect(sounds, kinds=["near-copy"]).near_copies == ()


@pytest.mark.parametrize("kind", COPIES)
def test_a_near_copy_is_found_beside_its_original(sounds: Path, write: Write, kind: str) -> None:
    """Of the two, the first by name stays, and the other one is named with its original; no other clip is."""
    if kind.startswith("MP3") and "MP3" not in soundfile.available_formats():
        pytest.skip("this libsndfile writes no MP3")
    write("sounds/a copy.wav", *COPIES[kind](wave(5), RATE))
    found = sn.cleaning.inspect(sounds, kinds=["near-copy"])
    assert [(one.clip, one.like) for one in found.found] == [("a copy.wav", "05.wav")]
    assert found.near_copies[0].likeness.correlation > 0.9
    assert len(found.clean) == COUNT


def test_three_copies_leave_one_clip(sounds: Path, write: Write) -> None:
    """A copy of a copy belongs to the group of the first one."""
    write("sounds/x.wav", 0.5 * wave(3), RATE)
    write("sounds/y.wav", 0.25 * wave(3)[2000:], RATE)
    found = sn.cleaning.inspect(sounds, kinds=["near-copy"])
    assert set(found.odd) == {"x.wav", "y.wav"}


def test_windows_of_one_recording_are_no_copies(tmp_path: Path) -> None:
    """Windows overlap, which is meant; the windows of a copied recording are found."""
    soundfile.write(tmp_path / "long.wav", wave(0, 6), RATE)
    source = sn.audio.Windows(2, overlap=1).cut(sn.open_source(tmp_path))
    assert sn.cleaning.inspect(source, kinds=["near-copy"]).near_copies == ()
    soundfile.write(tmp_path / "other.wav", 0.5 * wave(0, 6), RATE)
    source = sn.audio.Windows(2, overlap=1).cut(sn.open_source(tmp_path))
    found = sn.cleaning.inspect(source, kinds=["near-copy"])
    assert all(one.clip.startswith("other/") for one in found.found)
    assert len(found.odd) == len(source) // 2


@pytest.mark.parametrize("lag", [0.1, -0.25, 0.0123])
def test_gain_and_lag_are_measured(tmp_path: Path, lag: float) -> None:
    """A delay is recovered within a tenth of a millisecond, a gain within a tenth of a decibel."""
    samples = round(lag * RATE)
    original = wave(1, 3)
    late = np.concatenate([np.zeros(max(0, samples)), original[max(0, -samples) :]])
    soundfile.write(tmp_path / "a.wav", original, RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "b.wav", 0.5 * late, RATE, subtype="FLOAT")
    first, second = sn.open_source(tmp_path).clips
    found = likeness(sn.audio.Reader(), (first, 3.0), (second, len(late) / RATE), lag + 0.004)
    assert found is not None
    assert found.correlation > 0.99
    assert found.lag == pytest.approx(samples / RATE, abs=1e-4)
    assert found.gain_db == pytest.approx(-6.02, abs=0.1)


def test_words_at_one_offset_make_a_pair() -> None:
    """Recordings with two words at one offset pair up; words at different offsets, or one alone, do not."""

    def fingerprint(words: list[int], frames: list[int]) -> Fingerprint:
        return Fingerprint(np.array(words, np.uint32), np.array(frames, np.int32))

    some = [
        fingerprint([7, 8, 9], [0, 10, 20]),
        fingerprint([7, 8, 1], [5, 15, 30]),
        fingerprint([7, 9, 2], [50, 0, 1]),
        fingerprint([3], [0]),
    ]
    (found,) = shared_words(some)
    assert (found.first, found.second, found.offset, found.votes) == (0, 1, 5, 2)
    assert shared_words([]) == []


def test_a_fingerprint_in_blocks_is_that_of_the_whole() -> None:
    """Blocks change a few frames at their borders, and keep the time of all others."""
    samples = wave(2, 4).astype(np.float32)
    whole, parts = FingerprintSums(RATE), FingerprintSums(RATE)
    whole.add(samples)
    for begin in range(0, len(samples), 30_000):
        parts.add(samples[begin : begin + 30_000])
    one, other = whole.fingerprint(), parts.fingerprint()
    assert len(one.words) <= MOST_WORDS
    (shared,) = shared_words([one, other])
    assert abs(shared.offset) <= 1
    assert shared.votes > 0.3 * len(one.words)


def test_silence_has_no_words() -> None:
    """Nothing is alike about two silences."""
    sums = FingerprintSums(RATE)
    sums.add(np.zeros(RATE, np.float32))
    assert len(sums.fingerprint().words) == 0


@pytest.fixture
def split(sounds: Path, write: Write) -> Path:
    """A table with two folds, of which the second holds a quieter, later copy of a clip of the first."""
    write("sounds/late.wav", np.concatenate([np.zeros(500), 0.3 * wave(2)]), RATE)
    rows = [f"{number:02d}.wav,{1 + number % 2}" for number in range(COUNT)]
    (sounds / "split.csv").write_text("\n".join(["path,fold", *rows, "late.wav,2"]) + "\n")
    return sounds / "split.csv"


def test_a_near_copy_on_the_other_side_is_a_leak(split: Path) -> None:
    """The pair names the training clip first; with both copies on one side there is no leak."""
    source = sn.open_source(split)
    (leak,) = sn.cleaning.near_leaks(source.select(fold=2), source.without(fold=2))
    assert (leak.first, leak.second) == ("02.wav", "late.wav")
    assert leak.likeness.lag == pytest.approx(500 / RATE, abs=1e-3)
    one_side = [clip for clip in source if clip.name not in ("02.wav", "late.wav")]
    both = [clip for clip in source if clip.name in ("02.wav", "late.wav")]
    assert sn.cleaning.near_leaks(sn.audio.Source.of(both), sn.audio.Source.of(one_side)) == ()


def test_check_compares_both_sides(split: Path, tmp_path: Path) -> None:
    """`--near` finds the copy that digests cannot, exits with 1, and needs a side to compare with."""
    run = CliRunner().invoke
    profile = str(tmp_path / "profile.safetensors")
    front_end = sn.FrontEnd(RATE)
    sn.fit(split, front_end).save(profile)
    plain = run(app, ["check", profile, str(split), "--hold-out", "fold=2"])
    assert plain.exit_code == 0
    told = run(app, ["check", profile, str(split), "--hold-out", "fold=2", "--near"])
    assert told.exit_code == 1
    assert "1 held-out clip holds the sound of a training clip" in told.stdout
    assert "late.wav: like 02.wav, correlation" in told.stdout
    single = split.parent / "late.wav"
    found = json.loads(run(app, ["check", profile, str(single), "--near-to", str(split), "--json"]).stdout)
    assert {pair["training"] for pair in found["near"]} == {"02.wav", "late.wav"}
    refused = run(app, ["check", profile, str(split), "--near"])
    assert refused.exit_code == 2
    assert "add --hold-out, or --near-to TRAIN" in refused.stderr
