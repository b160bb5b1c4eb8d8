"""Decoding in separate processes: whatever happens there is a reason of one file, and the pass goes on."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import tarfile
import textwrap
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

import spectronorm as sn
from spectronorm.audio import Limits, Reader, release
from spectronorm.audio.decoding import fork_server, pool

from .attack import FRONT_END, finished, run_fit
from .bad_inputs import encoded, flac_bomb, pcm, tone, wav

MISBEHAVING = {
    "sleeps": ("import time; time.sleep(60)", "timeout"),
    "never starts": ("import os; os._exit(3)", "crashed"),
    "dies of a signal": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crashed"),
    "answers with noise": ("c.recv(1); c.sendall(b'\\xff' * 4096)", "crashed"),
    "claims too much": ("c.recv(1); c.sendall(struct.pack('<BQQQQQdB', 0, 0, 16000, 1 << 40, 1, 0, 0, 0))", "crashed"),
    "claims bits beyond any": (
        "c.recv(1); c.sendall(struct.pack('<BQQQQQdB', 0, 0, 16000, 1, 1, 0, 0, 200))",
        "crashed",
    ),
    "claims a far place": (
        "c.recv(1); c.sendall(struct.pack('<BQQQQQdB', 0, 1 << 40, 16000, 1, 1, 0, 0, 0))",
        "crashed",
    ),
    "answers in no way known": (
        "c.recv(1); c.sendall(struct.pack('<BQQQQQdB', 9, 0, 16000, 1, 1, 0, 0, 0))",
        "crashed",
    ),
    "always puts it off": (
        "while c.recv(1): c.sendall(struct.pack('<BQQQQQdB', 2, 0, 0, 0, 0, 0, 0, 0))",
        "crashed",
    ),
    "reports an unknown reason": (
        "c.recv(1); t = b'[\"ok\", \"x\"]'; c.sendall(struct.pack('<BQQQQQdB', 1, 0, 0, 0, 0, len(t), 0, 0) + t)",
        "crashed",
    ),
    "lacks an endless time": (
        "c.recv(1); c.sendall(struct.pack('<BQQQQQdB', 0, 0, 16000, 1, 1, 0, float('inf'), 0))",
        "crashed",
    ),
    "writes a book of notes": (
        "c.recv(1); c.sendall(struct.pack('<BQQQQQdB', 0, 0, 16000, 1, 1, 1 << 40, 0, 0))",
        "crashed",
    ),
    "trickles": ("c.recv(1)\nwhile True: c.sendall(b'\\0'); time.sleep(0.3)", "timeout"),
}


_FORKS = """
import json, os, signal, socket, struct, sys, time
control = socket.socket(fileno=json.loads(sys.argv[1])["socket"])
while True:
    message, files, _, _ = socket.recv_fds(control, 25, 2)
    if not message:
        os._exit(0)
    if message[0] == 2:
        child = struct.unpack("<Bqqd", message)[1]
        os.kill(child, signal.SIGKILL)
        control.sendall(struct.pack("<q", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
        continue
    child = os.fork()
    if not child:
        break
    [os.close(file) for file in files]
    control.sendall(struct.pack("<q", child))
control.close()
c = socket.socket(fileno=files[0])
"""
"""A process that forks as `worker.py` does; what it forks goes on behind this text."""


@pytest.mark.parametrize("kind", MISBEHAVING)
def test_a_process_that_misbehaves_is_one_bad_file(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It hangs, dies or lies: the reason says so, within the limit, and no process is left."""
    body, reason = MISBEHAVING[kind]
    script = tmp_path / "script.py"
    script.write_text(_FORKS + textwrap.dedent(body) + "\ntime.sleep(60)\n")
    monkeypatch.setattr(fork_server, "_SCRIPT", script)
    monkeypatch.setattr(fork_server, "_START_SECONDS", 3.0)
    path = tmp_path / "a.flac"
    path.write_bytes(encoded("FLAC", None, tone(0.5, 16_000), 16_000))
    started = time.monotonic()
    with pytest.raises(sn.errors.AudioError) as caught:
        Reader(Limits(seconds=1)).read(path, 16_000)
    release()
    assert caught.value.reason.value == reason
    assert time.monotonic() - started < 50  # the process sleeps for 60


def test_memory_is_limited(tmp_path: Path) -> None:
    """A file that decodes to more than the limit is refused, and the next one is read by the same process."""
    (tmp_path / "large.flac").write_bytes(encoded("FLAC", None, np.zeros((9_000_000, 1), np.float32)))
    (tmp_path / "bomb.flac").write_bytes(flac_bomb())
    (tmp_path / "good.wav").write_bytes(wav(pcm()))
    reader = Reader(Limits(megabytes=16))
    for name in ("large.flac", "bomb.flac"):
        with pytest.raises(sn.errors.AudioError, match="too-large"):
            reader.read(tmp_path / name, 16_000)
    assert len(pool._pool.idle) == 1
    assert reader.read(tmp_path / "good.wav", 16_000).length == 8_000
    release()
    assert pool._pool.idle == []


def test_a_killed_process_costs_nothing(clips: Path, tmp_path: Path) -> None:
    """Somebody kills the decoding processes after every unit: every clip is measured, to the same bytes."""
    for path in clips.rglob("*.wav"):
        samples, rate = soundfile.read(path, dtype="int16")
        soundfile.write(path.with_suffix(".flac"), samples, rate)
        path.unlink()
    run_fit(clips, tmp_path / "clean")
    killed = []

    def kill(done: int, total: int) -> None:
        for child in children():
            if b"decoding/worker.py" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(child, signal.SIGKILL)
                killed.append(child)

    source = sn.open_source(clips, Reader(Limits()))
    engine = sn.engines.ThreadEngine(1)
    sn.fit(source, FRONT_END, output=tmp_path / "out", group_by=["label"], max_bad=0, engine=engine, progress=kill)
    assert killed
    assert (tmp_path / "out").read_bytes() == (tmp_path / "clean").read_bytes()


def children() -> list[int]:
    """This process's children."""
    tasks = Path("/proc/self/task")
    return [int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()]


def test_no_process_is_left_after_a_pass(clips: Path) -> None:
    """Neither after success nor after an error."""
    before = set(children())
    source = sn.open_source(clips, Reader(Limits()))
    sn.fit(source, FRONT_END, engine=sn.engines.ThreadEngine(3))
    (clips / "bad.wav").write_bytes(b"no audio")
    with pytest.raises(sn.errors.TooManyBad):
        sn.fit(sn.open_source(clips, Reader(Limits())), FRONT_END, max_bad=0)
    assert set(children()) == before


def test_samples_are_the_same_bit_by_bit(tmp_path: Path) -> None:
    """Trusted or not, mono or stereo, integers or floats."""
    reader = Reader(Limits())
    for index, (file_format, channels) in enumerate([("WAV", 1), ("FLAC", 2), ("OGG", 2), ("MP3", 1)]):
        path = tmp_path / f"{index}"
        path.write_bytes(encoded(file_format, None, tone(0.5, 44_100, channels), 44_100))
        np.testing.assert_array_equal(reader.read(path, 16_000).samples, sn.read(path, 16_000))
    release()


def test_many_at_once_are_as_one_by_one(tmp_path: Path) -> None:
    """Long and short ones, bad ones between them, more than wait at once, and one larger than what is left."""
    lengths = [100_000, 600_000, 500_000, 3_000_000, 8_000, 3_500_000, *[4_000] * 40]
    clips = []
    for index, length in enumerate(lengths):
        path = tmp_path / f"{index}.wav"
        path.write_bytes(wav(pcm()) if length == 8_000 else encoded("WAV", None, tone(length / 16_000, 16_000), 16_000))
        clips.append(sn.audio.ClipReference(path.name, path))
    (tmp_path / "7.wav").write_bytes(b"no audio")
    (tmp_path / "9.wav").unlink()
    limited = list(Reader(Limits(megabytes=16)).read_each(clips, 16_000))
    for one, clip in zip(limited, clips, strict=True):
        expected = Reader().read_stamped(clip, 16_000)
        assert one.stamp == expected.stamp
        if isinstance(expected.result, sn.errors.AudioError):
            assert str(one.result) == str(expected.result)
        else:
            np.testing.assert_array_equal(one.clip_or_raise().samples, expected.result.samples)
    assert len(pool._pool.idle) == 1
    release()


def test_a_reader_that_is_left_half_way_leaves_no_answer_behind(tmp_path: Path) -> None:
    """The next file gets its own samples, not those that an earlier one was to have."""
    for index in range(4):
        (tmp_path / f"{index}.wav").write_bytes(encoded("WAV", None, tone(0.1 * (index + 1), 16_000), 16_000))
    clips = [sn.audio.ClipReference(f"{index}.wav", tmp_path / f"{index}.wav") for index in range(4)]
    reader = Reader(Limits())
    each = reader.read_each(clips, 16_000)
    assert next(each).clip_or_raise().length == 1_600
    del each
    assert reader.read(clips[3], 16_000).length == 6_400
    release()


def test_a_server_that_never_answers_is_one_bad_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that forks the others hangs or ends at its start: the reason is said, and no process is left."""
    (tmp_path / "a.flac").write_bytes(encoded("FLAC", None, tone(0.5, 16_000), 16_000))
    before = set(children())
    monkeypatch.setattr(fork_server, "_START_SECONDS", 3.0)
    for body in ("import time; time.sleep(60)", "raise SystemExit(3)"):
        (tmp_path / "script.py").write_text(body)
        monkeypatch.setattr(fork_server, "_SCRIPT", tmp_path / "script.py")
        with pytest.raises(sn.errors.AudioError, match="crashed.*could be started"):
            Reader(Limits(seconds=1)).read(tmp_path / "a.flac", 16_000)
    release()
    assert set(children()) == before


def _read_in_child(path: Path, reader: Reader, wanted: bytes) -> int:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            same = [reader.read(path, 16_000).samples.tobytes() == wanted for _ in range(20)]
            status = 0 if all(same) else 2
            release()
        finally:
            os._exit(status)
    return child


def test_a_fork_has_processes_of_its_own(tmp_path: Path) -> None:
    """A reader that was used before a fork gives each process its own samples, and neither ends the other's."""
    paths = [tmp_path / f"{index}.flac" for index in range(2)]
    for index, path in enumerate(paths):
        path.write_bytes(encoded("FLAC", None, tone(0.5, 16_000, seed=index), 16_000))
    reader = Reader(Limits())
    here, there = (reader.read(path, 16_000).samples.tobytes() for path in paths)
    child = _read_in_child(paths[1], reader, there)
    assert all(reader.read(paths[0], 16_000).samples.tobytes() == here for _ in range(20))
    assert finished(child) == 0
    assert reader.read(paths[0], 16_000).samples.tobytes() == here
    release()


def test_one_process_forks_the_decoders_of_all_workers(clips: Path) -> None:
    """Three workers start one process; the others are forked from it, and it ends with them."""
    seen: set[int] = set()
    for path in clips.rglob("*.wav"):
        soundfile.write(path.with_suffix(".flac"), *soundfile.read(path))
        path.unlink()
    source = sn.open_source(clips, Reader(Limits()))
    before = set(children())
    engine = sn.engines.ThreadEngine(3)
    sn.fit(source, FRONT_END, engine=engine, progress=lambda done, total: seen.update(children()))
    assert len(seen - before) == 1
    assert set(children()) == before


def test_nothing_untrusted_is_opened_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither libsndfile nor a decompressor sees an untrusted byte in this process, whatever the channels and pass."""
    source = tmp_path / "source"
    for index in range(4):
        path = source / "a" / f"{index}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded("FLAC", None, tone(0.5, 16_000, 2, seed=index), 16_000))
    places = [source, *packed(source, tmp_path)]

    def run(place: Path, channels: str, output: Path, reader: Reader) -> bytes:
        engine = sn.engines.ThreadEngine(2)
        sn.fit(sn.open_source(place, reader), FRONT_END, output=output, engine=engine, channels=channels)
        return output.read_bytes()

    wanted = {
        (place, channels): run(place, channels, tmp_path / f"{place.name}-{channels}", Reader())
        for place in places
        for channels in ("mean", "each", "stack")
    }

    def fails(*arguments: object, **settings: object) -> None:
        raise AssertionError("opened in this process")

    monkeypatch.setattr(soundfile.SoundFile, "__init__", fails)
    monkeypatch.setattr("spectronorm.audio.places.archive._inflated", fails)
    monkeypatch.setattr("spectronorm.audio.places.compressed_tar.Streams.pieces", fails)
    for (place, channels), content in wanted.items():
        assert run(place, channels, tmp_path / "untrusted", Reader(Limits())) == content
        (tmp_path / "untrusted").unlink()


def packed(folder: Path, into: Path) -> list[Path]:
    """Archives of the folder, one for each kind of compression."""
    with zipfile.ZipFile(into / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*.flac")):
            file.write(path, path.relative_to(folder))
    found = [into / "a.zip"]
    for suffix in ("gz", "bz2", "xz"):
        found.append(into / f"a.tar.{suffix}")
        with tarfile.open(found[-1], f"w:{suffix}") as tar:
            tar.add(folder, ".")
    return found


@pytest.mark.parametrize("suffix", ["zip", "tar.gz", "tar.bz2", "tar.xz"])
def test_members_are_unpacked_within_the_limits(suffix: str, tmp_path: Path) -> None:
    """A member of 48 MB of zeros in a small archive is one bad file, held nowhere here, and the rest is read."""
    rest = tmp_path / "rest" / "a"
    rest.mkdir(parents=True)
    for index in range(3):
        (rest / f"{index}.flac").write_bytes(encoded("FLAC", None, tone(0.5, 16_000, seed=index), 16_000))
    (rest / "bomb.flac").write_bytes(b"fLaC" + bytes(48 << 20))
    archive = next(path for path in packed(tmp_path / "rest", tmp_path) if path.name == f"a.{suffix}")
    shutil.rmtree(tmp_path / "rest")
    assert archive.stat().st_size < 1 << 20
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    reader = Reader(Limits(megabytes=32))
    profile = sn.fit(sn.open_source(archive, reader), FRONT_END, max_bad=0.5, engine=sn.engines.ThreadEngine(1))
    assert profile.clips == 3
    assert [(bad.path.rsplit("/", 1)[-1], bad.reason.value) for bad in profile.bad] == [("bomb.flac", "too-large")]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10


@pytest.mark.parametrize("bad", [{"seconds": 0}, {"seconds": -1}, {"megabytes": 0}, {"seconds": float("nan")}])
def test_limits_must_be_positive(bad: dict[str, float]) -> None:
    """A limit of nothing is an error, not a hang."""
    with pytest.raises(sn.errors.ArgumentError, match="positive|whole number in 1"):
        Limits(**bad)  # type: ignore[arg-type]
