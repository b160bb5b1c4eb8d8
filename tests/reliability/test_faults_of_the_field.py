"""Faults that users met elsewhere: wrong remedies, empty batches, held-out clips, pictures that were edited."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import spectronorm as sn
from spectronorm.errors import ArgumentError, ShapeError
from spectronorm.front_end.compress import COMPRESSIONS
from spectronorm.front_end.waveform import WAVEFORM_LEVELS

from .bad_inputs import tone
from .command_line import run
from .test_nothing_vanishes import clips

RATE = 8_000
FRONT_END = sn.FrontEnd(RATE, stft=sn.STFT(n_fft=256), bands=sn.Mel(16))
SLOTS = [
    *(pytest.param({"level": cls()}, id=name) for name, cls in WAVEFORM_LEVELS.classes().items()),
    *(pytest.param({"compress": cls()}, id=name) for name, cls in COMPRESSIONS.classes().items()),
]


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("axes", [(0,), (0, 2), (3, 0)])
@pytest.mark.parametrize("lengths", [False, True])
def test_an_empty_batch_has_a_gradient(slot: dict[str, object], axes: tuple[int, ...], lengths: bool) -> None:
    """A batch of no clips gives no spectrograms and a gradient of its own shape, for every front end."""
    torch = pytest.importorskip("torch")
    from spectronorm.nn import Preprocess  # noqa: PLC0415

    front_end = sn.FrontEnd(RATE, stft=sn.STFT(n_fft=256), bands=sn.Mel(16), **slot)  # type: ignore[arg-type]
    module = Preprocess(sn.Pipeline(front_end, sn.Fixed(0.0, 1.0).for_front_end(front_end)))
    wave = torch.zeros(*axes, RATE, requires_grad=True)
    result = module(wave, *([torch.zeros(axes, dtype=torch.int64)] if lengths else []))
    assert result.shape == (*axes, 16, front_end.frames(RATE))
    result.sum().backward()
    assert wave.grad.shape == wave.shape


def test_a_remedy_fits_what_was_given() -> None:
    """Integers for a wave are to be divided, for a level to be converted."""
    with pytest.raises(ShapeError, match="divide 16-bit integers by 32768"):
        FRONT_END(np.zeros(RATE, np.int16))
    with pytest.raises(ShapeError, match="convert it to float32") as caught:
        sn.Fixed(0.0, 1.0).for_front_end(FRONT_END)(np.zeros((16, 5), np.int16))
    assert "32768" not in str(caught.value)


@pytest.mark.parametrize("rate", [None, 0, -5, "x", 1e30, float("nan")])
def test_a_rate_that_is_none_is_named(rate: object, tmp_path: Path) -> None:
    """Reading says which numbers are sample rates."""
    clips(tmp_path, "a.wav")
    with pytest.raises(ArgumentError, match="sample_rate=.* must be a whole number of Hz"):
        sn.read(tmp_path / "a.wav", rate)  # type: ignore[arg-type]


def test_a_path_of_windows_is_missing_under_the_name_that_was_tried(tmp_path: Path) -> None:
    """Backslashes of a table are separators there; the reason names the path that was looked for."""
    clips(tmp_path, "a/0.wav")
    (tmp_path / "t.csv").write_text("path\na\\0.wav\na\\1.wav\n")
    with pytest.raises(sn.errors.TooManyBad) as caught:
        sn.fit(tmp_path / "t.csv", FRONT_END)
    assert "1.wav: missing" in str(caught.value)


@pytest.fixture
def held_out(tmp_path: Path) -> Path:
    """A table with folds, and a profile that was fitted without one of them."""
    names = [f"{number}.wav" for number in range(32)]
    for number, name in enumerate(names):
        soundfile.write(tmp_path / name, tone(0.5, RATE, seed=number), RATE)
    rows = "".join(f"{name},{number % 4}\n" for number, name in enumerate(names))
    (tmp_path / "t.csv").write_text(f"path,fold\n{rows}")
    source = sn.open_source(tmp_path / "t.csv").without(fold=1)
    sn.fit(source, FRONT_END).save(tmp_path / "p.st")
    return tmp_path


@pytest.mark.parametrize("more", [[], ["--hold-out", "fold=1"]])
def test_training_clips_of_a_profile_without_a_fold(more: list[str], held_out: Path) -> None:
    """A watch calibrates by the clips that were measured: those left out of the profile are left out again."""
    line = ["watch", str(held_out / "t.csv"), "-p", str(held_out / "p.st"), "--once", "--window", "8"]
    done = run([*line, "--training", str(held_out / "t.csv"), *more])
    assert done.exit_code in (0, 3), done.output


def test_a_window_of_any_allowed_size_is_watched(held_out: Path) -> None:
    """However few the training clips are, and the clips that have come."""
    done = run(["watch", str(held_out / "t.csv"), "-p", str(held_out / "p.st"), "--once", "--window", "4096"])
    assert not done.complaint, done.complaint
    assert done.exit_code in (0, 3), done.output


def test_an_update_says_how_far_the_levels_moved(held_out: Path) -> None:
    """All clips 20 dB quieter: the diagnosis is a change of level, and it says the decibels."""
    quiet = held_out / "quiet"
    quiet.mkdir()
    for number in range(32):
        soundfile.write(quiet / f"{number}.wav", 0.1 * tone(0.5, RATE, seed=number), RATE, subtype="FLOAT")
    line = ["update", str(held_out / "p.st"), str(quiet), "-o", str(held_out / "u.st"), "--json"]
    done = run([*line, "--training", str(held_out / "t.csv")])
    assert done.exit_code == 0, done.output
    record = json.loads(next(text for text in done.output.splitlines() if text.startswith("{")))
    assert "Nothing to do" not in record["why"]
    assert max(record["shift"]) < -10


def test_profiles_are_explained_as_what_they_are(held_out: Path) -> None:
    """Two profiles of one front end are not called equal: their statistics are not compared, and that is said."""
    shutil.copy(held_out / "p.st", held_out / "q.st")
    done = run(["explain", str(held_out / "p.st"), str(held_out / "q.st")])
    assert "not compared" in done.output


def test_a_picture_that_was_edited_is_decoded_when_told_so(tmp_path: Path) -> None:
    """The file with other pixels is refused; the header of the original decodes them, as the page says."""
    image = pytest.importorskip("PIL.Image")
    level = np.linspace(-80.0, 0.0, 16 * 8).reshape(16, 8)
    codec = sn.images.ImageCodec(FRONT_END, sn.images.LevelRange(np.array([-80.0]), np.array([0.0]), "fixed"))
    (tmp_path / "original.png").write_bytes(codec.encode(level))
    drawn = np.array(image.open(tmp_path / "original.png"))
    drawn[:, 3] = 0  # dark is loud
    image.fromarray(drawn).save(tmp_path / "edited.png")
    with pytest.raises(sn.errors.FileFormatError):
        sn.images.decode(tmp_path / "edited.png")
    header = sn.images.decode(tmp_path / "original.png").header
    again = sn.images.ImageCodec(header.front_end, header.level_range, header.layout)
    edited = again.decode(np.array(image.open(tmp_path / "edited.png")))
    np.testing.assert_allclose(np.delete(edited, 3, axis=1), np.delete(level, 3, axis=1), atol=0.2)
    assert (edited[:, 3] == 0.0).all()


SCRIPT = """
import spectronorm as sn
sn.fit("{folder}", engine=sn.engines.DaskEngine(workers=1))
"""


def test_a_cluster_in_a_script_without_a_guard_is_one_error(tmp_path: Path) -> None:
    """It names the guard; no process is left to try again."""
    pytest.importorskip("distributed")
    clips(tmp_path / "in", "a.wav")
    (tmp_path / "script.py").write_text(SCRIPT.format(folder=tmp_path / "in"))
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, timeout=120, check=False)
    assert done.returncode == 1
    last = done.stderr.decode().strip().splitlines()[-1]
    assert last.startswith("spectronorm.errors.EngineError")
    assert '`if __name__ == "__main__":`' in last
