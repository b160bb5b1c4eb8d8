"""Parts that only POSIX or Linux has are done without, or refused in one sentence, where they are missing."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import soundfile

import spectronorm as sn
from spectronorm.audio.decoding import fork_server, memory_file, plain_wav
from spectronorm.engines.threads import available_cores
from spectronorm.runs import lock
from spectronorm.storage import atomic

_WITHOUT = """
import os, sys
for name in ("resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
for name in ("fork", "memfd_create", "sched_getaffinity", "pread", "preadv", "O_NONBLOCK", "register_at_fork"):
    if hasattr(os, name):
        delattr(os, name)
from spectronorm.cli import main
sys.argv = ["spectronorm", "fit", sys.argv[1], "-o", sys.argv[2], "--sample-rate", "8000"]
main()
"""


class Windows:
    """The lock as Windows has it: `msvcrt` locks bytes, and a file that is open cannot be removed."""

    LK_NBLCK = 2
    name = "nt"

    def __init__(self) -> None:
        self.held: dict[tuple[int, int], int] = {}
        self.done: list[str] = []
        self.taken_after_closing = False

    def __getattr__(self, name: str) -> object:
        return getattr(os, name)

    def locking(self, descriptor: int, mode: int, count: int) -> None:
        assert (mode, count) == (self.LK_NBLCK, 1)
        if self.held.setdefault(_identity(os.fstat(descriptor)), descriptor) != descriptor:
            raise PermissionError(13, "Permission denied")

    def close(self, descriptor: int) -> None:
        there = _identity(os.fstat(descriptor))
        if self.held.get(there) == descriptor:
            del self.held[there]
            if self.taken_after_closing:
                self.held[there] = -1
        self.done.append("closed")
        os.close(descriptor)

    def unlink(self, path: Path) -> None:
        if _identity(path.stat()) in self.held:
            raise PermissionError(32, "The process cannot access the file because it is being used by another process")
        self.done.append("removed")
        os.remove(path)  # noqa: PTH107  (Path.unlink is this method here)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Windows:
    system = Windows()
    monkeypatch.setitem(sys.modules, "msvcrt", system)
    monkeypatch.setattr(lock, "os", system)
    monkeypatch.setattr(Path, "unlink", lambda path, missing_ok=False: system.unlink(path))
    return system


def test_windows_closes_a_lock_before_it_removes_the_file(windows: Windows, tmp_path: Path) -> None:
    """The second run is refused while the first holds the lock, and afterwards nothing is left."""
    with lock.output_lock(tmp_path / "out"):
        with pytest.raises(sn.errors.OutputBusy, match="another run"), lock.output_lock(tmp_path / "out"):
            pass
        windows.done.clear()
    assert windows.done == ["closed", "removed"]
    assert list(tmp_path.iterdir()) == []


def test_windows_leaves_a_lock_that_another_run_took_meanwhile(windows: Windows, tmp_path: Path) -> None:
    """Between closing and removing another run may open the file: it stays, and that is no error."""
    windows.taken_after_closing = True
    with lock.output_lock(tmp_path / "out"):
        pass
    assert windows.done == ["closed"]
    with pytest.raises(sn.errors.OutputBusy), lock.output_lock(tmp_path / "out"):
        pass
    assert lock.path_beside(tmp_path / "out", "lock").exists()


def test_folders_are_not_synced_on_windows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder cannot be opened there; the file itself is whole and synced as everywhere."""
    synced: list[int] = []
    monkeypatch.setattr(atomic, "os", types.SimpleNamespace(name="nt", fsync=synced.append, fsencode=os.fsencode))
    with atomic.atomic_write(tmp_path / "a") as file:
        file.write(b"whole")
    assert (tmp_path / "a").read_bytes() == b"whole"
    assert len(synced) == 1


def test_without_memfd_unnamed_files_are_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written can be read again through the descriptor, and it can be sealed or not without an error."""
    monkeypatch.delattr(os, "memfd_create", raising=False)
    descriptor = memory_file.unnamed_file()
    memory_file.fill(descriptor, b"sounds")
    memory_file.seal_size(descriptor)
    os.lseek(descriptor, 0, os.SEEK_SET)
    assert os.read(descriptor, 99) == b"sounds"
    os.close(descriptor)


def test_without_affinity_all_cores_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS and Windows have no `sched_getaffinity`."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert available_cores() == (os.cpu_count() or 1)


def test_without_preadv_plain_wav_files_go_to_libsndfile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The samples are equal either way."""
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 900)
    soundfile.write(tmp_path / "a.wav", samples, 8_000)
    here = sn.read(tmp_path / "a.wav", 8_000)
    monkeypatch.delattr(os, "preadv", raising=False)
    with (tmp_path / "a.wav").open("rb") as file:
        assert plain_wav.plain_wav(file.fileno()) is None
    np.testing.assert_array_equal(sn.read(tmp_path / "a.wav", 8_000), here)


def test_untrusted_is_refused_in_one_sentence_where_there_is_no_posix(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says what is needed and what to do."""
    monkeypatch.setattr(fork_server, "os", types.SimpleNamespace(name="nt"))
    with pytest.raises(sn.errors.ArgumentError, match=r"needs a POSIX system; leave untrusted out"):
        fork_server.Limits()


def test_a_pass_needs_nothing_that_only_posix_has(noise_folder: Path, tmp_path: Path) -> None:
    """`fit -o` works without the modules and calls that Windows lacks, but for the lock, tested above."""
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT, str(noise_folder), str(tmp_path / "profile.safetensors")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    here = sn.fit(noise_folder, sn.FrontEnd(sample_rate=8_000))
    np.testing.assert_array_equal(sn.load(tmp_path / "profile.safetensors").band.mean, here.band.mean)
