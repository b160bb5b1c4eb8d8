"""No command replaces a file that is not its own: outputs of every kind in the way of every command that writes."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

import spectronorm as sn
from spectronorm.cli.app import app
from spectronorm.errors import OutputRefused
from spectronorm.passes.images import export_images
from spectronorm.storage import Content, atomic_write, overwriting, protecting
from spectronorm.storage.replacement import require_replaceable

from .bad_inputs import tone

FRONT_END = ["--sample-rate", "8000", "--n-fft", "256", "--n-mels", "20"]


def run(*arguments: object) -> tuple[int, str]:
    """A command in this process: its exit code and all that it printed."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def contents(folder: Path) -> dict[str, bytes | str]:
    """What stands below a folder: files by their bytes, anything else by its kind."""
    found: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            found[str(path.relative_to(folder))] = path.read_bytes()
        elif not stat.S_ISDIR(mode):
            leads = path.readlink() if path.is_symlink() else ""
            found[str(path.relative_to(folder))] = f"{stat.S_IFMT(mode):o} {leads}"
    return found


@dataclass(frozen=True)
class World:
    """A user's files: recordings with their table, a profile, images, and things of others."""

    root: Path

    @property
    def table(self) -> Path:
        return self.root / "mine" / "index.csv"

    @property
    def profile(self) -> Path:
        return self.root / "p.safetensors"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made")
    (root / "mine").mkdir()
    for index in range(20):
        soundfile.write(root / "mine" / f"{index:02}.wav", tone(0.3, 8_000, seed=index), 8_000, subtype="PCM_16")
    rows = "".join(f"{index:02}.wav,cat\n" for index in range(20))
    (root / "mine" / "index.csv").write_text(f"path,label\n{rows}")
    (root / "foreign.txt").write_text("mine\n")
    (root / "foreign").mkdir()
    (root / "foreign" / "index.csv").write_text("path,label,frames,mood\nx.npy,dog,3,good\n")
    source = root / "mine" / "index.csv"
    assert run("fit", source, "-o", root / "p.safetensors", *FRONT_END)[0] == 0
    assert run("images", source, "-p", root / "p.safetensors", "-o", root / "images")[0] == 0
    return root


@pytest.fixture
def world(made: Path, tmp_path: Path) -> World:
    shutil.copytree(made, tmp_path / "world")
    return World(tmp_path / "world")


FileCommand = Callable[[World, Path], Sequence[object]]
FILES: dict[str, FileCommand] = {
    "fit": lambda w, out: ["fit", w.table, "-o", out, *FRONT_END],
    "fit of one clip": lambda w, out: ["fit", w.root / "mine" / "00.wav", "-o", out, *FRONT_END],
    "show --plot": lambda w, out: ["show", w.profile, "--plot", out],
    "update": lambda w, out: ["update", w.profile, w.table, "-o", out, "--force"],
    "watch --report": lambda w, out: ["watch", w.table, "--profile", w.profile, "--once", "--report", out],
    "watch --state": lambda w, out: ["watch", w.table, "--profile", w.profile, "--once", "--state", out],
}


def table(world: World) -> Path:
    return world.table


def recording(world: World) -> Path:
    return world.root / "mine" / "00.wav"


def foreign(world: World) -> Path:
    return world.root / "foreign.txt"


def profile(world: World) -> Path:
    return world.profile


def link_to_recording(world: World) -> Path:
    path = world.root / "link"
    path.symlink_to(world.root / "mine" / "03.wav")
    return path


def hard_link_to_table(world: World) -> Path:
    path = world.root / "hard"
    path.hardlink_to(world.table)
    return path


def link_to_foreign(world: World) -> Path:
    path = world.root / "link"
    path.symlink_to(world.root / "foreign.txt")
    return path


def folder(world: World) -> Path:
    return world.root / "foreign"


