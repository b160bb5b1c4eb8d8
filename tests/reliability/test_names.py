"""Names of any bytes, in files, folders and labels: outputs are complete, and no terminal obeys them."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from copy import copy, deepcopy
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.audio.places.names import listed_names
from spectronorm.cli.app import app
from spectronorm.printable import printable

from .bad_inputs import tone

FRONT_END = ["--sample-rate", "8000", "--n-fft", "256", "--n-mels", "20"]
NAMES = {
    "escape": b"x\x1b[31m\x1b]0;pwned\x07",
    "direction": "abc\u202egpj\u2066".encode(),
    "newline": b"two\nlines\r",
    "not UTF-8": b"caf\xe9\xff",
    "markup": b"[red]a[",
    "formula": b"a$^$ $\\frac{$",
    "C1": "a\x9bb\u0085c".encode(),
    "emoji and NFD": "e\u0301 \U0001f600 :smile:".encode(),
}
Command = Callable[[Path], Sequence[object]]
COMMANDS: dict[str, Command] = {
    "fit": lambda w: ["fit", w / "src", "-o", w / "q.st", "--group-by", "label", "--max-bad", "30%", *FRONT_END],
    "fit, too many bad": lambda w: ["fit", w / "src", "-o", w / "q.st", "--max-bad", "0", *FRONT_END],
    "fit, unknown group": lambda w: ["fit", w / "src", "-o", w / "q.st", "--group-by", "\x1b[31m", *FRONT_END],
    "show": lambda w: ["show", w / "p.st"],
    "show --hold-out": lambda w: ["show", w / "p.st", "--hold-out", "label=\x1b[31m"],
    "show --plot": lambda w: ["show", w / "p.st", "--plot", w / "bands.png"],
    "check": lambda w: ["check", w / "p.st", w / "src"],
    "apply": lambda w: ["apply", w / "src", "-p", w / "p.st", "--normalize", "band", "-o", w / "a", "--max-bad", "30%"],
    "images": lambda w: ["images", w / "src", "-p", w / "p.st", "-o", w / "i", "--sheet", "--max-bad", "30%"],
    "watch": lambda w: ["watch", w / "src", "--profile", w / "p.st", "--once"],
    "update": lambda w: ["update", w / "p.st", w / "src", "-o", w / "u.st", "--force", "--max-bad", "30%"],
    "explain": lambda w: ["explain", w / "p.st", w / "nowhere\x1b[31m"],
}
CLIPS = 3


def spectronorm(*arguments: object, **settings: str) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own, with these changes of the environment."""
    command = [sys.executable, "-m", "spectronorm", *(os.fsencode(str(argument)) for argument in arguments)]
    environment = {**os.environ, "COLUMNS": "400", **settings}
    return subprocess.run(command, capture_output=True, env=environment, timeout=120, check=False)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips whose folders and files have hostile names, a bad and a silent one of each, and their profile."""
    root = tmp_path_factory.mktemp("names")
    for name in map(os.fsdecode, NAMES.values()):
        folder = root / "src" / name
        folder.mkdir(parents=True)
        for index in range(CLIPS):
            path = os.fsencode(folder / f"{name}{index}.wav")
            soundfile.write(path, tone(0.3, 8_000, seed=index), 8_000, subtype="PCM_16")
        soundfile.write(os.fsencode(folder / f"flat{name}.wav"), np.zeros(4000), 8_000)
        (folder / f"bad{name}.wav").write_bytes(b"no audio")
    front_end = sn.FrontEnd(8000, stft=sn.STFT(n_fft=256), bands=sn.Mel(20))
    sn.fit(root / "src", front_end, group_by=["label"], max_bad=0.3).save(root / "p.st")
    return root


@pytest.mark.parametrize("name", COMMANDS)
def test_no_name_gives_the_terminal_an_order(name: str, world: Path) -> None:
    """Each command ends with its usual code, without a traceback or a control character."""
    done = CliRunner().invoke(app, [str(argument) for argument in COMMANDS[name](world)], env={"COLUMNS": "400"})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code in (0, 1, 2, 3), done.output
    assert all(char == "\n" or char.isprintable() for char in done.output), done.output


ENCODINGS = {
    "ascii": {"PYTHONIOENCODING": "ascii:strict"},
    "latin-1": {"PYTHONIOENCODING": "latin-1:strict"},
    "cp1252": {"PYTHONIOENCODING": "cp1252:strict"},
    "ascii in the C locale": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", ["fit", "show", "watch", "check"])
def test_no_encoding_of_a_terminal_ends_a_command(name: str, encoding: str, world: Path, tmp_path: Path) -> None:
    """What the encoding lacks is replaced, in a process whose streams are strict."""
    for part in ("src", "p.st"):
        (tmp_path / part).symlink_to(world / part)
    done = spectronorm(*COMMANDS[name](tmp_path), **ENCODINGS[encoding])
    printed = (done.stdout + done.stderr).decode(encoding.split(maxsplit=1)[0])
    assert done.returncode in (0, 1 if name == "check" else 0, 3), printed
    assert "Traceback" not in printed
    assert all(char == "\n" or char.isprintable() or char == "\xa0" for char in printed), printed


@pytest.mark.parametrize(
    ("name", "files"), [("apply", ["index.csv", "pipeline.safetensors"]), ("images", ["index.csv"])]
)
def test_outputs_are_complete(name: str, files: list[str], world: Path) -> None:
    """Every good clip has its output, and the index, in UTF-8, lists each."""
    done = spectronorm(*COMMANDS[name](world), "--json")
    assert done.returncode == 0, done.stderr
    folder = Path(json.loads(done.stdout)["folder"])
    assert all((folder / file).is_file() for file in files)
    suffix = ".npy" if name == "apply" else ".png"
    outputs = [path for path in folder.rglob(f"*{suffix}") if not path.name.startswith("sheet-")]
    assert len(outputs) == (CLIPS + 1) * len(NAMES)
    (folder / "index.csv").read_text(encoding="utf-8")
    inverted = spectronorm("invert", folder, "-o", world / f"{name}-sounds", "--quality", "fast", "--json")
    assert inverted.returncode == 0, inverted.stderr
    assert len(json.loads(inverted.stdout)["files"]) == (CLIPS + 1) * len(NAMES)


@given(st.text())
def test_printable_text_is_printable(text: str) -> None:
    """Whatever the text: what comes out can be shown, and again gives itself."""
    shown = printable(text)
    assert shown.isprintable()
    assert printable(shown) == shown
    assert printable(text, keep="\n").replace("\n", "").isprintable()
    if text.isprintable():
        assert shown == text


def test_errors_escape_what_they_name() -> None:
    """Errors of the family carry no control characters, whoever prints them; pickles keep the message."""
    error = sn.errors.ArgumentError("a\x1b[31m\u202e\n.wav")
    assert str(error) == "a\\x1b[31m\\u202e\\n.wav"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301
    assert str(sn.errors.TooManyBad("two:\n  a\x1b")) == "two:\n  a\\x1b"


@pytest.fixture
def tables(tmp_path: Path) -> list[Path]:
    """The same clips in two places, with tables that list them by absolute paths, one clip missing and one silent."""
    made = []
    for place in ("A/x", "B/y/z"):
        audio = tmp_path / place / "audio"
        for index in range(6):
            path = audio / ("cat" if index % 2 else "dog") / f"{index}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            wave = np.zeros(4000) if index == 3 else tone(0.3, 8_000, seed=index)
            soundfile.write(path, wave, 8_000, subtype="PCM_16")
        shared = tmp_path / place / "shared"
        shutil.copytree(audio, shared)
        paths = [*sorted(audio.rglob("*.wav")), *sorted(shared.rglob("*.wav")), shared / "gone.wav"]
        table = tmp_path / place / "tables" / "t.csv"
        table.parent.mkdir()
        table.write_text("path,label\n" + "".join(f"{path},l\n" for path in paths))
        made.append(table)
    return made


def test_a_profile_holds_no_absolute_path(tables: list[Path], tmp_path: Path) -> None:
    """Tables with absolute paths give the same bytes in every place, bad and flagged files included."""
    front_end = sn.FrontEnd(8000, stft=sn.STFT(n_fft=256), bands=sn.Mel(20))
    for number, table in enumerate(tables):
        sn.fit(table, front_end, max_bad=0.2).save(tmp_path / str(number))
    first, second = ((tmp_path / str(number)).read_bytes() for number in range(2))
    assert first == second
    assert os.fsencode(tmp_path) not in first
    profile = sn.Profile.load(tmp_path / "0")
    assert [file.path for file in profile.bad] == ["shared/gone.wav"]
    assert [file.path for file in profile.flagged] == ["audio/cat/3.wav", "shared/cat/3.wav"]


def test_outputs_mirror_names_below_the_common_folder(tables: list[Path], tmp_path: Path) -> None:
    """No folder of the machine is repeated below the output."""
    front_end = sn.FrontEnd(8000, stft=sn.STFT(n_fft=256), bands=sn.Mel(20))
    pipeline = sn.Pipeline(front_end, sn.normalize.Unchanged().fit(sn.fit(tables[0], front_end, max_bad=0.2)))
    sn.apply(tables[0], pipeline, tmp_path / "out", max_bad=0.2)
    assert (tmp_path / "out" / "audio" / "dog" / "0.npy").is_file()


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a.wav", "b/c.wav"], ["a.wav", "b/c.wav"]),
        (["/data/a.wav", "/data/b/c.wav"], ["a.wav", "b/c.wav"]),
        (["/mnt/x/a.wav"], ["a.wav"]),
        (["/mnt/x/a.wav", "/mnt/y/a.wav"], ["x/a.wav", "y/a.wav"]),
        (["/mnt/x/../x/a.wav", "/mnt/x/b.wav"], ["a.wav", "b.wav"]),
        (["../a.wav", "/data/b.wav", "/mnt/z/c.wav"], ["a.wav", "b.wav", "c.wav"]),
        (["/database/a.wav"], ["a.wav"]),
    ],
)
def test_names_of_a_table(paths: list[str], names: list[str]) -> None:
    """Relative paths are names; absolute ones are named below the table's folder, or below what they share."""
    assert listed_names(Path("/data"), paths) == names


@pytest.mark.parametrize("name", ["none", "global", "band", "clip", "minmax"])
def test_use_changes_neither_pickles_nor_copies(name: str, noise_table: Path) -> None:
    """A pipeline pickles to the same bytes before and after its calls, and so do its copies."""
    front_end = sn.FrontEnd(bands=sn.Mel(16))
    fitted = sn.normalizer(name).fit(sn.fit(noise_table, front_end))
    pipeline = sn.Pipeline(sn.FrontEnd.from_dict(front_end.to_dict()), fitted)
    before = pickle.dumps(pipeline)
    x = pipeline(tone(0.5, 16_000, seed=0).ravel().astype(np.float32))
    assert x.shape[0] == pipeline.front_end.n_bands
    pipeline.summary()
    assert pickle.dumps(pipeline) == before
    assert pickle.dumps(copy(pipeline)) == pickle.dumps(deepcopy(pipeline)) == before
    assert pickle.loads(before) == pipeline  # noqa: S301
