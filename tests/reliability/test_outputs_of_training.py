"""What trains, demonstrates and downloads replaces no foreign file, under any of the names that it writes."""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("torch")

from tests.gan_cases import FRONT_END_OPTIONS, write_clips

import spectronorm as sn
from spectronorm.datasets import DATASETS, get
from spectronorm.demo.dataset import make_dataset
from spectronorm.errors import OutputRefused

from .command_line import run
from .test_outputs import contents

SHORT = ["--n-fft", "256", "--sample-rate", "8000", "--hop-length", "128", "--n-mels", "16"]
Command = Callable[[Path, Path], Sequence[object]]
COMMANDS: dict[str, Command] = {
    "compare": lambda w, out: [
        *("compare", w / "mine" / "clips.csv", "-o", out, "--arms", "none,global", "--folds", "split"),
        *("--hold-out", "test", "--seeds", "1", "--epochs", "1", "--batch-size", "2", *SHORT),
    ],
    "gan train": lambda w, out: [
        *("gan", "train", w / "mine" / "clips.csv", "-o", out, "--steps", "1", "--every", "1", "--size", "16"),
        *("--width", "2", "--latent", "2", "--batch-size", "2", *FRONT_END_OPTIONS),
    ],
    "gan sample": lambda w, out: [
        *("gan", "sample", w / "gan", "-o", out, "-n", "2", "--audio", "--quality", "fast"),
    ],
}
KINDS = ("text", "link", "pipe", "folder")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings, a model, and what each command writes beside them."""
    root = tmp_path_factory.mktemp("training")
    write_clips(root / "mine", each=3)
    for name, command in COMMANDS.items():
        out = root / ("gan" if name == "gan train" else f"out of {name}")
        if name != "gan sample":
            ended(command(root, out), codes=(0,))
    ended(COMMANDS["gan sample"](root, root / "out of gan sample"), codes=(0,))
    return root


def ended(arguments: Sequence[object], codes: Sequence[int]) -> str:
    """Run a command that must end with one of these codes; return what it printed."""
    result = run([str(argument) for argument in arguments])
    assert not result.complaint, result.complaint
    assert result.exit_code in codes, result.output
    return result.output


def written(made: Path, name: str) -> list[str]:
    """The names of all files that the command writes, but for those that are digests of their content."""
    out = made / ("gan" if name == "gan train" else f"out of {name}")
    names = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    return [one for one in names if not one.startswith(("cache/", "checkpoint-"))]


def put(kind: str, path: Path, world: Path) -> None:
    """Something of others under a name that a command writes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "text":
        path.write_text("mine")
    elif kind == "link":
        path.symlink_to(world / "mine" / "low0.wav")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        (path / "inside").mkdir(parents=True)
        (path / "inside" / "x.txt").write_text("mine")


def unchanged(before: dict[str, bytes | str], world: Path) -> None:
    """All that was there is there, byte for byte."""
    after = contents(world)
    assert {name: after.get(name) for name in before} == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", COMMANDS)
def test_training_replaces_nothing_foreign(name: str, kind: str, made: Path, tmp_path: Path) -> None:
    """Under each name in turn: the command ends in one line, or goes on beside it, and the foreign thing stays."""
    world = tmp_path / "world"
    shutil.copytree(made, world, ignore=shutil.ignore_patterns("out of *"))
    names = written(made, name)
    assert len(names) > 2
    for number, one in enumerate(names):
        out = world / f"out{number}"
        put(kind, out / one, world)
        before = contents(world)
        ended(COMMANDS[name](world, out), codes=(0, 1, 2))
        unchanged(before, world)
        shutil.rmtree(out)