TARGETS = (table, recording, foreign, profile, link_to_recording, hard_link_to_table, link_to_foreign, folder)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.__name__)
@pytest.mark.parametrize("name", FILES)
def test_a_command_that_writes_a_file_replaces_nothing_foreign(
    name: str, target: Callable[[World], Path], world: World
) -> None:
    """It ends with one line before anything is written, and every byte of everything stays."""
    if (name, target) in (("fit", profile), ("fit of one clip", profile)):
        pytest.skip("an older profile that is no input is ours to replace")
    out = target(world)
    before = contents(world.root)
    code, printed = run(*FILES[name](world, out))
    assert code in (1, 2), printed
    assert out.name in printed
    assert "Traceback" not in printed
    assert contents(world.root) == before


@pytest.mark.parametrize("target", [table, recording], ids=lambda target: target.__name__)
@pytest.mark.parametrize("name", ["fit", "fit of one clip"])
def test_no_option_lets_an_input_be_replaced(name: str, target: Callable[[World], Path], world: World) -> None:
    """An input is never an output, whatever --overwrite says."""
    before = contents(world.root)
    code, printed = run(*FILES[name](world, target(world)), "--overwrite")
    if (name, target) == ("fit of one clip", table):
        assert code == 0, "the table is no input here"
        return
    assert (code, "is an input" in printed) == (2, True), printed
    assert contents(world.root) == before


@pytest.mark.parametrize("name", ["fit", "show --plot", "watch --report"])
def test_overwrite_replaces_a_foreign_file_and_only_that(name: str, world: World) -> None:
    """With --overwrite the named file is replaced, and nothing else changes."""
    before = contents(world.root)
    code, printed = run(*FILES[name](world, foreign(world)), "--overwrite")
    assert code in (0, 3), printed  # 3 is an alarm
    after = contents(world.root)
    assert after.pop("foreign.txt") != before.pop("foreign.txt")
    assert after == before


@pytest.mark.parametrize("name", [name for name in FILES if name != "watch --state"])
def test_what_we_wrote_is_replaced_by_its_own_kind(name: str, world: World) -> None:
    """The second run of a command needs no option: its output is recognized by content."""
    suffix = {"show --plot": ".png", "watch --report": ".html"}.get(name, ".safetensors")
    for _ in range(2):
        code, printed = run(*FILES[name](world, world.root / f"out{suffix}"))
        assert code in (0, 3), printed  # 3 is an alarm


FolderCommand = Callable[[World, Path], Sequence[object]]
FOLDERS: dict[str, tuple[FolderCommand, str]] = {
    "apply": (
        lambda w, out: ["apply", w.table, "-p", w.profile, "--normalize", "band", "-o", out],
        "00.npy",
    ),
    "images": (lambda w, out: ["images", w.table, "-p", w.profile, "-o", out], "cat/00.png"),
    "invert": (lambda w, out: ["invert", w.root / "images", "-o", out, "--quality", "fast"], "cat/00.wav"),
    "roundtrip": (
        lambda w, out: ["roundtrip", w.root / "mine" / "00.wav", "-o", out, "--quality", "fast", *FRONT_END],
        "00.recovered.wav",
    ),
}


@pytest.mark.parametrize("kind", ["text", "own kind", "link", "pipe"])
@pytest.mark.parametrize("name", FOLDERS)
def test_a_command_that_writes_a_folder_replaces_no_foreign_file_in_it(name: str, kind: str, world: World) -> None:
    """One file of others under the name of an output stops the command before it writes."""
    command, output = FOLDERS[name]
    path = world.root / "out" / output
    path.parent.mkdir(parents=True)
    if kind == "text":
        path.write_text("mine")
    elif kind == "own kind" and path.suffix == ".wav":
        shutil.copy(world.root / "mine" / "01.wav", path)
    elif kind == "own kind" and path.suffix == ".npy":
        np.save(path, np.ones((3, 4), dtype=np.float32))
    elif kind == "own kind":
        from PIL import Image  # noqa: PLC0415

        Image.new("L", (4, 3)).save(path)
    elif kind == "link":
        path.symlink_to(world.root / "mine" / "05.wav")
    else:
        os.mkfifo(path)
    before = contents(world.root)
    code, printed = run(*command(world, world.root / "out"))
    if (name, kind) == ("roundtrip", "pipe"):
        assert code in (0, 2)
        assert stat.S_ISFIFO(path.lstat().st_mode)
        return
    assert (code, path.name in printed) == (2, True), printed
    assert contents(world.root) == before


