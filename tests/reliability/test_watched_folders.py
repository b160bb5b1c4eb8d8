"""A watch outlives whatever stands in its folder, misses no file, and shares its state with nobody."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

import spectronorm as sn
from monitored import FRONT_END, clips, training
from spectronorm.cli.app import app
from spectronorm.monitor import Incoming, Reading, existing, growing_folder
from spectronorm.monitor.seen_files import SeenFiles
from spectronorm.runs.lock import output_lock


def write(folder: Path, *names: str) -> None:
    for name, wave in zip(names, clips(len(names), 2), strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, wave, 8_000, subtype="FLOAT")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two good clips."""
    write(tmp_path / "in", "a.wav", "b.wav")
    return tmp_path / "in"


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    training()[0].save(tmp_path / "profile")
    return tmp_path / "profile"


def grown(folder: Path, **settings: object) -> dict[str, Incoming]:
    """What one look at a folder gives, by name."""
    found = growing_folder(folder, Reading(FRONT_END), once=True, **settings)  # type: ignore[arg-type]
    return {one.name: one for one in found if one is not None}


def watched(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["watch", *map(str, arguments), "--once"], env={"COLUMNS": "400"})


def test_links_that_lead_nowhere_are_told_once(folder: Path) -> None:
    """A link to itself, a circle of two and one to nothing: the good clips come, and each link with its reason."""
    for link, target in (("loop", "loop"), ("c1", "c2"), ("c2", "c1"), ("nothing", "nowhere")):
        (folder / f"{link}.wav").symlink_to(f"{target}.wav")
    seen = SeenFiles()
    found = grown(folder, seen=seen)
    assert {name for name, one in found.items() if one.samples is not None} == {"a.wav", "b.wav"}
    reasons = {name: one.problem.reason for name, one in found.items() if one.problem is not None}
    assert reasons == dict.fromkeys(
        ("loop.wav", "c1.wav", "c2.wav", "nothing.wav"), sn.errors.BadAudioReason.UNREADABLE
    )
    assert grown(folder, seen=seen) == {}


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ESTALE, errno.ELOOP, errno.ENAMETOOLONG])
def test_a_file_that_cannot_be_looked_at_comes_when_it_can(
    number: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the error: the others are read, it is told once, and it is read when the error is gone."""
    real, seen = Path.stat, SeenFiles()

    def stat(self: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if self.name == "a.wav":
            raise OSError(number, os.strerror(number), str(self))
        return real(self, follow_symlinks=follow_symlinks)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", stat)
        found = grown(folder, seen=seen)
        assert found["b.wav"].samples is not None
        assert os.strerror(number) in str(found["a.wav"].problem)
        assert grown(folder, seen=seen) == {}
    assert grown(folder, seen=seen)["a.wav"].samples is not None


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ESTALE])
def test_a_folder_that_cannot_be_listed_is_told(number: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies beside it is read."""
    write(folder, "sub/c.wav")
    real = os.scandir

    def scandir(path: Path) -> object:
        if Path(path).name == "sub":
            raise OSError(number, os.strerror(number), str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = grown(folder)
    assert set(found) == {"a.wav", "b.wav", "sub"}
    assert os.strerror(number) in str(found["sub"].problem)


@pytest.mark.parametrize("state", [False, True])
def test_the_command_counts_and_tells_what_it_skipped(state: bool, folder: Path, profile: Path) -> None:
    """`watch --once` with and without a state: exit code 0, and a line for the link."""
    more = ["--state", folder.parent / "state"] if state else []
    assert watched(folder, "-p", profile, *more).exit_code == 0
    (folder / "x.wav").symlink_to("x.wav")
    write(folder, "c.wav")
    done = watched(folder, "-p", profile, *more)
    assert done.exit_code == 0, done.output
    assert done.output.count("left out x.wav: unreadable") == 1
    if state:
        again = sn.monitor.Monitor.load(folder.parent / "state", training()[0])
        assert (again.clips, again.bad) == (3, 1)


def test_no_line_of_a_list_ends_the_watch(folder: Path, profile: Path) -> None:
    """Bytes that are no UTF-8, NUL, a name that is too long, a folder: each is left out, and the clip is read."""
    lines = b"\xff.wav\na\0b.wav\n" + b"n" * 5000 + b".wav\n" + bytes(folder) + b"\n" + bytes(folder / "a.wav") + b"\n"
    done = CliRunner().invoke(app, ["watch", "-", "-p", str(profile), "--json"], input=lines)
    assert done.exit_code == 0, done.output
    assert done.stdout.count('"bad"') >= 4


def test_a_clock_that_was_set_back_hides_no_file(folder: Path) -> None:
    """The newest file read lies an hour ahead of the clock: what comes now is read, and nothing is read twice."""
    seen = SeenFiles()
    first = grown(folder, seen=seen)
    ahead = (time.time_ns() + 3_600_000_000_000, "b.wav")
    assert set(first) == {"a.wav", "b.wav"}
    write(folder, "c.wav")
    assert set(grown(folder, after=ahead, seen=seen)) == {"c.wav"}
    assert grown(folder, after=ahead, seen=seen) == {}


def test_a_file_of_the_future_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made before the clock was set back: it is read when it has not changed for a while by any clock."""
    now = time.time()
    monkeypatch.setattr("spectronorm.monitor.feed.incoming.time.time", lambda: now - 3600)
    names, looks = [], 0

    def go_on() -> bool:
        nonlocal looks
        looks += 1
        return looks < 20 and len(names) < 2

    for one in growing_folder(folder, Reading(FRONT_END), poll=0.05, go_on=go_on):
        names += [] if one is None else [one.name]
    assert sorted(names) == ["a.wav", "b.wav"]


def test_a_state_remembers_what_was_seen(folder: Path, profile: Path) -> None:
    """A state whose mark lies ahead of the clock: the next run reads the new file, and only that."""
    state = folder.parent / "state"
    assert watched(folder, "-p", profile, "--state", state).exit_code == 0
    monitor = sn.monitor.Monitor.load(state, training()[0])
    assert monitor.clips == len(monitor.seen) == 2
    monitor.mark = (time.time_ns() + 3_600_000_000_000, "b.wav")
    monitor.save(state)
    write(folder, "c.wav")
    assert watched(folder, "-p", profile, "--state", state).exit_code == 0
    assert sn.monitor.Monitor.load(state, training()[0]).clips == 3


def test_all_of_an_existing_folder_is_seen(folder: Path) -> None:
    """After the last clip, not before: a run that is stopped forgets nothing."""
    seen = SeenFiles()
    sizes = [len(seen) for _ in existing(folder, Reading(FRONT_END), seen=seen)]
    assert sizes == [0, 2]
    assert grown(folder, seen=seen) == {}


def test_what_is_remembered_is_bounded_by_the_folder() -> None:
    """Files that are gone are forgotten, but not those of a folder that is not there for a while."""
    seen = SeenFiles()
    seen.add(*((number, "x") for number in range(5000)))
    seen.forget_others([])
    assert len(seen) == 5000
    seen.forget_others([(7, "x"), (9, "y")])
    assert len(seen) == 1
    assert (7, "x") in SeenFiles.from_array(seen.to_array())
    with pytest.raises(ValueError, match="digests"):
        SeenFiles.from_array(np.zeros((2, 2), np.uint64))


def test_a_second_watch_on_one_state_is_refused(folder: Path, profile: Path) -> None:
    """It says who holds the state, and changes nothing; afterwards the state is free."""
    state = folder.parent / "state"
    with output_lock(state):
        done = watched(folder, "-p", profile, "--state", state)
    assert done.exit_code == 1
    assert f"process {os.getpid()}" in done.output
    assert not state.exists()
    assert watched(folder, "-p", profile, "--state", state).exit_code == 0
    assert not list(folder.parent.glob(".state*"))


def test_a_second_watch_of_a_script_is_refused_too(folder: Path, profile: Path) -> None:
    """The function locks its state as the command does, before it takes a clip; another file stays."""
    state = folder.parent / "state"
    loaded = sn.Profile.load(profile)
    told: list[object] = []

    def begin(place: Path) -> None:
        incoming = existing(folder, Reading(loaded.front_end))
        sn.monitor.watch(sn.monitor.Monitor(loaded), incoming, told.append, place)

    with output_lock(state), pytest.raises(sn.errors.OutputBusy, match=f"process {os.getpid()}"):
        begin(state)
    (folder.parent / "mine.txt").write_text("mine")
    with pytest.raises(sn.errors.OutputRefused):
        begin(folder.parent / "mine.txt")
    assert not told
    begin(state)
    assert sn.monitor.Monitor.load(state, loaded).clips == len(told)
    assert not list(folder.parent.glob(".state*"))
