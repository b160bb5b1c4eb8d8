"""Decoding in separate processes: whatever happens there is a reason of one file, and the pass goes on."""

from __future__ import annotations

import os
import signal
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

import spectronorm as sn
from spectronorm.audio import Limits, Reader, release
from spectronorm.audio.decoding import sandbox

from .attack import FRONT_END, run_fit
from .bad_inputs import encoded, flac_bomb, pcm, tone, wav

MISBEHAVING = {
    "sleeps": ("import time; time.sleep(60)", "timeout"),
    "never starts": ("import os; os._exit(3)", "crashed"),
    "dies of a signal": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crashed"),
    "answers with noise": ("c.recv(1); c.sendall(b'\\xff' * 4096)", "crashed"),
    "claims too much": ("c.recv(1); c.sendall(struct.pack('<BQQQQQd', 0, 0, 16000, 1 << 40, 1, 0, 0))", "crashed"),
    "claims a far place": ("c.recv(1); c.sendall(struct.pack('<BQQQQQd', 0, 1 << 40, 16000, 1, 1, 0, 0))", "crashed"),
    "answers in no way known": ("c.recv(1); c.sendall(struct.pack('<BQQQQQd', 9, 0, 16000, 1, 1, 0, 0))", "crashed"),
    "always puts it off": (
        "while c.recv(1): c.sendall(struct.pack('<BQQQQQd', 2, 0, 0, 0, 0, 0, 0))",
        "crashed",
    ),
    "reports an unknown reason": (
        "c.recv(1); t = b'[\"ok\", \"x\"]'; c.sendall(struct.pack('<BQQQQQd', 1, 0, 0, 0, 0, len(t), 0) + t)",
        "crashed",
    ),
    "lacks an endless time": (
        "c.recv(1); c.sendall(struct.pack('<BQQQQQd', 0, 0, 16000, 1, 1, 0, float('inf')))",
        "crashed",
    ),
    "writes a book of notes": (
        "c.recv(1); c.sendall(struct.pack('<BQQQQQd', 0, 0, 16000, 1, 1, 1 << 40, 0))",
        "crashed",
    ),
    "trickles": ("c.recv(1)\nwhile True: c.sendall(b'\\0'); time.sleep(0.3)", "timeout"),
}


@pytest.mark.parametrize("kind", MISBEHAVING)
def test_a_process_that_misbehaves_is_one_bad_file(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It hangs, dies or lies: the reason says so, within the limit, and no process is left."""
    body, reason = MISBEHAVING[kind]
    script = tmp_path / "script.py"
    head = "import json, socket, struct, sys, time\nc = socket.socket(fileno=json.loads(sys.argv[1])['socket'])\n"
    script.write_text(head + textwrap.dedent(body) + "\ntime.sleep(60)\n")
    monkeypatch.setattr(sandbox, "_SCRIPT", script)
    monkeypatch.setattr(sandbox, "_START_SECONDS", 0.5)
    path = tmp_path / "a.flac"
    path.write_bytes(encoded("FLAC", None, tone(0.5, 16_000), 16_000))
    started = time.monotonic()
    with pytest.raises(sn.errors.AudioError) as caught:
        Reader(Limits(seconds=1)).read(path, 16_000)
    release()
    assert caught.value.reason.value == reason
    assert time.monotonic() - started < 10


def test_memory_is_limited(tmp_path: Path) -> None:
    """A file that decodes to more than the limit is refused, and the next one is read by the same process."""
    (tmp_path / "large.flac").write_bytes(encoded("FLAC", None, np.zeros((9_000_000, 1), np.float32)))
    (tmp_path / "bomb.flac").write_bytes(flac_bomb())
    (tmp_path / "good.wav").write_bytes(wav(pcm()))
    reader = Reader(Limits(megabytes=16))
    for name in ("large.flac", "bomb.flac"):
        with pytest.raises(sn.errors.AudioError, match="too-large"):
            reader.read(tmp_path / name, 16_000)
    assert len(sandbox._idle) == 1
    assert reader.read(tmp_path / "good.wav", 16_000).length == 8_000
    release()
    assert sandbox._idle == []


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
    assert len(sandbox._idle) == 1
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


@pytest.mark.parametrize("bad", [{"seconds": 0}, {"seconds": -1}, {"megabytes": 0}, {"seconds": float("nan")}])
def test_limits_must_be_positive(bad: dict[str, float]) -> None:
    """A limit of nothing is an error, not a hang."""
    with pytest.raises(sn.errors.ArgumentError, match="positive"):
        Limits(**bad)  # type: ignore[arg-type]