@pytest.mark.parametrize("name", ["apply", "images"])
def test_a_foreign_index_stays(name: str, world: World) -> None:
    """Neither the table of the source nor the index of somebody else is replaced; with --overwrite the latter is."""
    command, _ = FOLDERS[name]
    before = contents(world.root)
    for out in ("mine", "foreign"):
        code, printed = run(*command(world, world.root / out))
        assert (code, "index.csv" in printed) == (2, True), printed
        assert contents(world.root) == before
    assert run(*command(world, world.root / "mine"), "--overwrite")[0] == 2
    assert contents(world.root) == before
    assert run(*command(world, world.root / "foreign"), "--overwrite")[0] == 0
    assert (world.root / "foreign" / "index.csv").read_bytes() != before["foreign/index.csv"]


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_of_ours_is_written_again(name: str, world: World) -> None:
    """The second run of a command into the same folder needs no option."""
    command, output = FOLDERS[name]
    for _ in range(2):
        code, printed = run(*command(world, world.root / "out"))
        assert code == 0, printed
    assert (world.root / "out" / output).is_file()


def test_a_folder_of_ours_is_written_again_with_other_settings(world: World) -> None:
    """Arrays of another normalization, and images of another size, replace those before."""
    for normalize in ("band", "global"):
        command = ["apply", world.table, "-p", world.profile, "--normalize", normalize, "-o", world.root / "features"]
        assert run(*command)[0] == 0
    for size in (20, 30):
        assert run("images", world.table, "-p", world.profile, "-o", world.root / "images", "--size", size)[0] == 0


def test_a_file_in_place_of_a_folder_stays(world: World) -> None:
    """A file where a folder is needed is refused."""
    before = contents(world.root)
    for name, (command, _) in FOLDERS.items():
        if name != "invert":  # a folder of sounds may have any name
            assert run(*command(world, foreign(world)))[0] == 2
    assert contents(world.root) == before


def test_a_pipe_is_written_into(world: World) -> None:
    """A FIFO gets the profile's bytes and stays a FIFO; without a reader the command says so."""
    pipe = world.root / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    assert run(*FILES["fit"](world, pipe))[0] == 0
    reader.join(timeout=10)
    assert got == [world.profile.read_bytes()]
    assert stat.S_ISFIFO(pipe.lstat().st_mode)
    assert not [path for path in world.root.iterdir() if path.name.startswith(".")]


def test_standard_output_gets_the_bytes_and_nothing_else(world: World) -> None:
    """`-o /dev/stdout` writes the profile there, and the summary to stderr."""
    command = [sys.executable, "-m", "spectronorm", *map(str, FILES["fit"](world, Path("/dev/stdout")))]
    done = subprocess.run(command, capture_output=True, check=True, timeout=120)
    assert done.stdout == world.profile.read_bytes()
    with (world.root / "redirected").open("wb") as file:
        subprocess.run(command, stdout=file, stderr=subprocess.DEVNULL, check=True, timeout=120)
    assert (world.root / "redirected").read_bytes() == world.profile.read_bytes()


_DEVICES = """
set -e
mount -t tmpfs none /dev/shm
mount -t tmpfs none "$1/devices"
mknod "$1/devices/null" c 1 3
mknod "$1/devices/disk" b 7 77
fit() { "$2" -m spectronorm fit "$1/mine/index.csv" --sample-rate 8000 --n-fft 256 --n-mels 20 -o "$1/devices/$3" $4; }
fit "$1" "$2" null
"$2" -m spectronorm show "$1/p.safetensors" --plot "$1/devices/null" > "$1/shown"
if fit "$1" "$2" disk; then exit 9; fi
if fit "$1" "$2" disk --overwrite; then exit 9; fi
cd "$1"
test -c devices/null && test -b devices/disk
test "$(ls -A devices)" = "$(printf 'disk\\nnull')"
"""


