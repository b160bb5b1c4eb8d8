"""Runs where something usual is missing: streams, descriptors, /dev/shm, /proc, a working directory, memfd."""

from __future__ import annotations

import errno
import io
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tests.command_output import messages

import spectronorm as sn
from spectronorm.audio import Limits, Reader
from spectronorm.audio.decoding import memory_file

if os.name != "posix":
    pytest.skip("what is missed here is POSIX's", allow_module_level=True)
ENGINES = ["threads", "processes", "auto"]
FRONT_END = "--sample-rate 8000 --n-fft 256 --n-mels 20"
SPECTRONORM = f"{sys.executable} -m spectronorm"


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A line of shell in a process of its own."""
    command = ["bash", "-c", line]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def in_namespace(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A line of shell that may mount what nobody else sees; skips where that is not allowed."""
    if shell("unshare -m true", folder).returncode:
        pytest.skip("no mount namespace can be made here")
    return shell(f"exec unshare -m bash -c '{line}'", folder)


def fitted(world: Path, output: Path) -> bool:
    """Tell if a run gave the profile, whatever it noted of its command line."""
    return sn.Profile.load(output) == sn.Profile.load(world / "p.st")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("engine", ENGINES)
def test_closed_streams_end_no_run(engine: str, closed: str, world: Path, tmp_path: Path) -> None:
    """Each engine, without each of the streams and without any."""
    output = tmp_path / "o.st"
    done = shell(f"{SPECTRONORM} fit src -o {output} {FRONT_END} --engine {engine} --workers 2 {closed}", world)
    assert done.returncode == 0
    assert fitted(world, output)


@pytest.mark.parametrize(
    "arguments",
    [
        "'src', {}, engine=sn.engines.ProcessEngine(2)",
        "sn.open_source('src', reader=sn.audio.Reader(sn.audio.Limits())), {}",
    ],
)
def test_closed_streams_end_no_script(arguments: str, world: Path, tmp_path: Path) -> None:
    """The library starts its own processes without any stream too."""
    output = tmp_path / "o.st"
    front_end = "sn.FrontEnd(8000, stft=sn.STFT(n_fft=256), bands=sn.Mel(20))"
    script = f"import spectronorm as sn; sn.fit({arguments.format(front_end)}).save('{output}')"
    assert shell(f'{sys.executable} -c "{script}" <&- >&- 2>&-', world).returncode == 0
    assert fitted(world, output)


@pytest.mark.parametrize("how", [*(f"--engine {engine} --workers 8" for engine in ENGINES), "--untrusted --workers 8"])
def test_64_descriptors_are_enough(how: str, world: Path, tmp_path: Path) -> None:
    """Each engine with more workers than cores, and decoding in confined processes."""
    output = tmp_path / "o.st"
    done = shell(f"ulimit -n 64; {SPECTRONORM} fit src -o {output} {FRONT_END} {how}", world)
    assert done.returncode == 0, done.stderr
    assert fitted(world, output)


def test_without_shared_memory_processes_say_so(world: Path, tmp_path: Path) -> None:
    """No /dev/shm: one sentence names it and the engine that needs none; auto does the work."""
    devices = "for n in null zero random urandom; do touch $d/$n; mount --bind /dev/$n $d/$n; done"
    bare = f"d={tmp_path}/dev; mkdir $d; mount -t tmpfs none $d; {devices}; mount --rbind $d /dev"
    run = f"{SPECTRONORM} fit src {FRONT_END} --workers 2"
    done = in_namespace(f"{bare}; {run} -o {tmp_path}/o.st --engine processes; {run} -o {tmp_path}/a.st", world)
    assert done.returncode == 0, done.stderr
    assert "/dev/shm" in done.stderr  # noqa: S108
    assert "threads" in done.stderr
    assert len(messages(done.stderr)) == 1
    assert not (tmp_path / "o.st").exists()
    assert fitted(world, tmp_path / "a.st")


@pytest.mark.parametrize(
    "error", [FileNotFoundError(2, "none"), ImportError("no _multiprocessing"), AssertionError("no")]
)
def test_an_engine_that_cannot_start_is_one_error(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the system lacks; auto goes on in threads."""

    def pool(*arguments: object, **settings: object) -> None:
        raise error

    monkeypatch.setattr("loky.ProcessPoolExecutor", pool)
    monkeypatch.setattr("spectronorm.engines.auto.WORTH_SECONDS", -1.0)
    with pytest.raises(sn.errors.EngineError, match="use the engine threads"):
        list(sn.engines.ProcessEngine(2).map(abs, range(4)))
    assert sorted(sn.engines.AutoEngine(2).map(abs, range(20))) == list(range(20))


@pytest.mark.parametrize("how", ["--engine processes --workers 2", "--untrusted"])
def test_no_proc_is_needed(how: str, world: Path, tmp_path: Path) -> None:
    """Processes and confined decoders work in silence where nothing is mounted at /proc."""
    line = f"mount -t tmpfs none /proc; {SPECTRONORM} fit src -o {tmp_path}/o.st {FRONT_END} {how}"
    done = in_namespace(line, world)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert fitted(world, tmp_path / "o.st")


def test_a_working_directory_that_was_deleted(world: Path, tmp_path: Path) -> None:
    """Absolute paths work; what needs the directory says that it is gone."""
    run = f"mkdir gone; cd gone; rmdir ../gone; {SPECTRONORM} fit {world}/src {FRONT_END}"
    done = shell(f"{run} -o {tmp_path}/o.st", tmp_path)
    assert done.returncode == 0, done.stderr
    assert fitted(world, tmp_path / "o.st")
    for more in ("-o q.st", f"-o {tmp_path}/q.st --engine processes --workers 2"):
        done = shell(f"{run} {more}", tmp_path)
        assert done.returncode == 1
        assert "working directory" in done.stderr
        assert len(messages(done.stderr)) == 1, done.stderr


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EPERM, errno.EMFILE])
def test_without_memfd_confined_decoders_and_archives_work(
    number: int, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel, container or filter that has no memfd: the samples are those of any other run."""
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in (world / "src").rglob("*.wav"):
            file.write(path, path.relative_to(world / "src"))

    def memfd_create(name: str, flags: int = 0) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "memfd_create", memfd_create, raising=False)
    front_end = sn.FrontEnd(8000, stft=sn.STFT(n_fft=256), bands=sn.Mel(20))
    for source in (world / "src", archive):
        found = sn.fit(sn.open_source(source, Reader(Limits(seconds=29.0 + number / 1000))), front_end)
        assert found.clips == 10
        assert np.array_equal(found.total.total, sn.Profile.load(world / "p.st").total.total)
    descriptor = memory_file.unnamed_file()
    with io.FileIO(descriptor, "r+") as file:
        file.write(b"sound")
        assert os.fstat(descriptor).st_nlink == 0


def _killed(item: int) -> int:
    if item == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def test_an_item_that_is_killed_each_time_is_one_error_that_names_memory() -> None:
    """As a system does that is out of memory: three times, and then a sentence."""
    with pytest.raises(sn.errors.EngineError, match=r"3 times.*short of memory use fewer workers"):
        list(sn.engines.ProcessEngine(2).map(_killed, range(4)))
