"""File systems and processes that lack what others have: everything ends well, with the same bytes."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import socket
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
import soundfile

import spectronorm as sn
import spectronorm.engines.auto
from spectronorm.engines import cores
from spectronorm.runs.lock import output_lock
from spectronorm.storage import container

fcntl = pytest.importorskip("fcntl")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Six short clips."""
    folder = tmp_path / "sounds"
    folder.mkdir()
    for i in range(6):
        wave = 0.1 * np.random.default_rng(i).standard_normal(8_000)
        soundfile.write(folder / f"{i}.wav", wave, 16_000)
    return folder


def failing(number: int):
    """A call that the file system does not know."""

    def call(*arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    return call


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_written_to(
    number: int, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lustre, NFS and FUSE without flock: the same profile, the second run is refused, and nothing is left over."""
    sn.fit(source, output=tmp_path / "a.st")
    monkeypatch.setattr(fcntl, "flock", failing(number))
    sn.fit(source, output=tmp_path / "b.st")
    assert (tmp_path / "a.st").read_bytes() == (tmp_path / "b.st").read_bytes()
    with output_lock(tmp_path / "c.st"), pytest.raises(sn.errors.OutputBusy), output_lock(tmp_path / "c.st"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.st", "b.st", "sounds"]


@pytest.mark.parametrize(("machine", "age", "held"), [("here", 0, False), ("there", 0, True), ("there", 3600, False)])
def test_a_lease_of_the_dead_is_taken_over(
    machine: str, age: float, held: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process of this machine that is gone, or another machine that has not touched its lease for an hour."""
    monkeypatch.setattr(fcntl, "flock", failing(errno.ENOSYS))
    gone = multiprocessing.get_context("spawn").Process(target=print)
    gone.start()
    gone.join()
    name = socket.gethostname() if machine == "here" else "elsewhere"
    lease = tmp_path / ".o.st.lease"
    lease.write_text(json.dumps({"machine": name, "process": gone.pid, "token": "x"}))
    os.utime(lease, (time.time() - age,) * 2)
    if held:
        with pytest.raises(sn.errors.OutputBusy, match="elsewhere"), output_lock(tmp_path / "o.st"):
            pass
    else:
        with output_lock(tmp_path / "o.st") as left_by:
            assert left_by == gone.pid


def test_a_folder_that_cannot_be_synced_holds_the_output(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CIFS and FUSE refuse to sync a folder: the profile is whole, and the run has not failed."""
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").is_dir():
            raise OSError(errno.EINVAL, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    sn.fit(source, output=tmp_path / "a.st")
    assert [path.name for path in tmp_path.glob("*a.st*")] == ["a.st"]


def _fit_in_daemon(source: Path, output: Path) -> None:
    spectronorm.engines.auto.WORTH_SECONDS = -1.0
    sn.fit(source, output=output, engine=sn.engines.AutoEngine(2))


def test_auto_stays_in_threads_in_a_daemonic_process(source: Path, tmp_path: Path) -> None:
    """A worker of a data loader may have no children: its long run is threads' work."""
    worker = multiprocessing.get_context("spawn").Process(
        target=_fit_in_daemon, args=(source, tmp_path / "o.st"), daemon=True
    )
    worker.start()
    worker.join(60)
    assert worker.exitcode == 0
    assert sn.Profile.load(tmp_path / "o.st").clips == 6


@pytest.mark.parametrize("error", [OSError(errno.EROFS, "Read-only file system"), ImportError("no _multiprocessing")])
def test_auto_stays_in_threads_where_no_process_starts(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without shared memory no pool begins: all items are done all the same."""

    def pool(workers: int) -> None:
        raise error

    monkeypatch.setattr("spectronorm.engines.auto.WORTH_SECONDS", -1.0)
    monkeypatch.setattr("spectronorm.engines.auto.Pool", pool)
    assert sorted(sn.engines.AutoEngine(2).map(abs, range(20))) == list(range(20))


def test_quotas_of_control_groups_count(tmp_path: Path) -> None:
    """The least quota of the group and of those above it; none where nothing is said or makes sense."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert cores.cpu_quota(tmp_path, "a/b") == float("inf")
    (tmp_path / "a" / "cpu.max").write_text("150000 100000\n")
    (tmp_path / "a" / "b" / "cpu.max").write_text("max 100000\n")
    (tmp_path / "a" / "memory.max").write_text("314572800\n")
    (tmp_path / "a" / "b" / "memory.max").write_text("max\n")
    assert cores.cpu_quota(tmp_path, "a/b") == 1.5
    assert cores.memory_limit(tmp_path, "a/b") == 300 << 20
    (tmp_path / "a" / "cpu.max").write_text("nonsense")
    assert cores.cpu_quota(tmp_path, "../a") == float("inf")


def test_every_flipped_bit_of_a_saved_file_is_seen(source: Path, tmp_path: Path) -> None:
    """Profiles and pipelines: any bit behind the header, and of what the header says, is refused."""
    profile = sn.fit(source)
    profile.save(tmp_path / "p.st")
    sn.Pipeline(profile.front_end, sn.Standardize(per="band").fit(profile)).save(tmp_path / "q.st")
    random = np.random.default_rng(0)
    for path, load in ((tmp_path / "p.st", sn.Profile.load), (tmp_path / "q.st", sn.Pipeline.load)):
        sound = path.read_bytes()
        body = 8 + int.from_bytes(sound[:8], "little")
        for place in random.integers(body, len(sound), 200):
            flipped = bytearray(sound)
            flipped[place] ^= 1 << int(random.integers(8))
            path.write_bytes(flipped)
            with pytest.raises(sn.errors.FileFormatError):
                load(path)


def test_a_container_of_changed_values_is_refused(tmp_path: Path) -> None:
    """A header, a name, a type or a shape that was changed after the checksum was made."""
    data = container.pack({"a": 1}, {"x": np.arange(6)})
    assert container.unpack(data, "it")[0] == {"a": 1}
    for old, new in ((b'\\"a\\":1', b'\\"a\\":2'), (b'"x"', b'"y"'), (b"I64", b"U64")):
        assert old in data
        with pytest.raises(sn.errors.FileFormatError, match="checksum"):
            container.unpack(data.replace(old, new), "it")


def _die_in_mid_answer(item: tuple[int, str]) -> int:
    """Write half an answer once, and be killed."""
    number, once = item
    if number == 3 and not Path(once).exists():
        Path(once).touch()

        def half(self: Connection, data: bytes, write: object = None) -> None:
            os.write(self._handle, bytes(data)[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)

        Connection._send = half
    return number


def test_a_worker_killed_in_mid_answer_is_noticed(tmp_path: Path) -> None:
    """Half an answer is no answer: the work is done again, and the run ends."""
    items = [(number, str(tmp_path / "once")) for number in range(8)]
    assert sorted(sn.engines.ProcessEngine(2).map(_die_in_mid_answer, items)) == list(range(8))
    assert (tmp_path / "once").exists()