def test_devices_stay_devices(world: World) -> None:
    """A null device is written into, a block device is refused, and neither is replaced, root or not."""
    unshare = shutil.which("unshare")
    if unshare is None or os.geteuid() != 0:
        pytest.skip("needs a private mount namespace")
    (world.root / "devices").mkdir()
    allowed = subprocess.run(
        [unshare, "-m", "sh", "-c", "mount -t tmpfs none /dev/shm && mknod /dev/shm/x c 1 3 && : > /dev/shm/x"],
        capture_output=True,
        check=False,
    )
    if allowed.returncode != 0:
        pytest.skip("mounts or device nodes are not permitted here")
    done = subprocess.run(
        [unshare, "-m", "sh", "-c", _DEVICES, "sh", str(world.root), sys.executable],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("suffix", ["lock", "journal"])
@pytest.mark.parametrize("kind", ["link", "file", "pipe", "hard link"])
def test_hidden_files_beside_an_output_are_not_opened_through_links(suffix: str, kind: str, world: World) -> None:
    """Names that can be guessed in shared folders lead to no other file, and a pipe makes nobody wait."""
    hidden, victim = world.root / f".out.st.{suffix}", world.root / "mine" / "07.wav"
    if kind == "link":
        hidden.symlink_to(victim)
    elif kind == "file":
        hidden.write_text("mine")
    elif kind == "pipe":
        os.mkfifo(hidden)
    else:
        hidden.hardlink_to(victim)
    before = contents(world.root)
    code, printed = run(*FILES["fit"](world, world.root / "out.st"))
    assert (code, hidden.name in printed) == (2, True), printed
    assert contents(world.root) == before


def test_functions_obey_the_rule_too(world: World) -> None:
    """Profile.save, Pipeline.save, apply, export_images and export_audio refuse what is not ours, unless told."""
    profile = sn.Profile.load(world.profile)
    pipeline = sn.Pipeline(profile.front_end, sn.Standardize().fit(profile))
    before = contents(world.root)
    victim = world.root / "foreign.txt"
    codec = sn.images.ImageCodec(profile.front_end, sn.images.LevelRange.fixed_db(profile.front_end, -80.0, 20.0))
    for write in (
        lambda: profile.save(victim),
        lambda: pipeline.save(victim),
        lambda: sn.fit(world.table, profile.front_end, output=victim),
        lambda: sn.apply(world.table, pipeline, world.root / "mine"),
        lambda: export_images(world.table, codec, world.root / "foreign"),
        lambda: sn.sounds.export(world.root / "images" / "cat" / "00.png", world.root / "mine" / "00.wav"),
    ):
        with pytest.raises(OutputRefused):
            write()
        assert contents(world.root) == before
    profile.save(victim, overwrite=True)
    assert sn.Profile.load(victim) == profile
    with pytest.raises(OutputRefused, match="is an input"):
        sn.fit(world.table, profile.front_end, output=world.table, overwrite=True)


def test_the_rule_in_one_place(tmp_path: Path) -> None:
    """Free and empty names may be written; protected files never; everything with `overwriting` else."""
    path = tmp_path / "x"
    require_replaceable(path, Content.PAGE)
    path.touch()
    require_replaceable(path, Content.PAGE)
    path.write_text("mine")
    with pytest.raises(OutputRefused, match="not a page that spectronorm wrote"):
        require_replaceable(path, Content.PAGE)
    with overwriting():
        require_replaceable(path, Content.PAGE)
        with protecting([path]), pytest.raises(OutputRefused, match="is an input"):
            require_replaceable(path, Content.PAGE)
    with pytest.raises(OutputRefused, match="is a folder"), atomic_write(tmp_path, None):
        pass


def test_the_losses_of_round_trips_are_recognized(world: World) -> None:
    """A record of ours is replaced, a foreign JSON file of the same name is not."""
    command, _ = FOLDERS["roundtrip"]
    (world.root / "out").mkdir()
    (world.root / "out" / "roundtrip.json").write_text('{"mine": 1}')
    assert run(*command(world, world.root / "out"))[0] == 2
    assert (world.root / "out" / "roundtrip.json").read_text() == '{"mine": 1}'
    assert run(*command(world, world.root / "other"))[0] == run(*command(world, world.root / "other"))[0] == 0