@pytest.mark.parametrize("name", COMMANDS)
def test_an_input_of_training_is_never_its_output(name: str, made: Path, tmp_path: Path) -> None:
    """The table, a recording and the model in the place of the folder, and --overwrite for what lies in it."""
    world = tmp_path / "world"
    shutil.copytree(made, world, ignore=shutil.ignore_patterns("out of *"))
    before = contents(world)
    for target in (world / "mine" / "clips.csv", world / "mine" / "low0.wav", world / "gan" / "model.safetensors"):
        for more in ([], ["--overwrite"]):
            ended([*COMMANDS[name](world, target), *more], codes=(1, 2))
            assert contents(world) == before
    ended([*COMMANDS[name](world, world / "mine"), "--overwrite"], codes=(0, 1, 2))
    unchanged(before, world)


@pytest.mark.parametrize("target", ["fifo", "null"])
@pytest.mark.parametrize("name", COMMANDS)
def test_training_needs_a_folder(name: str, target: str, made: Path, tmp_path: Path) -> None:
    """A pipe or device in the place of the folder is refused before any work, and stays what it is."""
    path = tmp_path / target
    if target == "fifo":
        os.mkfifo(path)
    else:
        try:
            os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("device nodes are not permitted here")
    assert path.name in ended(COMMANDS[name](made, path), codes=(1, 2))
    assert not stat.S_ISREG(path.lstat().st_mode)
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".")]


DEMO_FILES = (
    "sounds/meta/esc50.csv",
    "sounds/audio/1-100001-A-0.wav",
    "report.html",
    "sounds.safetensors",
    "bands.png",
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", DEMO_FILES)
def test_the_demo_replaces_nothing_foreign(name: str, kind: str, tmp_path: Path) -> None:
    """It ends before it writes anything."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "low0.wav").write_bytes(b"mine")
    put(kind, tmp_path / "demo" / name, tmp_path)
    before = contents(tmp_path)
    assert Path(name).name in ended(["demo", "-o", tmp_path / "demo"], codes=(1, 2))
    assert contents(tmp_path) == before


def test_sounds_of_the_demo_are_known_by_their_content(tmp_path: Path) -> None:
    """Those of any earlier seed are replaced; one that was exchanged for another sound is not."""
    make = partial(make_dataset, tmp_path, clips_per_kind=1)
    make(seed=0)
    first = contents(tmp_path)
    make(seed=1)
    assert contents(tmp_path) != first
    path = next((tmp_path / "audio").glob("*.wav"))
    path.write_bytes(first[f"audio/{path.name}"][:-2])  # type: ignore[arg-type]
    before = contents(tmp_path)
    with pytest.raises(OutputRefused, match=path.name):
        make(seed=0)
    assert contents(tmp_path) == before
    with sn.storage.overwriting():
        make(seed=0)
    (tmp_path / "meta" / "spectronorm.json").unlink()  # as version 0.2 left them
    make(seed=0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [".spectronorm-digits.part", ".spectronorm-digits.zip.unfinished", "digits"])
def test_a_download_replaces_nothing_foreign(name: str, kind: str, tmp_path: Path) -> None:
    """Names that can be guessed lead to no other file, and what stands in the place of the folder stays."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "low0.wav").write_bytes(b"mine" * 1000)
    put(kind, tmp_path / "here" / name, tmp_path)
    before = contents(tmp_path / "mine")
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("digits-1/recordings/low0.wav", b"other")
        file.writestr("digits-1/recordings/inside/x.txt", b"other")
    dataset = replace(DATASETS["fsdd"], name="digits", url="http://127.0.0.1:9/x.zip")
    # A folder under the name is one that an earlier call left.
    with suppress(sn.errors.SpectronormError, OSError):
        get(dataset, tmp_path / "here" / "digits", archive=packed)
    with suppress(sn.errors.SpectronormError, OSError):
        get(dataset, tmp_path / "here" / "digits")
    assert contents(tmp_path / "mine") == before
    ended(["datasets", "get", "fsdd", "-o", tmp_path / "mine" / "low0.wav"], codes=(1,))
    assert contents(tmp_path / "mine") == before
